import { defineNetwork, type Network } from '@langevin/core';
import { uncertaintyHead, type UncertaintyHeadOptions, type UncertaintyParams } from '@langevin/core-schedules';
import type { Tensor } from '@langevin/tensor';

/** A network and what it knows of its own errors: both are trained, averaged and saved together. */
export interface UncertainParams<Params> {
  readonly network: Params;
  readonly uncertainty: UncertaintyParams;
}

/** What {@link diffusionTask} is given of a network with learned uncertainty. */
export interface LearnedUncertainty<Params> {
  /** The same network, with the parameters of u beside its own. */
  readonly network: Network<UncertainParams<Params>>;
  /** u [N] of cNoise [N]: the log of the loss to be expected there. */
  readonly logVariance: (params: UncertainParams<Params>, cNoise: Tensor) => Tensor;
}

/**
 * A network that learns beside its task how large its loss is at each noise level, so that all levels come to weigh the same in the
 * gradient: EDM2's multi-task loss, weight loss / exp(u) + u (Karras et al. 2024, arXiv:2312.02696; Kendall et al. 2018).
 *
 * @example
 * const plain = defineNetwork({
 *   init: () => ({ w: scalar(1) }),
 *   apply: (params: { readonly w: Tensor }, x: Tensor) => mul(params.w, x),
 *   info: { channels: 1, outChannels: 1, outputs: ['prediction'], axes: 'l', size: null, multiple: 1, time: 'sigma', conditions: {} },
 * });
 * const { network, logVariance } = learnedUncertainty(plain);
 * // At first every level counts as it would without. Both belong into the options of a task.
 * await numbers(logVariance(network.init(torchGenerator(0)), tensor([0.1, 0.2]))); // => [0, 0]
 */
export function learnedUncertainty<Params>(network: Network<Params>, options: UncertaintyHeadOptions = {}): LearnedUncertainty<Params> {
  const head = uncertaintyHead(options);
  return Object.freeze({
    network: defineNetwork<UncertainParams<Params>>({
      info: network.info,
      init: (generator) => ({ network: network.init(generator), uncertainty: head.init() }),
      apply: (params, ...given) => network.apply(params.network, ...given),
    }),
    logVariance: (params: UncertainParams<Params>, cNoise: Tensor) => head.apply(params.uncertainty, cNoise),
  });
}
