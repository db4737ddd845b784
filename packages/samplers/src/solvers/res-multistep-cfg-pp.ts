import type { Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { CFG_PP_SLOPES, type CfgPpSlopes } from '../along-unconditional.ts';
import { checkChoice } from '../check-option.ts';
import { checkLowerOrderFinal } from '../maths/multistep.ts';
import { resCfgPp } from '../res-cfg-pp.ts';
import type { ResMultistepOptions } from './res-multistep.ts';

export interface ResMultistepCfgPpOptions extends ResMultistepOptions {
  /**
   * Which predictions a step of second order goes through: `published` is the unconditional ones, as in ComfyUI; `guided` the guided ones.
   * @default 'published'
   */
  readonly slopes?: CfgPpSlopes;
}

const NAME = 'res-multistep-cfg-pp';

/**
 * CFG++ with steps of the RES multistep method (ComfyUI): with the guided prediction D, the unconditional one U and y = x / alpha,
 * y' = e^-h (y + D - U) + h (b1 U + b2 U_before) with the weights of the plain method. A step of first order is that of eulerCfgPp(). One
 * evaluation a step.
 *
 * @throws UserError when an option is out of range, and at the first step when the denoiser has no unconditional part
 * @example
 * resMultistepCfgPp().order; // => 2
 */
export function resMultistepCfgPp(options: ResMultistepCfgPpOptions = {}): Sampler {
  const { slopes = 'published', lowerOrderFinal = 'clean' } = readOptions('samplers/res-multistep-cfg-pp', options);
  checkChoice(NAME, { slopes }, CFG_PP_SLOPES);
  checkLowerOrderFinal(NAME, lowerOrderFinal);
  return resCfgPp({ name: NAME, slopes, lowerOrderFinal });
}
