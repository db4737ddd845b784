import { referenceRasterizer } from '@langevin/gaussians';
import { describe, expect, test } from 'vitest';
import { checkGradients, GRADIENT_CASES, GRADIENT_TOLERANCE, randomScene, uniforms } from '../src/testing/index.ts';

describe('gradients of the reference are those of central differences', () => {
  test.for(GRADIENT_CASES.flatMap((kind, i) => [2 * i + 1, 2 * i + 2].map((seed) => ({ kind, seed, name: kind.name }))))(
    '$name, scene $seed',
    async ({ kind, seed }) => {
      for (const [name, { error, largest }] of Object.entries(await checkGradients(kind, seed))) {
        expect(largest, `${name} has an effect`).toBeGreaterThan(1e-3);
        expect(error, name).toBeLessThan(GRADIENT_TOLERANCE);
      }
    },
  );
});

test('means2d is the gradient by the centre in the picture, and absoluteMeans2d bounds it', async () => {
  const { gaussians, camera } = randomScene({ seed: 11, count: 5, kind: 'orthographic', size: 12 });
  const rasterizer = referenceRasterizer();
  const colors = Float64Array.from({ length: 15 }, (_, i) => (i % 7) / 7);
  const rendering = await rasterizer.render(gaussians, camera, { colors });
  const next = uniforms(1);
  const gradients = await rasterizer.backward(rendering, { color: rendering.color.map(() => 2 * next() - 1) });
  // With parallel rays and fixed colours the picture depends on a mean through its centre alone.
  const w = camera.worldToCamera;
  for (let i = 0; i < 5; i++) {
    const [u, v] = [gradients.means2d[2 * i]!, gradients.means2d[2 * i + 1]!];
    [0, 1, 2].forEach((axis) =>
      expect(gradients.means[3 * i + axis]).toBeCloseTo(u * camera.fx * w[axis]! + v * camera.fy * w[4 + axis]!, 10),
    );
    expect(gradients.absoluteMeans2d[2 * i]!).toBeGreaterThanOrEqual(Math.abs(u));
    expect(gradients.absoluteMeans2d[2 * i + 1]!).toBeGreaterThanOrEqual(Math.abs(v));
  }
});
