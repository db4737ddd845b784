import type { Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { ancestral, type AncestralOptions } from '../ancestral.ts';
import { resMultistep, type ResMultistepOptions } from './res-multistep.ts';

export type ResMultistepAncestralOptions = AncestralOptions & ResMultistepOptions;

/**
 * The RES multistep method with ancestral noise (ComfyUI). Slopes of the prediction are taken over the deterministic part of the step
 * before, so that at eta = 1 it is dpmpp2mSde({ solverType: 'heun' }).
 *
 * @throws UserError when an option is out of range
 * @example
 * resMultistepAncestral().order; // => 2
 */
export function resMultistepAncestral(given: ResMultistepAncestralOptions = {}): Sampler {
  const options = readOptions('samplers/res-multistep-ancestral', given);
  return ancestral(resMultistep(options), { ...options, name: 'res-multistep-ancestral', paper: 'arXiv:2308.02157; ComfyUI' });
}
