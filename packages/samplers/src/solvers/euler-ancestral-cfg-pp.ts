import type { Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { alongUnconditional } from '../along-unconditional.ts';
import { eulerAncestral, type EulerAncestralOptions } from './euler-ancestral.ts';

export type EulerAncestralCfgPpOptions = EulerAncestralOptions;

/**
 * CFG++ with ancestral Euler steps: below the next level along the unconditional prediction, then noise up to it.
 *
 * @throws UserError when an option is out of range, and at the first step when the denoiser has no unconditional part
 * @example
 * eulerAncestralCfgPp().order; // => 1
 */
export function eulerAncestralCfgPp(given: EulerAncestralCfgPpOptions = {}): Sampler {
  const options = readOptions('samplers/euler-ancestral-cfg-pp', given);
  return alongUnconditional(eulerAncestral(options), 'euler-ancestral-cfg-pp');
}
