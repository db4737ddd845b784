import { deriveDenoiser } from '@langevin/core';
import { checkNumber, readOptions } from '@langevin/tensor';
import { checkGuidance, defineGuidance, type Guidance } from '../guidance.ts';
import { cfg } from './cfg.ts';

export interface StaticThresholdOptions {
  /** x0-predictions are limited to -range..range, > 0. @default 1, for images in [-1, 1] */
  readonly range?: number;
  /** What is limited. @default cfg({ scale: 1 }), the condition alone */
  readonly of?: Guidance;
}

/**
 * Static thresholding: x0-predictions limited to the range of the data, after guidance (Saharia et al. 2022, arXiv:2205.11487, section
 * 2.3). For pixels; latents have no range. Not for a network's own output, whose x0 is elsewhere.
 *
 * @throws UserError for a range that is not above 0
 * @example
 * const point = defineConditionalDenoiser({ nfe: 1, denoise: (_x: Float64Array, _at, condition: Float64Array) => condition });
 * const limited = staticThreshold().guide({ denoiser: point, algebra: arrayAlgebra(), conditions: [Float64Array.of(-3, 0.5)] });
 * await limited(Float64Array.of(0, 0), sigmaLevel(1)); // => [-1, 0.5]
 */
export function staticThreshold(options: StaticThresholdOptions = {}): Guidance {
  const where = 'guidance/static-threshold';
  const { range = 1, of = cfg({ scale: 1 }) } = readOptions(where, options);
  checkNumber(where, { range }, { above: 0 });
  checkGuidance(where, of);
  return defineGuidance({
    name: 'static-threshold',
    summary: 'Clean samples limited to the range of the data, after guidance.',
    source: 'Saharia et al. 2022, arXiv:2205.11487, section 2.3',
    guide: (input) => deriveDenoiser(of.guide(input), { output: (x0) => input.algebra.clamp(x0, range) }),
  });
}
