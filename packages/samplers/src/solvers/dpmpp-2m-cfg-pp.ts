import { alongUnconditional } from '../along-unconditional.ts';
import type { Sampler } from '../sampler.ts';
import { dpmpp2m, type Dpmpp2mOptions } from './dpmpp-2m.ts';

export type Dpmpp2mCfgPpOptions = Dpmpp2mOptions;

/**
 * CFG++ with steps of DPM-Solver++(2M) (arXiv:2406.08070, appendix).
 *
 * @throws UserError when an option is out of range, and at the first step when the denoiser has no unconditional part
 * @example
 * dpmpp2mCfgPp().order; // => 2
 */
export function dpmpp2mCfgPp(options: Dpmpp2mCfgPpOptions = {}): Sampler {
  return alongUnconditional(dpmpp2m(options), 'dpmpp-2m-cfg-pp');
}
