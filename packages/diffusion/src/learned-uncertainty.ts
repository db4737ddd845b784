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
 * // not run: part of a task
 * const uncertain = learnedUncertainty(edm2(edm2Presets['EDM2-S']));
 * const task = diffusionTask({ ...uncertain, name: 'edm2', seed: 0, config: {}, noise, learner, batch });
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
