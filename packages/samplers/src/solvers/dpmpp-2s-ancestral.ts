import type { Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { ancestral, type AncestralOptions } from '../ancestral.ts';
import { dpmpp2s, type Dpmpp2sOptions } from './dpmpp-2s.ts';

export type Dpmpp2sAncestralOptions = AncestralOptions & Dpmpp2sOptions;

/**
 * DPM-Solver++(2S) with ancestral noise (k-diffusion): the deterministic part leads below the next level in second order, and noise
 * leads back up. Two evaluations a step, one when it ends clean.
 *
 * @throws UserError when an option is out of range
 * @example
 * dpmpp2sAncestral().order; // => 2
 */
export function dpmpp2sAncestral(given: Dpmpp2sAncestralOptions = {}): Sampler {
  const options = readOptions('samplers/dpmpp-2s-ancestral', given);
  return ancestral(dpmpp2s(options), { ...options, name: 'dpmpp-2s-ancestral', paper: 'arXiv:2211.01095; k-diffusion' });
}
