import type { Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { ancestral, type AncestralOptions } from '../ancestral.ts';
import { euler } from './euler.ts';

export type EulerAncestralOptions = AncestralOptions;

/**
 * Euler's method with ancestral noise (k-diffusion): a step to below the next level, then noise up to it. In the posterior form it is
 * DDIM with the same eta, and DDPM at eta = 1; in the flow form it is the ancestral sampler of rectified flows.
 *
 * @throws UserError when an option is out of range
 * @example
 * eulerAncestral().order; // => 1
 */
export function eulerAncestral(given: EulerAncestralOptions = {}): Sampler {
  const options = readOptions('samplers/euler-ancestral', given);
  return ancestral(euler(), { ...options, name: 'euler-ancestral', paper: 'arXiv:2010.02502' });
}
