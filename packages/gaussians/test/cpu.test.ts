import { cpuRasterizer, referenceRasterizer } from '@langevin/gaussians';
import { afterAll, expect, test } from 'vitest';
import { inBothPrecisions, randomScene } from '../src/testing/random-scene.ts';

const cpu = cpuRasterizer({ threads: 1 });
const reference = referenceRasterizer();
afterAll(() => cpu.dispose());

test('smoke', async () => {
  const { gaussians, camera } = randomScene({ seed: 1, count: 30, size: 48 });
  const { single, double } = inBothPrecisions(gaussians);
  const a = await cpu.render(single, camera);
  const b = await reference.render(double, camera);
  const worst = a.color.reduce((most, value, i) => Math.max(most, Math.abs(value - b.color[i]!)), 0);
  console.log(worst, a.color.slice(0, 9), b.color.slice(0, 9));
  const v = Float64Array.from(b.color, (_, i) => Math.sin(i));
  const ga = await cpu.backward(a, { color: Float32Array.from(v) });
  const gb = await reference.backward(b, { color: v });
  for (const name of ['means', 'quaternions', 'logScales', 'opacityLogits', 'sh', 'background', 'worldToCamera', 'means2d', 'absoluteMeans2d'] as const) {
    const w = ga[name].reduce((most, value, i) => Math.max(most, Math.abs(value - gb[name][i]!)), 0);
    const l = gb[name].reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    console.log(name, w, l, w / l);
  }
});
