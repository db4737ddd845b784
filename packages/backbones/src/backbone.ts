import type { Tensor } from '@langevin/tensor';
import type { Mode, Module } from '@langevin/nn';

/** What a backbone may be given beside the noisy sample and its time. */
export interface BackboneInputs {
  /** int32 [N]: the class of each item, where the network knows classes. */
  readonly classLabels?: Tensor;
  /** @default evalMode */
  readonly mode?: Mode;
}

/** What a backbone is applied to. */
export type BackboneArguments = readonly [x: Tensor, time: Tensor, inputs?: BackboneInputs];

/**
 * A raw network. `apply(params, x [N, C, H, W], time, inputs?)` gives [N, outputs, H, W]; `time` is a timestep or noise label as one
 * number for all ([] or [1]) or one for each item ([N]), float32 or int32. What the output means is the preconditioning's business.
 */
export type Backbone<Params> = Module<Params, BackboneArguments, Tensor>;
