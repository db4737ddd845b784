import { alongUnconditional } from '../along-unconditional.ts';
import type { Sampler } from '../sampler.ts';
import { dpmpp2sAncestral, type Dpmpp2sAncestralOptions } from './dpmpp-2s-ancestral.ts';

export type Dpmpp2sAncestralCfgPpOptions = Dpmpp2sAncestralOptions;

/**
 * CFG++ with ancestral steps of DPM-Solver++(2S); the evaluation inside the step is the guided one.
 *
 * @throws UserError when an option is out of range, and at the first step when the denoiser has no unconditional part
 * @example
 * dpmpp2sAncestralCfgPp().order; // => 2
 */
export function dpmpp2sAncestralCfgPp(options: Dpmpp2sAncestralCfgPpOptions = {}): Sampler {
  return alongUnconditional(dpmpp2sAncestral(options), 'dpmpp-2s-ancestral-cfg-pp');
}
