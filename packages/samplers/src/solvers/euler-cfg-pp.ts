import type { Sampler } from '@langevin/core';
import { alongUnconditional } from '../along-unconditional.ts';
import { euler } from './euler.ts';

/**
 * CFG++ with Euler's steps (arXiv:2406.08070, Algorithm 2): x' = alpha' D + (sigma' / sigma) (x - alpha U), with the guided prediction D
 * and the unconditional one U.
 *
 * @throws UserError at the first step when the denoiser has no unconditional part
 * @example
 * eulerCfgPp().order; // => 1
 */
export function eulerCfgPp(): Sampler {
  return alongUnconditional(euler(), 'euler-cfg-pp');
}
