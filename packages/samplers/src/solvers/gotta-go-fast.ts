import { type Algebra, defineSampler, type NoiseLevel, relativeSigma, type Sampler, type StepInput } from '@langevin/core';
import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkChoice } from '../check-option.ts';

const REJECTIONS = ['keep', 'reference'] as const;

export interface GottaGoFastOptions {
  /** Error of a step allowed relative to the value, > 0. @default 0.02; the paper uses 0.01 to 0.05 */
  readonly rtol?: number;
  /**
   * Error of a step allowed in units of the data, > 0; the larger of both counts.
   * @default 0.0078, two steps of 8-bit pixels in -1..1, the paper's
   */
  readonly atol?: number;
  /** First step in log(sigma / alpha), > 0. @default 0.01 */
  readonly firstStep?: number;
  /** Share of the step that the error would allow, 0..1. @default 0.9 */
  readonly safety?: number;
  /** Power of the error in the choice of the next step, > 0. @default 0.9 */
  readonly exponent?: number;
  /**
   * What an attempt after a rejected one draws: `keep` takes the same unit noise at the smaller step; `reference` draws again, which
   * favours draws that are accepted. On Gaussian images of 64 numbers the spread of both is the same up to chance, even at an rtol of 0.2.
   * With brownianTreeNoise() both take the path's own increment over the smaller step, as no attempt changes the path.
   *
   * @default 'keep'
   */
  readonly rejected?: (typeof REJECTIONS)[number];
  /** sigma / alpha from which the x0-prediction is taken as the clean end, > 0. @default 1e-3 */
  readonly sigmaMin?: number;
  /** Attempts from one level to the next. @default 10000 */
  readonly maxAttempts?: number;
}

/**
 * "Gotta go fast" (Jolicoeur-Martineau et al. 2021, arXiv:2105.14080, Algorithm 1): an adaptive solver of the reverse SDE. Euler and
 * Maruyama's step x' and a stochastic improved Euler step with the same noise; their mean x'' is taken where it is near x', and each image
 * has steps of its own. Two evaluations an attempt, rejected ones included.
 *
 * Steps are in u = log(sigma / alpha) at alpha = 1, where the SDE is dx = 2 (D - x) |du| + sqrt(2) sigma dw. Levels of the grid are where
 * it stops to be looked at; two are enough. The error is a mean over an image; that of an image of one number vanishes by chance now and
 * then, and the step after is too long.
 *
 * @throws UserError for options out of range, at alpha = 0, and when tolerances cannot be met
 * @example
 * const images = Float64Array.of(10, -10);
 * const algebra = arrayAlgebra({ items: 2 });
 * const options = {
 *   denoise: defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map(() => 0.5) }),
 *   levels: [sigmaLevel(10), CLEAN],
 *   noise: imageNoise({ seed: 0 }),
 *   algebra,
 * };
 * await sample({ ...options, sampler: gottaGoFast(), x: images }); // => [0.5, 0.5]
 */
