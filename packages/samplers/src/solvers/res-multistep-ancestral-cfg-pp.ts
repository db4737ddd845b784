import type { Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { CFG_PP_PAPER, CFG_PP_SLOPES, type CfgPpSlopes } from '../along-unconditional.ts';
import { ancestral } from '../ancestral.ts';
import { checkChoice } from '../check-option.ts';
import { checkLowerOrderFinal } from '../maths/multistep.ts';
import { resCfgPp } from '../res-cfg-pp.ts';
import type { ResMultistepAncestralOptions } from './res-multistep-ancestral.ts';

interface Slopes {
  /**
   * Which predictions a step of second order goes through: `published` is the unconditional ones, as in ComfyUI; `guided` the guided ones.
   * @default 'published'
   */
  readonly slopes?: CfgPpSlopes;
}

export type ResMultistepAncestralCfgPpOptions = ResMultistepAncestralOptions & Slopes;

const NAME = 'res-multistep-ancestral-cfg-pp';

/**
 * CFG++ with ancestral steps of the RES multistep method (ComfyUI): the step of resMultistepCfgPp() to below the next level, then noise up
 * to it. One evaluation a step.
 *
 * @throws UserError when an option is out of range, and at the first step when the denoiser has no unconditional part
 * @example
 * resMultistepAncestralCfgPp().order; // => 2
 */
export function resMultistepAncestralCfgPp(options: ResMultistepAncestralCfgPpOptions = {}): Sampler {
  const { slopes = 'published', lowerOrderFinal = 'clean', ...noise } = readOptions('samplers/res-multistep-ancestral-cfg-pp', options);
  checkChoice(NAME, { slopes }, CFG_PP_SLOPES);
  checkLowerOrderFinal(NAME, lowerOrderFinal);
  return ancestral(resCfgPp({ name: NAME, slopes, lowerOrderFinal }), { ...noise, name: NAME, paper: CFG_PP_PAPER });
}
