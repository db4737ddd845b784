import type { Network } from '@langevin/core';
import type { NoiseRecipe } from '@langevin/diffusion';
import { shownValue, UserError } from '@langevin/tensor';
import type { Labels } from './labels.ts';
import type { LoadedAutoencoder } from './latents/autoencoder-folder.ts';

/** All that it takes to sample images: network, weights, and what they were trained for. */
export interface DiffusionModel {
  /** Of pictures of one size; with a patch, around the network that `config` describes. */
  readonly network: Network<unknown>;
  /** In the structure that `network.init` gives; floats as their file has them, see `inFloat32` of `@langevin/nn`. */
  readonly params: unknown;
  /** The network's configuration, as in `unet/config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Side of the squares of pixels that it sees as channels; 1 for none. */
  readonly patch: number;
  /** What the network means, and which noise it knows. */
  readonly noise: NoiseRecipe;
  /** Absent for models without class labels. */
  readonly labels?: Labels;
  /** Between pictures and the latents that are diffused over; absent for models of pixels. */
  readonly autoencoder?: LoadedAutoencoder;
}

/** @throws UserError when it is no model */
export function checkModel(model: unknown): asserts model is DiffusionModel {
  if (typeof model === 'object' && model !== null && 'network' in model && 'params' in model) {
    const { network } = model;
    if (typeof network === 'object' && network !== null && 'apply' in network) return;
  }
  throw new UserError(
    `[pipelines/model] there is no model: model=${shownValue(model)}. Pass what loadDiffusionFolder() or loadModel() gives.`,
  );
}
