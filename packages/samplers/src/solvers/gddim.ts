import { type Algebra, defineSampler, type Evaluation, type NoiseLevel, type Sampler, type StepInput, type Term } from '@langevin/core';
import {
  addMatrix2,
  inverseMatrix2,
  multiplyMatrix2,
  type BlurLevel,
  type Blurring,
  type CriticallyDamped,
  type Matrix2,
  type PairLevel,
} from '@langevin/core-schedules';
import { readOptions, UserError } from '@langevin/tensor';
import { checkChoice, checkMethods } from '../check-option.ts';
import { lagrange } from '../maths/lagrange.ts';
import { remember } from '../maths/multistep.ts';
import { integrate } from '../maths/quadrature.ts';
import { ddim } from './ddim.ts';
import { deis } from './deis.ts';

export interface GddimOptions {
  /** Evaluations that a step is made of, its own and those before: 1 is gDDIM, more are its multistep predictor. @default 1 */
  readonly order?: 1 | 2 | 3 | 4;
  /**
   * Whether each step ends with an evaluation of its result, and is taken again with a polynomial through that one too (eq. 20): twice the
   * evaluations, and one order more.
   *
   * @default 'never'
   */
  readonly corrector?: 'always' | 'never';
  /** The process of the levels, `criticallyDamped()` or `blurring()`: what lies between the levels is needed for more than plain gDDIM. */
  readonly process?: Pick<CriticallyDamped, 'level' | 'diffusion'> | Pick<Blurring, 'level'>;
}

type Settings = Required<Omit<GddimOptions, 'process'>> & Pick<GddimOptions, 'process'>;

/**
 * gDDIM (Zhang et al. 2022, arXiv:2206.05564, eq. 18 to 20), DDIM and DEIS for diffusions that are not isotropic: u' = Psi u + sum of C_j
 * epsilon_j, where an ordinary level has the numbers alpha and
 * sigma for the matrices A and R, and C_j integrates the j-th Lagrange polynomial in time. On levels of `criticallyDamped()` a state is a
 * pair, positions and velocities put together along the batch (`algebra.concat([x, v])`), and the denoiser gives the clean pair in the same
 * form: A^-1 (u - R epsilon). On levels of `blurring()` a state is a picture's cosine transform, in which both matrices are
 * diagonal, and so is what the denoiser gives (`inFrequencies()`). On all other levels it is DDIM, or DEIS of the same order.
 *
 * With R from gDDIM's own equation, data that are one point are reached exactly in one step; with a triangular root they are not. A step to
 * time 0 is of first order.
 *
 * @throws UserError when an option is not among the known ones, and from a step on pairs or spectra that needs the process and has none
 * @example
 * const process = criticallyDamped();
 * gddim({ order: 3, process }).order; // => 3
 */
export function gddim(given: GddimOptions = {}): Sampler {
  const options = readOptions('samplers/gddim', given);
  const settings: Settings = { order: 1, corrector: 'never', ...options };
  const { order, corrector, process } = settings;
  checkChoice('gddim', { order }, [1, 2, 3, 4]);
  checkChoice('gddim', { corrector }, ['always', 'never']);
  if (process !== undefined)
    checkMethods(
      'gddim',
      { process },
      {
        methods: ['level'],
        remedy: 'Pass the process that the levels are of, criticallyDamped() or blurring().',
      },
    );
  const isotropic = order === 1 ? ddim() : deis({ order });
  return defineSampler({
    name: 'gddim',
    order: corrector === 'always' ? order + 1 : order,
    stochastic: false,
    paper: 'arXiv:2206.05564, eq. 18 to 20',
    step: async (input) => {
      const { x, from, to, denoise } = input;
      const combine = combinationFor(input, settings);
      if (combine === undefined) {
        if (corrector === 'always')
          throw new UserError(
            '[samplers/gddim] the corrector works on pairs of position and velocity and on blurred spectra: corrector="always". '
              + 'Take unipc() on ordinary levels.',
          );
        return isotropic.step(input);
      }
      const now = { at: from, x, denoised: await denoise(x, from) };
      const ends = to.sigma === 0 || from.alpha === 0;
      const used = ends ? [now] : [now, ...input.state.history].slice(0, order);
      const predicted = combine(used);
      const state = remember(input.state, now, order - 1);
      if (corrector === 'never' || ends) return { x: predicted, denoised: now.denoised, state };
      const end = { at: to, x: predicted, denoised: await denoise(predicted, to) };
      return { x: combine([...used, end]), denoised: now.denoised, state };
    },
  });
}

