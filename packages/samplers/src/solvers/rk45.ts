import { type Coefficient, defineSampler, type NoiseLevel, relativeSigma, type Sampler, type StepInput } from '@langevin/core';
import { dormandPrince } from '@langevin/core-schedules';
import { checkNumber, readOptions } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';

export interface Rk45Options {
  /** Error of a step allowed relative to the value, 0..1. @default 1e-5, as Song et al. */
  readonly rtol?: number;
  /** Error of a step allowed in units of unit-variance states, > 0; the larger of both counts. @default 1e-5 */
  readonly atol?: number;
  /** `adaptive`, or `fixed`: one step of order 5 from each level to the next. @default 'adaptive' */
  readonly steps?: 'adaptive' | 'fixed';
  /**
   * sigma / alpha from which the x0-prediction is taken as the clean end, > 0: the slope there is a difference of near-equal numbers
   * divided by sigma. @default 1e-3, which on data of deviation 0.3 is an error of 6e-6
   */
  readonly sigmaMin?: number;
  /** Steps that may be tried from one level to the next. @default 10000 */
  readonly maxSteps?: number;
}

/**
 * The probability-flow ODE by Dormand and Prince's embedded pair of orders 5 and 4 (Song et al. 2021, arXiv:2011.13456, appendix D.2), with
 * steps chosen for each image by its own error. Levels of the grid are where it stops to be looked at; two are enough.
 *
 * The variable is the angle of (alpha, sigma) and the state is scaled to alpha^2 + sigma^2 = 1, where dx/dangle = cot x - D / sin is
 * smooth from pure noise on, and units of the state do not matter. The last slope is kept for the next interval.
 *
 * @throws UserError for options out of range, and when tolerances cannot be met
 * @example
 * const { denoiser, flow: exact } = gaussian({ mean: [0.5], std: 0.2 });
 * const [from, to] = [sigmaLevel(10), sigmaLevel(0.1)];
 * const x = Float64Array.of(8);
 * const end = await sample({ sampler: rk45({ rtol: 1e-8, atol: 1e-8 }), denoise: denoiser<Float64Array>(), x, levels: [from, to] });
 * Math.abs(end[0]! - exact(x, { from, to })[0]!) < 1e-7; // => true
 */
export function rk45(options: Rk45Options = {}): Sampler {
  const { rtol = 1e-5, atol = 1e-5, steps = 'adaptive', sigmaMin = 1e-3, maxSteps = 10_000 } = readOptions('samplers/rk45', options);
  checkNumber('samplers/rk45', { rtol }, { atLeast: 0, atMost: 1 });
  checkNumber('samplers/rk45', { atol }, { above: 0 });
  checkChoice('rk45', { steps }, ['adaptive', 'fixed']);
  checkNumber('samplers/rk45', { sigmaMin }, { above: 0 });
  checkNumber('samplers/rk45', { maxSteps }, { atLeast: 1, kind: 'integer' });
  return defineSampler({
    name: 'rk45',
    order: 5,
    stochastic: false,
    paper: 'arXiv:2011.13456, appendix D.2; Dormand and Prince 1980',
    step: async (input) => {
      const { from, to, denoise, algebra, state } = input;
      const clean = to.sigma === 0;
      const end = clean ? { alpha: to.alpha, sigma: sigmaMin * to.alpha } : to;
      // A run whose last noisy level is below sigmaMin has nothing left to integrate.
      if (clean && relativeSigma(from) <= sigmaMin) {
        const denoised = await denoise(input.x, from);
        return { x: algebra.linear([to.alpha, denoised]), denoised };
      }
      const span = angleOf(from) - angleOf(end);
      const held = state.values[SLOPE];
      const result = await dormandPrince({
        algebra,
        rate: slopeOf(input),
        x: algebra.linear([1 / Math.hypot(from.alpha, from.sigma), input.x]),
        from: angleOf(from),
        to: angleOf(end),
        maxSteps,
        ...(steps === 'adaptive' ? { rtol, atol } : { rtol: 1, atol: UNLIMITED, firstStep: span }),
        ...(held === undefined ? {} : { firstRate: { x: held } }),
      });
      const x = algebra.linear([Math.hypot(end.alpha, end.sigma), result.x]);
      if (clean) {
        const denoised = await denoise(x, end);
        return { x: algebra.linear([to.alpha, denoised]), denoised };
      }
      // D, out of the slope cot x - D / sin.
      const [cosine, sine] = [Math.cos(angleOf(end)), Math.sin(angleOf(end))];
      return {
        x,
        denoised: algebra.linear([cosine, result.x], [-sine, result.rate.x]),
        state: { ...state, values: { ...state.values, [SLOPE]: result.rate.x } },
      };
    },
  });
}

const SLOPE = 'slope';
/** A tolerance that every step meets. */
const UNLIMITED = 1e100;

const angleOf = ({ alpha, sigma }: NoiseLevel): number => Math.atan2(sigma, alpha);

function slopeOf<T>({ denoise, algebra }: StepInput<T>): (x: T, angle: Coefficient) => Promise<{ readonly x: T }> {
  return async (x, angle) => {
    const angles = typeof angle === 'number' ? [angle] : angle;
    const denoised = await denoise(
      x,
      angles.map((value) => ({ alpha: Math.cos(value), sigma: Math.sin(value) })),
    );
    return { x: algebra.linear([angles.map((value) => 1 / Math.tan(value)), x], [angles.map((value) => -1 / Math.sin(value)), denoised]) };
  };
}
