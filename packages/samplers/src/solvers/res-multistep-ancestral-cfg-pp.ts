import { alongUnconditional } from '../along-unconditional.ts';
import type { Sampler } from '../sampler.ts';
import { resMultistepAncestral, type ResMultistepAncestralOptions } from './res-multistep-ancestral.ts';

export type ResMultistepAncestralCfgPpOptions = ResMultistepAncestralOptions;

/**
 * CFG++ with ancestral steps of the RES multistep method.
 *
 * @throws UserError when an option is out of range, and at the first step when the denoiser has no unconditional part
 * @example
 * resMultistepAncestralCfgPp().order; // => 2
 */
export function resMultistepAncestralCfgPp(options: ResMultistepAncestralCfgPpOptions = {}): Sampler {
  return alongUnconditional(resMultistepAncestral(options), 'res-multistep-ancestral-cfg-pp');
}
