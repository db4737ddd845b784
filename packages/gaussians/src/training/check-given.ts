import { checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import type { Rasterizer } from '../rasterizer.ts';
import type { SceneView, SplatScene } from '../scenes/scene.ts';

/** What every training is given. @throws UserError unless there is a scene whose views fit, and something that draws */
export function checkGiven(where: string, options: { readonly scene: SplatScene; readonly rasterizer: Rasterizer }): void {
  const { scene, rasterizer } = readOptions(where, options);
  if (typeof scene !== 'object' || scene === null || !Array.isArray(scene.train) || !Array.isArray(scene.test))
    throw new UserError(`[${where}] there is no scene: scene=${shownValue(scene)}. Pass what loadScene() or readScene() gives.`);
  checkNumber(where, { extent: scene.extent }, { atLeast: 0 });
  for (const view of [...scene.train, ...scene.test]) checkView(where, view);
  if (typeof rasterizer?.render !== 'function' || typeof rasterizer.backward !== 'function')
    throw new UserError(
      `[${where}] nothing draws: rasterizer=${shownValue(rasterizer)}. Pass what cpuRasterizer() or createRasterizer() gives.`,
    );
}

/** Pictures, masks and depths have the size of their camera. */
function checkView(where: string, view: SceneView): void {
  const { name, camera, image, mask, depth } = (view ?? {}) as Partial<SceneView>;
  const fail = (what: string): never => {
    throw new UserError(`[${where}] view of the scene does not fit: view=${shownValue(name)}, ${what}. Pass what readScene() gives.`);
  };
  if (typeof name !== 'string') fail('it has no name');
  const { width, height } = camera ?? fail('it has no camera');
  const pixels = width * height;
  if (!(pixels > 0)) fail(`camera=${width}x${height}`);
  if (image?.width !== width || image.height !== height) fail(`picture=${image?.width}x${image?.height}, camera=${width}x${height}`);
  if (image?.data?.length !== pixels * (image?.channels ?? 0))
    fail(`bytes of the picture=${image?.data?.length}, channels=${image?.channels}`);
  if (mask !== undefined && mask.length !== pixels) fail(`mask.length=${mask.length}, pixels=${pixels}`);
  if (depth !== undefined && depth.length !== pixels) fail(`depth.length=${depth.length}, pixels=${pixels}`);
}