/** How evaluations make the end of a step where levels are not isotropic: the first is that of its start. */
function combinationFor<T>(
  { x, from, to, algebra }: StepInput<T>,
  { process }: Settings,
): ((evaluations: readonly Evaluation<T>[]) => T) | undefined {
  if (isPair(from) && isPair(to)) return (evaluations) => algebra.concat(rows(algebra, { from, to, x, process }, evaluations));
  if (isBlurred(from) && isBlurred(to)) return (evaluations) => spectrum(algebra, { from, to, x, process }, evaluations);
  return undefined;
}

interface PairStep<T> {
  readonly process: Settings['process'];
  readonly from: PairLevel;
  readonly to: PairLevel;
  readonly x: T;
}

/** Positions and velocities at the end of a step: Psi u + sum of C_j epsilon_j with epsilon = R^-1 (u - A D). */
function rows<T>(algebra: Algebra<T>, step: PairStep<T>, evaluations: readonly Evaluation<T>[]): readonly [T, T] {
  const shares = evaluations.length === 1 ? [plainShare(step)] : timeShares(step, evaluations);
  const halves = (x: T): readonly [T, T] => algebra.split(x, 2) as unknown as readonly [T, T];
  let own = multiplyMatrix2(step.to.mean, inverseMatrix2(step.from.mean));
  const parts: (readonly [Matrix2, readonly [T, T]])[] = [];
  evaluations.forEach(({ at, x, denoised }, j) => {
    const { root, mean } = at as PairLevel;
    const noise = multiplyMatrix2(shares[j]!, inverseMatrix2(root));
    if (x === step.x) own = addMatrix2(own, 1, noise);
    else parts.push([noise, halves(x)]);
    parts.push([addMatrix2([0, 0, 0, 0], -1, multiplyMatrix2(noise, mean)), halves(denoised)]);
  });
  parts.unshift([own, halves(step.x)]);
  const row = (k: 0 | 2): T =>
    algebra.linear(
      ...parts.flatMap(([m, [position, velocity]]): Term<T>[] => [
        [m[k], position],
        [m[k + 1]!, velocity],
      ]),
    );
  return [row(0), row(2)];
}

/** C of one evaluation at the start of the step, in closed form for any root: R' - Psi R. */
function plainShare<T>({ from, to }: PairStep<T>): Matrix2 {
  return addMatrix2(to.root, -1, multiplyMatrix2(multiplyMatrix2(to.mean, inverseMatrix2(from.mean)), from.root));
}

/**
 * C of each evaluation: the integral over the step of Psi(to, t) G G^T R(t)^-T / 2 times its Lagrange polynomial in time, in log time, as
 * the root is singular at 0.
 */
function timeShares<T>({ from, to, process }: PairStep<T>, evaluations: readonly Evaluation<T>[]): readonly Matrix2[] {
  if (process === undefined || !('diffusion' in process))
    throw new UserError(
      '[samplers/gddim] more than one evaluation on pairs needs the roots between levels: '
        + `process=${process === undefined ? 'undefined' : 'blurring'}. Pass process: criticallyDamped(), that of the levels.`,
    );
  const length = to.time - from.time;
  const polynomials = lagrange(evaluations.map(({ at }) => ((at as PairLevel).time - from.time) / length));
  const flat = integrate(
    (logTime) => {
      const time = Math.exp(logTime);
      const { mean, root } = process.level(time);
      const [a, b, c, d] = inverseMatrix2(root);
      const kernel = multiplyMatrix2(multiplyMatrix2(multiplyMatrix2(to.mean, inverseMatrix2(mean)), process.diffusion), [a, c, b, d]);
      const u = (time - from.time) / length;
      return polynomials.flatMap((polynomial) => {
        const value = (time / 2) * polynomial.reduceRight((sum, coefficient) => sum * u + coefficient, 0);
        return kernel.map((entry) => entry * value);
      });
    },
    { from: Math.log(from.time), to: Math.log(to.time) },
  );
  return evaluations.map((_, j) => flat.slice(4 * j, 4 * j + 4) as unknown as Matrix2);
}

