import type { Sampler } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { alongUnconditional } from '../along-unconditional.ts';
import { gradientEstimation, type GradientEstimationOptions } from './gradient-estimation.ts';

export type GradientEstimationCfgPpOptions = GradientEstimationOptions;

/**
 * CFG++ with steps of gradient estimation: the noise it carries on is that of the unconditional prediction.
 *
 * @throws UserError when an option is out of range, and at the first step when the denoiser has no unconditional part
 * @example
 * gradientEstimationCfgPp().order; // => 1
 */
export function gradientEstimationCfgPp(given: GradientEstimationCfgPpOptions = {}): Sampler {
  const options = readOptions('samplers/gradient-estimation-cfg-pp', given);
  return alongUnconditional(gradientEstimation(options), 'gradient-estimation-cfg-pp');
}
