import { deriveDenoiser } from '@langevin/core';
import { dynamicallyThresholded } from '@langevin/core-schedules';
import { checkNumber, readOptions } from '@langevin/tensor';
import { checkGuidance, defineGuidance, type Guidance } from '../guidance.ts';
import { cfg } from './cfg.ts';

export interface DynamicThresholdRuleOptions {
  /** Quantile of the absolute values that gives the limit of an item, 0..1. @default 0.995, Imagen's */
  readonly ratio?: number;
  /** The limit is at most that, > 0; 1 is static thresholding. @default Infinity, as in Imagen; diffusers' DDPM takes 1 */
  readonly most?: number;
  /** What is limited. @default cfg({ scale: 1 }), the condition alone */
  readonly of?: Guidance;
}

/**
 * Dynamic thresholding: each x0-prediction is limited to a quantile of its own absolute values, but not below 1, and divided by it, after
 * guidance (Saharia et al. 2022, arXiv:2205.11487, section 2.3). It keeps great scales from saturating pixels; latents have no range.
 *
 * @throws UserError for a quantile or a limit out of range
 * @example
 * const point = defineConditionalDenoiser({ nfe: 1, denoise: (_x: Float64Array, _at, condition: Float64Array) => condition });
 * const input = { denoiser: point, algebra: arrayAlgebra(), conditions: [Float64Array.of(-4, 1, 2)] };
 * await dynamicThreshold({ ratio: 0.5 }).guide(input)(Float64Array.of(0, 0, 0), sigmaLevel(1)); // => [-1, 0.5, 1]
 */
export function dynamicThreshold(options: DynamicThresholdRuleOptions = {}): Guidance {
  const where = 'guidance/dynamic-threshold';
  const { ratio = 0.995, most = Infinity, of = cfg({ scale: 1 }) } = readOptions(where, options);
  checkNumber(where, { ratio }, { atLeast: 0, atMost: 1 });
  checkNumber(where, { most }, { above: 0, infinity: 'allowed' });
  checkGuidance(where, of);
  return defineGuidance({
    name: 'dynamic-threshold',
    summary: 'Clean samples limited to a quantile of their own values and scaled back, after guidance.',
    source: 'Saharia et al. 2022, arXiv:2205.11487, section 2.3',
    guide: (input) => deriveDenoiser(of.guide(input), { output: (x0) => dynamicallyThresholded(input.algebra, x0, { ratio, most }) }),
  });
}
