import { type Camera, lookAt } from '@langevin/core';
import { sceneExtent, splitViews, type Gaussians, type PointCloud, type Rasterizer, type SplatScene } from '@langevin/gaussians';
import { imageOf } from '@langevin/gaussians';
import { counterGenerator } from '@langevin/tensor';
import { stillLife } from '../built-in/still-life.ts';

/** How many pictures are taken. */
const VIEWS = 36;
/** Gaussians that training begins with. */
const POINTS = 4000;
const FIELD_OF_VIEW = 42;

/**
 * The still life as a scene to train on: pictures by our own rasterizer from a sphere around it, and some of its centres, moved a little.
 */
export async function syntheticScene(rasterizer: Rasterizer, side: number): Promise<SplatScene> {
  const truth = stillLife();
  const views = [];
  for (const [i, camera] of spherePoses(VIEWS, side).entries()) {
    const rendering = await rasterizer.render(truth, camera, {});
    views.push({ name: `view ${String(i + 1).padStart(2, '0')}`, camera, image: imageOf(rendering.color, camera) });
  }
  const { train, test } = splitViews(views);
  return { name: 'Still life', train, test, points: somePoints(truth), extent: sceneExtent(train.map(({ camera }) => camera)) };
}

/** Cameras on the upper part of a sphere, along a spiral. */
function spherePoses(count: number, side: number): readonly Camera[] {
  const focal = side / 2 / Math.tan((FIELD_OF_VIEW * Math.PI) / 360);
  return Array.from({ length: count }, (_, i) => {
    const height = 0.12 + (0.72 * (i + 0.5)) / count;
    const around = Math.sqrt(1 - height * height);
    const angle = i * Math.PI * (3 - Math.sqrt(5));
    const distance = 4.1;
    return lookAt({
      width: side,
      height: side,
      fx: focal,
      fy: focal,
      cx: side / 2,
      cy: side / 2,
      eye: [distance * around * Math.cos(angle), -distance * height, distance * around * Math.sin(angle)],
      target: [0, 0.1, 0],
    });
  });
}

/** What a reconstruction from photographs would give: a part of the points, not quite in place. */
function somePoints({ count, means, sh }: Gaussians): PointCloud {
  const random = counterGenerator({ seed: 7, stream: [1] });
  const rows = random.permutation(count).subarray(0, POINTS);
  const noise = random.normal(3 * POINTS);
  return {
    count: POINTS,
    positions: Float32Array.from({ length: 3 * POINTS }, (_, i) => means[3 * rows[Math.floor(i / 3)]! + (i % 3)]! + 0.02 * noise[i]!),
    colors: Uint8Array.from({ length: 3 * POINTS }, (_, i) =>
      Math.round(255 * Math.min(1, Math.max(0, 0.5 + 0.28209479177387814 * sh[3 * rows[Math.floor(i / 3)]! + (i % 3)]!))),
    ),
  };
}