function isPair(level: NoiseLevel): level is PairLevel {
  const { mean, root } = level as { readonly mean?: Matrix2; readonly root?: Matrix2 };
  return mean !== undefined && root !== undefined;
}

interface BlurStep<T> {
  readonly process: Settings['process'];
  readonly from: BlurLevel;
  readonly to: BlurLevel;
  readonly x: T;
}

/** The spectrum at the end of a step: each frequency on its own, with numbers for A and R. */
function spectrum<T>(algebra: Algebra<T>, step: BlurStep<T>, evaluations: readonly Evaluation<T>[]): T {
  const { from, to, x } = step;
  if (evaluations.length === 1) {
    // Psi u + (R' - Psi R) epsilon, without the quotient of gains.
    const ratio = to.sigma / from.sigma;
    return algebra.linear(
      [ratio, x],
      [
        1,
        filtered(
          algebra,
          to.gains.map((gain, k) => gain - ratio * from.gains[k]!),
          evaluations[0]!.denoised,
        ),
      ],
    );
  }
  const shares = frequencyShares(step, evaluations);
  const terms = evaluations.flatMap(({ at, x: state, denoised }, j): T[] => {
    const { sigma, gains } = at as BlurLevel;
    const noise = shares[j]!.map((share) => share / sigma);
    const own = state === x ? noise.map((share, k) => to.gains[k]! / from.gains[k]! + share) : noise;
    return [
      filtered(algebra, own, state),
      filtered(
        algebra,
        noise.map((share, k) => -share * gains[k]!),
        denoised,
      ),
    ];
  });
  return algebra.linear(...terms.map((term): Term<T> => [1, term]));
}

/**
 * C of each evaluation and frequency: the integral over the step of its Lagrange polynomial in time over d(sigma / gain), times the gain at
 * the end. By parts, so that the shares of all evaluations add up to that of one, whatever the quadrature.
 */
function frequencyShares<T>({ from, to, process }: BlurStep<T>, evaluations: readonly Evaluation<T>[]): readonly Float64Array[] {
  if (process === undefined || 'diffusion' in process)
    throw new UserError(
      '[samplers/gddim] more than one evaluation on spectra needs the gains between levels: '
        + `process=${process === undefined ? 'undefined' : 'criticallyDamped'}. Pass process: blurring(), that of the levels.`,
    );
  const length = to.time - from.time;
  const polynomials = lagrange(evaluations.map(({ at }) => ((at as BlurLevel).time - from.time) / length));
  const valueAt = (polynomial: readonly number[], u: number): number =>
    polynomial.reduceRight((sum, coefficient) => sum * u + coefficient, 0);
  const slopes = polynomials.map((polynomial) => polynomial.slice(1).map((coefficient, j) => (j + 1) * coefficient));
  const frequencies = to.gains.length;
  // In units of the step.
  const inner = integrate(
    (u) => {
      const { sigma, gains } = process.level(from.time + u * length);
      return slopes.flatMap((slope) => {
        const factor = valueAt(slope, u) * sigma;
        return Array.from(gains, (gain) => factor / gain);
      });
    },
    { from: 0, to: 1 },
  );
  return polynomials.map((polynomial, j) =>
    to.gains.map(
      (gain, k) =>
        valueAt(polynomial, 1) * to.sigma - gain * ((valueAt(polynomial, 0) * from.sigma) / from.gains[k]! + inner[j * frequencies + k]!),
    ),
  );
}

/** A state of pictures of so many frequencies, each times its factor. */
function filtered<T>(algebra: Algebra<T>, factors: Float64Array, x: T): T {
  const size = algebra.size(x);
  if (size % factors.length !== 0)
    throw new UserError(
      `[samplers/gddim] the state is not whole spectra of the levels' size: elements=${size}, frequencies=${factors.length}. Make `
        + `blurring() for the pictures' height and width.`,
    );
  const all = new Float64Array(size);
  for (let at = 0; at < size; at += factors.length) all.set(factors, at);
  return algebra.multiply(algebra.fromHost(all, x), x);
}

function isBlurred(level: NoiseLevel): level is BlurLevel {
  return (level as { readonly gains?: Float64Array }).gains !== undefined;
}
