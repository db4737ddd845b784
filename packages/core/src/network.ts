import type { Mode, Module, Taps } from '@langevin/nn';
import type { Tensor } from '@langevin/tensor';
import type { ConditionSpecs, Conditions } from './conditions.ts';

/** What a network expects and gives: the one description of it, for pipelines, tasks, guidance and listings. */
export interface NetworkInfo {
  /** Channels of the noisy sample. */
  readonly channels: number;
  /** Channels of the result. */
  readonly outChannels: number;
  /** What is stacked along the channels of the result. */
  readonly outputs: readonly ('prediction' | 'variance')[];
  /** Axes of a sample behind batch and channels: a sequence, a picture, a clip. */
  readonly axes: 'l' | 'hw' | 'thw';
  /** Sizes along these axes that it was configured for; null where the configuration does not say. */
  readonly size: readonly number[] | null;
  /** Sizes of pictures are multiples of this. */
  readonly multiple: number;
  /** What `time` is: a training timestep, possibly fractional; a timestep as an index; or the noise level as preconditioning gives it. */
  readonly time: 'timestep' | 'index' | 'sigma';
  readonly conditions: ConditionSpecs;
}

/** What a network may be given beside the noisy sample and its time. */
export interface NetworkInputs {
  /** Those that `info.conditions` declares; optional ones may be left out. @default none */
  readonly conditions?: Conditions;
  /** @default evaluation */
  readonly mode?: Mode;
  /** @default nobody listens */
  readonly taps?: Taps;
}

/** What a network is applied to, behind its parameters. */
export type NetworkArguments = readonly [x: Tensor, time: Tensor, inputs?: NetworkInputs];

/**
 * A raw network: `apply(params, x [N, channels, ...], time, inputs?)` gives [N, outChannels, ...]; `time` is one number for all ([] or [1])
 * or one for each item ([N]), float32 or int32. What the result means is the business of prediction and preconditioning.
 */
export interface Network<Params> extends Module<Params, NetworkArguments, Tensor> {
  readonly info: NetworkInfo;
}

/**
 * A network from a module and its description, as a frozen value.
 *
 * @example
 * const scale = defineNetwork({
 *   init: () => ({ w: scalar(1) }),
 *   apply: (params: { readonly w: Tensor }, x: Tensor) => mul(params.w, x),
 *   info: {
 *     channels: 3, outChannels: 3, outputs: ['prediction'], axes: 'hw', size: null, multiple: 1, time: 'sigma', conditions: {},
 *   },
 * });
 * scale.info.channels; // => 3
 */
export function defineNetwork<Params>(network: Network<Params>): Network<Params> {
  return Object.freeze({ ...network });
}
