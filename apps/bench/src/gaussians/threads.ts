import { lookAt } from '@langevin/core';
import {
  cpuRasterizer,
  gaussiansFromPoints,
  imageOf,
  PARAMETERS,
  trainSplats,
  type Gaussians,
  type Rasterizer,
  type SplatScene,
} from '@langevin/gaussians';
import { GRADIENTS, inBothPrecisions, randomScene } from '@langevin/gaussians/testing';
import { InternalError } from '@langevin/tensor';
import type { Statement } from './statement.ts';

const THREADS = [2, 3] as const;
const STEPS = 12;

/** Bytes in which pictures, gradients and trained Gaussians differ from those of one thread. */
export async function threadStatements(scenes: number): Promise<readonly Statement[]> {
  const one = cpuRasterizer({ threads: 1 });
  const views = await trainingScene(one);
  const rows: Statement[] = [];
  for (const threads of THREADS) {
    const many = cpuRasterizer({ threads });
    let [pictures, gradients] = [0, 0];
    for (let seed = 0; seed < scenes; seed++) {
      const [a, b] = [await drawAndLead(one, seed), await drawAndLead(many, seed)];
      pictures += differentBytes(a.picture, b.picture);
      gradients += differentBytes(a.gradients, b.gradients);
    }
    rows.push(
      { name: `${threads} threads: pictures`, error: pictures, allowed: 0, of: `${scenes} scenes` },
      { name: `${threads} threads: gradients`, error: gradients, allowed: 0, of: `${scenes} scenes` },
    );
    const [alone, together] = [await trained(views, one), await trained(views, many)];
    rows.push({
      name: `${threads} threads: Gaussians after training`,
      error: differentBytes(
        PARAMETERS.map((name) => alone[name]),
        PARAMETERS.map((name) => together[name]),
      ),
      allowed: 0,
      of: `${STEPS} steps`,
    });
    await many.dispose();
  }
  await one.dispose();
  return rows;
}

async function drawAndLead(
  rasterizer: Rasterizer,
  seed: number,
): Promise<{ readonly picture: readonly Float32Array[]; readonly gradients: readonly Float32Array[] }> {
  const { gaussians, camera } = randomScene({ seed, count: 300, size: 150 });
  const { single } = inBothPrecisions(gaussians);
  const depth = (['none', 'accumulated', 'expected'] as const)[seed % 3]!;
  const drawn = await rasterizer.render(single, camera, {
    background: [0.1, 0.2, 0.3],
    depth,
    antialiasing: seed % 2 === 0 ? 'none' : 'mip',
    ...(seed % 4 === 1 && { features: wave(600) }),
  });
  const led = await rasterizer.backward(drawn, {
    color: wave(drawn.color.length),
    alpha: wave(drawn.alpha.length),
    ...(drawn.depth && { depth: wave(drawn.alpha.length) }),
  });
  return {
    picture: [drawn.color, drawn.alpha, drawn.radii, ...(drawn.depth ? [drawn.depth] : [])],
    gradients: GRADIENTS.flatMap((name) => led[name] ?? []),
  };
}

/** Numbers without pattern. */
function wave(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => Math.sin(1.7 * i));
}

function differentBytes(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  if (a.length !== b.length) return Infinity;
  return a.reduce((sum, array, i) => {
    const [x, y] = [array, b[i]!].map((values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)) as [
      Uint8Array,
      Uint8Array,
    ];
    if (x.length !== y.length) return Infinity;
    return sum + x.reduce((count, byte, k) => count + (byte === y[k] ? 0 : 1), 0);
  }, 0);
}

/** Views of random Gaussians, and points to begin from. */
async function trainingScene(rasterizer: Rasterizer): Promise<SplatScene> {
  const truth = inBothPrecisions(randomScene({ seed: 77, count: 60, degree: 1 }).gaussians).single;
  const train = [];
  for (const x of [-1, 0, 1]) {
    const camera = lookAt({ width: 64, height: 48, fx: 60, fy: 60, cx: 32, cy: 24, eye: [x, 0.3, -3], target: [0, 0, 0] });
    train.push({ name: `${x}`, camera, image: imageOf((await rasterizer.render(truth, camera)).color, camera) });
  }
  return {
    name: 'random',
    train,
    test: [],
    extent: 2,
    points: { count: truth.count, positions: truth.means, colors: new Uint8Array(3 * truth.count).fill(128) },
  };
}

async function trained(scene: SplatScene, rasterizer: Rasterizer): Promise<Gaussians> {
  const initial = gaussiansFromPoints(scene.points!, { degree: 1 });
  for await (const event of trainSplats({ scene, rasterizer, steps: STEPS, initial, degree: 1, degreeEvery: 4 }))
    if (event.kind === 'done') return event.state.gaussians;
  throw new InternalError('[bench/gaussians] training ended without saying so');
}
