import { alongUnconditional } from '../along-unconditional.ts';
import type { Sampler } from '../sampler.ts';
import { resMultistep, type ResMultistepOptions } from './res-multistep.ts';

export type ResMultistepCfgPpOptions = ResMultistepOptions;

/**
 * CFG++ with steps of the RES multistep method.
 *
 * @throws UserError when an option is out of range, and at the first step when the denoiser has no unconditional part
 * @example
 * resMultistepCfgPp().order; // => 2
 */
export function resMultistepCfgPp(options: ResMultistepCfgPpOptions = {}): Sampler {
  return alongUnconditional(resMultistep(options), 'res-multistep-cfg-pp');
}
