import type { NoiseRecipe } from '@langevin/diffusion';
import { shownValue, UserError } from '@langevin/tensor';
import type { ImageBackbone } from './image-backbone.ts';
import type { Labels } from './labels.ts';

/** All that it takes to sample images: network, weights, and what they were trained for. */
export interface DiffusionModel {
  readonly backbone: ImageBackbone;
  /** In the structure that `backbone.network.init` gives; floats as their file has them, see `inFloat32` of `@langevin/nn`. */
  readonly params: unknown;
  /** The network's configuration, as in `unet/config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** What the network means, and which noise it knows. */
  readonly noise: NoiseRecipe;
  /** Absent for models without class labels. */
  readonly labels?: Labels;
}

/** @throws UserError when it is no model */
export function checkModel(model: unknown): asserts model is DiffusionModel {
  if (typeof model === 'object' && model !== null && 'backbone' in model && 'params' in model) {
    const { backbone } = model;
    if (typeof backbone === 'object' && backbone !== null && 'network' in backbone) return;
  }
  throw new UserError(
    `[pipelines/model] there is no model: model=${shownValue(model)}. Pass what loadDiffusionFolder() or loadModel() gives.`,
  );
}
