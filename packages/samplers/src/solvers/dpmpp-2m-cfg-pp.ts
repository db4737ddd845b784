import type { Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { alongUnconditional, CFG_PP_SLOPES, throughUnconditional, type CfgPpSlopes } from '../along-unconditional.ts';
import { checkChoice } from '../check-option.ts';
import type { LowerOrderFinal } from '../maths/multistep.ts';
import { dpmpp2m, type Dpmpp2mOptions } from './dpmpp-2m.ts';

export interface Dpmpp2mCfgPpOptions extends Dpmpp2mOptions {
  /**
   * Which prediction an earlier evaluation counts as: `published` takes the unconditional one, as the authors' repository and ComfyUI do;
   * `guided` the guided one. @default 'published'
   */
  readonly slopes?: CfgPpSlopes;
  /** When the order falls at the end of a run. @default 'clean', the authors' */
  readonly lowerOrderFinal?: LowerOrderFinal;
}

const NAME = 'dpmpp-2m-cfg-pp';

/**
 * CFG++ with steps of DPM-Solver++(2M) (Chung et al. 2024, arXiv:2406.08070, and the authors' repository): with the guided prediction D,
 * the unconditional one U, y = x / alpha and a step h of lambda, of which the step before was r,
 * y' = D + e^-h (y - U) + (1 - e^-h) (D - U_before) / 2r. One evaluation a step.
 *
 * @throws UserError when an option is out of range, and at the first step when the denoiser has no unconditional part
 * @example
 * dpmpp2mCfgPp().order; // => 2
 */
export function dpmpp2mCfgPp(options: Dpmpp2mCfgPpOptions = {}): Sampler {
  const { slopes = 'published', lowerOrderFinal = 'clean', ...rest } = readOptions('samplers/dpmpp-2m-cfg-pp', options);
  checkChoice(NAME, { slopes }, CFG_PP_SLOPES);
  const base = dpmpp2m({ ...rest, lowerOrderFinal });
  return slopes === 'guided' ? alongUnconditional(base, NAME) : throughUnconditional(base, { name: NAME, now: ({ denoised }) => denoised });
}
