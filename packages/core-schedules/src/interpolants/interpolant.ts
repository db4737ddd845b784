import type { Algebra } from '@langevin/core';
import { checkNumber, UserError } from '@langevin/tensor';
import { gammaNamed, type Gamma, type GammaName } from './gamma.ts';

const WHERE = 'core-schedules/interpolant';

/** Factors of the two samples and of the noise between them. */
export interface InterpolantParts {
  readonly x0: number;
  readonly x1: number;
  readonly z: number;
}

/**
 * x_t = a(t) x0 + b(t) x1 + gamma(t) z between two distributions, at t = 0 and at t = 1, with unit noise z on the way (Albergo et al. 2023,
 * arXiv:2303.08797). Neither end need be noise, so levels do not describe it, and it has an interface of its own. A one-sided interpolant,
 * whose x1 is noise and which has no z, is a noise process: flow() is the linear one, trigflow({ sigmaData: 1 }) the trigonometric.
 *
 * Sampling leads from t = 1 to t = 0, as everywhere here; the paper's own time runs the other way.
 */
export interface Interpolant {
  readonly name: string;
  readonly parts: (t: number) => InterpolantParts;
  /** The derivatives of the parts by t; that of z is infinite at both ends for the brownian gamma. */
  readonly rates: (t: number) => InterpolantParts;
  /** gamma gamma', finite everywhere. */
  readonly gammaProduct: (t: number) => number;
}

/** Factors a and b of the two samples. */
const paths = {
  /** (1 - t) x0 + t x1 */
  linear: { parts: (t: number) => [1 - t, t], rates: () => [-1, 1] },
  /** cos(pi t / 2) x0 + sin(pi t / 2) x1: keeps the variance of independent samples, where gamma is none. */
  trigonometric: {
    parts: (t: number) => [Math.sin((Math.PI / 2) * (1 - t)), Math.sin((Math.PI / 2) * t)],
    rates: (t: number) => [(-Math.PI / 2) * Math.sin((Math.PI / 2) * t), (Math.PI / 2) * Math.sin((Math.PI / 2) * (1 - t))],
  },
  /** cos(pi t)^2 of x0 until t = 1/2, of x1 from there: by way of pure noise, with gamma `sine-squared`. */
  'encoding-decoding': {
    parts: (t: number) => (t < 0.5 ? [Math.cos(Math.PI * t) ** 2, 0] : [0, Math.cos(Math.PI * t) ** 2]),
    rates: (t: number) => (t < 0.5 ? [-Math.PI * Math.sin(2 * Math.PI * t), 0] : [0, -Math.PI * Math.sin(2 * Math.PI * t)]),
  },
} as const satisfies Record<string, { parts: (t: number) => readonly [number, number]; rates: (t: number) => readonly [number, number] }>;

export interface InterpolantOptions {
  /** How x0 becomes x1. @default 'linear' */
  readonly path?: keyof typeof paths;
  /** A named gamma, or one of your own. @default 'brownian' */
  readonly gamma?: GammaName | Gamma;
}

/**
 * @throws UserError for unknown names, and from its functions for times outside [0, 1]
 * @example
 * interpolant({ gamma: 'quadratic' }).parts(0.5); // => { x0: 0.5, x1: 0.5, z: 0.25 }
 */
export function interpolant(options: InterpolantOptions = {}): Interpolant {
  const { path = 'linear', gamma = 'brownian' } = options;
  if (!Object.hasOwn(paths, path))
    throw new UserError(`[${WHERE}] unknown path: path="${String(path)}". Known: ${Object.keys(paths).join(', ')}.`);
  const noise = typeof gamma === 'string' ? gammaNamed(gamma) : gamma;
  const between = paths[path];
  const checked =
    <R>(fn: (t: number) => R) =>
    (t: number): R => {
      checkNumber(WHERE, { t }, { atLeast: 0, atMost: 1 });
      return fn(t);
    };
  return Object.freeze({
    name: `${path} interpolant`,
    parts: checked((t) => {
      const [x0, x1] = between.parts(t);
      return { x0, x1, z: noise.value(t) };
    }),
    rates: checked((t) => {
      const [x0, x1] = between.rates(t);
      return { x0, x1, z: noise.rate(t) };
    }),
    gammaProduct: checked(noise.product),
  });
}

/** What is known of a state x at time t: the expected samples and the score of its density. */
export interface InterpolantEstimate<T> {
  /** E[x0 | x] */
  readonly x0: T;
  /** E[x1 | x] */
  readonly x1: T;
  /** -E[z | x] / gamma; any value where gamma is 0 throughout. */
  readonly score: T;
}

export interface InterpolantFieldOptions<T> {
  readonly interpolant: Interpolant;
  readonly algebra: Algebra<T>;
  readonly t: number;
  readonly estimate: InterpolantEstimate<T>;
}

/** b = E[dx/dt | x], the velocity of the ODE that carries one distribution into the other: a' E[x0] + b' E[x1] - gamma gamma' score. */
export function interpolantVelocity<T>({
  interpolant: { rates, gammaProduct },
  algebra,
  t,
  estimate: { x0, x1, score },
}: InterpolantFieldOptions<T>): T {
  const by = rates(t);
  return algebra.linear([by.x0, x0], [by.x1, x1], [-gammaProduct(t), score]);
}

/**
 * The drift of the SDEs that have the same densities at every time, for any diffusion epsilon >= 0: dx = (b + epsilon score) dt + sqrt(2
 * epsilon) dw with t rising, or dx = (b - epsilon score) dt + sqrt(2 epsilon) dw with t falling, dt < 0 (arXiv:2303.08797, theorem 2.21).
 */
export function interpolantDrift<T>(
  options: InterpolantFieldOptions<T> & { readonly epsilon: number; readonly direction: 'rising' | 'falling' },
): T {
  const {
    interpolant: { rates, gammaProduct },
    algebra,
    t,
    epsilon,
    direction,
    estimate: { x0, x1, score },
  } = options;
  checkNumber(WHERE, { epsilon }, { atLeast: 0 });
  if (direction !== 'rising' && direction !== 'falling')
    throw new UserError(`[${WHERE}] unknown direction: direction="${String(direction)}". Known: rising, falling.`);
  const by = rates(t);
  return algebra.linear([by.x0, x0], [by.x1, x1], [(direction === 'rising' ? epsilon : -epsilon) - gammaProduct(t), score]);
}
