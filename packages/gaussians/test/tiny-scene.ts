import { type Camera, lookAt } from '@langevin/core';
import { counterGenerator } from '@langevin/tensor';
import {
  gaussiansFromPoints,
  imageOf,
  sceneExtent,
  type Gaussians,
  type Rasterizer,
  type SceneView,
  type SplatScene,
} from '@langevin/gaussians';

/** Thirty coloured blobs near the origin. */
export function blobs(count = 30): Gaussians {
  const random = counterGenerator({ seed: 11, stream: [] });
  const positions = random.uniform(3 * count).map((u) => 2 * u - 1);
  return gaussiansFromPoints(
    { count, positions, colors: Uint8Array.from(random.integers(3 * count, { low: 30, high: 255 })) },
    { degree: 1, opacity: 0.8, scale: 0.7 },
  );
}

/** Six views of 20 x 16 pixels of the blobs; the first is held out. */
export async function tinyScene(rasterizer: Rasterizer): Promise<SplatScene> {
  const truth = blobs();
  const cameras: Camera[] = Array.from({ length: 6 }, (_, i) =>
    lookAt({ width: 20, height: 16, fx: 20, fy: 20, cx: 10, cy: 8, eye: [4 * Math.sin(i), 1 - i / 3, 4 * Math.cos(i)], target: [0, 0, 0] }),
  );
  const views: SceneView[] = [];
  for (const [i, camera] of cameras.entries())
    views.push({ name: `v${i}`, camera, image: imageOf((await rasterizer.render(truth, camera)).color, camera) });
  return {
    name: 'tiny',
    train: views.slice(1),
    test: views.slice(0, 1),
    extent: sceneExtent(cameras),
    points: { count: truth.count, positions: truth.means, colors: new Uint8Array(3 * truth.count).fill(128) },
  };
}

/** Changes at every step, so that a run of a few steps meets all of them. */
export const BUSY = { start: 0, stop: 1000, every: 4, resetEvery: 9, growGradient: 1e-5, cap: 60 };
