import type { Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { ancestral, type AncestralOptions } from '../ancestral.ts';
import { dpm2 } from './dpm-2.ts';

export type Dpm2AncestralOptions = AncestralOptions;

/**
 * The midpoint method of dpm2() with ancestral noise (k-diffusion): the deterministic part leads below the next level in second order, and
 * noise leads back up. Two evaluations a step, one when it ends clean.
 *
 * @throws UserError when an option is out of range, and at alpha = 0, where sigma / alpha is infinite
 * @example
 * dpm2Ancestral().order; // => 2
 */
export function dpm2Ancestral(given: Dpm2AncestralOptions = {}): Sampler {
  const options = readOptions('samplers/dpm-2-ancestral', given);
  return ancestral(dpm2(), { ...options, name: 'dpm-2-ancestral', paper: 'arXiv:2206.00364; k-diffusion' });
}
