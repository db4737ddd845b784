import { UserError } from '@langevin/tensor';
import { sceneExtent, type SplatScene } from '../scenes/scene.ts';

/** Fewer views of one moment do not say where things are. */
const ENOUGH_VIEWS = 8;

/**
 * What the asset at rest is first trained on, before it moves: the views of the first moment when there are enough of them, and otherwise
 * all, as 4D Gaussian splatting does (the motion then has to undo the blur). Held-out views stay, of all times: how good a still asset is
 * on them is what a motion has to surpass.
 *
 * @param from `first` or `all` in place of that choice
 * @throws UserError when a view has no time
 */
export function stillScene(scene: SplatScene, from?: 'first' | 'all'): SplatScene & { readonly from: 'first' | 'all' } {
  const without = scene.train.find(({ time }) => time === undefined);
  if (without !== undefined)
    throw new UserError(`[gaussians/dynamic] view has no time: view=${without.name}. Give every frame of the scene its time.`);
  const first = scene.train.filter(({ time }) => time === 0);
  if (from === 'first' && first.length === 0)
    throw new UserError(
      '[gaussians/dynamic] no view of the first moment is left to train on: all are held out. Hold out others, or begin with all views.',
    );
  const chosen = from ?? (first.length >= ENOUGH_VIEWS ? 'first' : 'all');
  const train = chosen === 'first' ? first : scene.train;
  return { ...scene, train, extent: sceneExtent(scene.train.map(({ camera }) => camera)), from: chosen };
}
