import { type NoiseLevel, relativeSigma, type StepInput } from '@langevin/core';
import { checkNumber } from '@langevin/tensor';

/** Noise added before each step and removed by it (Karras et al. 2022, arXiv:2206.00364, Algorithm 2). */
export interface ChurnOptions {
  /** Noise added and removed again over the run, >= 0; 0 is deterministic. @default 0 */
  readonly sChurn?: number;
  /** Churn acts where sigma / alpha is in sTMin..sTMax. @default 0 */
  readonly sTMin?: number;
  /** @default Infinity */
  readonly sTMax?: number;
  /** Deviation of the added noise, > 0; a little above 1 makes up for detail that networks remove. @default 1 */
  readonly sNoise?: number;
}

/** The most that one step may raise the noise, so that it never adds more than the image holds (Algorithm 2). */
const MAX_CHURN = Math.SQRT2 - 1;

/** A state at a level. */
export interface Raised<T> {
  readonly x: T;
  readonly at: NoiseLevel;
}

/**
 * The first lines of Algorithm 2 as a function of a step's input: the state at a level with more noise, or as it is where churn does
 * not act.
 *
 * @throws UserError when an option is out of range
 * @example
 * const raise = churn('mine', { sChurn: 40 }); // in the factory; in its step: const { x, at } = await raise(input);
 * typeof raise; // => 'function'
 */
export function churn(
  sampler: string,
  { sChurn = 0, sTMin = 0, sTMax = Infinity, sNoise = 1 }: ChurnOptions,
): <T>(input: StepInput<T>) => Promise<Raised<T>> {
  checkNumber(`samplers/${sampler}`, { sChurn }, { atLeast: 0 });
  checkNumber(`samplers/${sampler}`, { sTMin }, { atLeast: 0, infinity: 'allowed' });
  checkNumber(`samplers/${sampler}`, { sTMax }, { atLeast: sTMin, infinity: 'allowed', advice: 'Pass a number >= sTMin.' });
  checkNumber(`samplers/${sampler}`, { sNoise }, { above: 0, advice: 'Pass a number > 0; the paper uses 1.003 to 1.007.' });
  return async ({ x, from, levels, index, noise, algebra }) => {
    const s = relativeSigma(from);
    if (!(sChurn > 0 && s >= sTMin && s <= sTMax)) return { x, at: from };
    const gamma = Math.min(sChurn / (levels.length - 1), MAX_CHURN);
    const at = { alpha: from.alpha, sigma: from.sigma * (1 + gamma) };
    return {
      x: algebra.linear([1, x], [sNoise * from.sigma * Math.sqrt(gamma * (2 + gamma)), await noise({ from, to: at, pass: [index] })]),
      at,
    };
  };
}
