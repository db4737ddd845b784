import { type Camera, lookAt } from '@langevin/core';
import { imageOf, sceneExtent, type Gaussians, type Rasterizer, type SceneView, type SplatScene } from '@langevin/gaussians';
import { blobs } from './tiny-scene.ts';

/**
 * Where the blobs are at a time: half of them slide to the right by 0.8 and turn about the vertical by a quarter of a circle, the others
 * stand.
 */
export function blobsAt(time: number, asset: Gaussians = blobs()): Gaussians {
  const [c, s] = [Math.cos((Math.PI * time) / 2), Math.sin((Math.PI * time) / 2)];
  const means = asset.means.slice();
  for (let i = 0; i < asset.count; i += 2) {
    const [x, z] = [asset.means[3 * i]!, asset.means[3 * i + 2]!];
    means[3 * i] = c * x - s * z + 0.8 * time;
    means[3 * i + 2] = s * x + c * z;
  }
  return { ...asset, means };
}

const TIMES = [0, 0.2, 0.4, 0.6, 0.8, 1];

/** Six cameras at six times; the first camera, and the third time of the others, are held out. */
export async function movingScene(
  rasterizer: Rasterizer,
): Promise<SplatScene & { readonly times: { readonly start: number; readonly end: number } }> {
  const cameras: Camera[] = Array.from({ length: 6 }, (_, i) =>
    lookAt({
      width: 20,
      height: 16,
      fx: 20,
      fy: 20,
      cx: 10,
      cy: 8,
      eye: [4 * Math.sin(i), 1 - i / 3, 4 * Math.cos(i)],
      target: [0.3, 0, 0],
    }),
  );
  const views: (SceneView & { readonly held: boolean })[] = [];
  for (const time of TIMES) {
    for (const [i, camera] of cameras.entries()) {
      views.push({
        name: `t${time}-v${i}`,
        time,
        camera,
        image: imageOf((await rasterizer.render(blobsAt(time), camera)).color, camera),
        held: i === 0 || time === TIMES[2],
      });
    }
  }
  const of = (held: boolean): SceneView[] => views.filter((view) => view.held === held).map(({ held: _, ...view }) => view);
  return { name: 'moving', train: of(false), test: of(true), extent: sceneExtent(cameras), times: { start: 0, end: 2 } };
}