export function gottaGoFast(options: GottaGoFastOptions = {}): Sampler {
  const {
    rtol = 0.02,
    atol = 0.0078,
    firstStep = 0.01,
    safety = 0.9,
    exponent = 0.9,
    rejected = 'keep',
    sigmaMin = 1e-3,
    maxAttempts = 10_000,
  } = readOptions('samplers/gotta-go-fast', options);
  checkNumber('samplers/gotta-go-fast', { rtol, atol, firstStep, exponent, sigmaMin }, { above: 0 });
  checkNumber('samplers/gotta-go-fast', { safety }, { above: 0, atMost: 1 });
  checkChoice('gotta-go-fast', { rejected }, REJECTIONS);
  checkNumber('samplers/gotta-go-fast', { maxAttempts }, { atLeast: 1, kind: 'integer' });
  return defineSampler({
    name: 'gotta-go-fast',
    order: 1,
    stochastic: true,
    paper: 'arXiv:2105.14080, Algorithm 1',
    step: async (input) => {
      const { from, to, denoise, algebra, state } = input;
      if (from.alpha === 0)
        throw new UserError(
          '[samplers/gotta-go-fast] the reverse SDE is infinite at alpha = 0: from.alpha=0. Start at a level with some signal, or '
            + 'use ddpm().',
        );
      const clean = to.sigma === 0;
      const end = clean ? sigmaMin : relativeSigma(to);
      const items = algebra.items(input.x);
      let sizes = Array.from({ length: items }, (_, i) => state.numbers[sizeName(i)] ?? firstStep);
      let x = algebra.linear([1 / from.alpha, input.x]);
      let before = x;
      let z: typeof x | undefined;
      let denoised = x;
      const sigmas = Array.from({ length: items }, () => relativeSigma(from));
      let kept = sigmas.map(() => 0);
      for (let attempt = 0; sigmas.some((sigma) => sigma > end); attempt++) {
        if (attempt === maxAttempts)
          throw new UserError(
            `[samplers/gotta-go-fast] too many attempts: maxAttempts=${maxAttempts}, at sigma / alpha=${sigmas.join(', ')}. Allow `
              + 'a larger error with rtol and atol.',
          );
        // An image that has arrived waits with steps of zero.
        const ahead = sigmas.map((sigma) => Math.max(0, Math.log(sigma / end)));
        const h = sizes.map((size, i) => Math.min(size, ahead[i]!));
        const next = h.map((size, i) => (size === ahead[i] ? Math.min(sigmas[i]!, end) : sigmas[i]! * Math.exp(-size)));
        const fresh = await input.noise({ from: sigmas.map(unitLevel), to: next.map(unitLevel) });
        z =
          z === undefined || rejected === 'reference' || input.noisePath === true
            ? fresh
            : algebra.linear([kept, z], [kept.map((keep) => 1 - keep), fresh]);
        const tried = await attemptStep({ ...input, x, z, h, sigmas, next });
        const errors = await errorOf(algebra, { ...tried, before }, { rtol, atol });
        const accepted = errors.map((error, i) => ahead[i] === 0 || error <= 1);
        const [take, leave] = [accepted.map(Number), accepted.map((yes) => Number(!yes))];
        x = algebra.linear([take, tried.average], [leave, x]);
        before = algebra.linear([take, tried.euler], [leave, before]);
        denoised = tried.denoised;
        await algebra.realize([x, before, z, denoised]);
        sizes = sizes.map((size, i) => (ahead[i] === 0 ? size : safety * h[i]! * Math.max(errors[i]!, 1e-10) ** -exponent));
        kept = leave;
        accepted.forEach((yes, i) => {
          if (yes) sigmas[i] = next[i]!;
        });
      }
      const numbers = { ...state.numbers, ...Object.fromEntries(sizes.map((size, i) => [sizeName(i), size])) };
      if (clean) denoised = await denoise(x, { alpha: 1, sigma: Math.min(end, relativeSigma(from)) });
      return { x: algebra.linear([to.alpha, clean ? denoised : x]), denoised, state: { ...state, numbers } };
    },
  });
}

const sizeName = (item: number): string => `step ${item}`;
/** At alpha = 1, as states between the levels are. */
const unitLevel = (sigma: number): NoiseLevel => ({ alpha: 1, sigma });

interface Attempt<T> extends StepInput<T> {
  readonly z: T;
  /** Of each item: the step, and sigma before and after it. */
  readonly h: readonly number[];
  readonly sigmas: readonly number[];
  readonly next: readonly number[];
}

interface Tried<T> {
  readonly euler: T;
  readonly average: T;
  readonly denoised: T;
}

/** Euler and Maruyama's step, and its mean with the improved one of the same noise. */
async function attemptStep<T>({ x, z, h, sigmas, next, denoise, algebra }: Attempt<T>): Promise<Tried<T>> {
  const pull = h.map((size) => 2 * size);
  const spread = (list: readonly number[]): number[] => list.map((sigma, i) => sigma * Math.sqrt(2 * h[i]!));
  const denoised = await denoise(x, sigmas.map(unitLevel));
  const euler = algebra.linear([pull.map((p) => 1 - p), x], [pull, denoised], [spread(sigmas), z]);
  const again = await denoise(euler, next.map(unitLevel));
  // x~ = x + 2 h (D' - x') + s' sqrt(2 h) z, and the mean with x'.
  const improved = algebra.linear([1, x], [pull.map((p) => -p), euler], [pull, again], [spread(next), z]);
  return { euler, average: algebra.linear([1 / 2, euler], [1 / 2, improved]), denoised };
}

function errorOf<T>(
  algebra: Algebra<T>,
  { euler, average, before }: Tried<T> & { readonly before: T },
  { rtol, atol }: { readonly rtol: number; readonly atol: number },
): Promise<readonly number[]> {
  return algebra.scaledRms(algebra.linear([1, euler], [-1, average]), { absolute: atol, relative: rtol, of: [euler, before] });
}
