import type { Prediction } from './prediction.ts';
import type { NoiseLevel } from '@langevin/core';
import { checkNumber, logistic, shownValue, UserError } from '@langevin/tensor';

/** A closed range of times. */
export interface TimeRange {
  readonly min: number;
  readonly max: number;
}

/** How a level moves in time: derivatives by t, all towards more noise as t grows. Infinite where the formula is, at the ends. */
export interface ProcessRates {
  /** d alpha / dt, <= 0. */
  readonly alpha: number;
  /** d sigma / dt, >= 0. */
  readonly sigma: number;
  /** d lambda / dt, < 0. */
  readonly lambda: number;
}

/**
 * The forward SDE dx = drift x dt + sqrt(diffusion) dw, whose marginals are those of the process (Song et al. 2021, arXiv:2011.13456, eq.
 * 5).
 */
export interface ProcessSde {
  /** f(t) = d log alpha / dt, <= 0. */
  readonly drift: number;
  /** g(t)^2 = d sigma^2 / dt - 2 f sigma^2, >= 0. */
  readonly diffusion: number;
}

/**
 * A forward process x_t = alpha(t) x0 + sigma(t) epsilon over times in [0, 1], where t = 1 is noise: host maths in float64.
 *
 * lambda(t) = log(alpha / sigma) falls strictly over the domain, so that time, lambda and the level determine each other.
 */
export interface NoiseProcess {
  readonly name: string;
  /** Times at which the process is defined, within [0, 1]. */
  readonly domain: TimeRange;
  /** Times between which samplers work by default: lambda is finite at both ends unless the process has no such choice. */
  readonly span: TimeRange;
  readonly alpha: (t: number) => number;
  readonly sigma: (t: number) => number;
  /** log(alpha / sigma); may be -Infinity at t = 1 and Infinity at t = 0. */
  readonly lambda: (t: number) => number;
  readonly level: (t: number) => NoiseLevel;
  /** The derivatives of alpha, sigma and lambda by t, in closed form. The probability-flow ODE is dx/dt = alpha' x0 + sigma' epsilon. */
  readonly rates: (t: number) => ProcessRates;
  /** Drift and diffusion of the forward SDE at t; a flow's are infinite at t = 1. */
  readonly sde: (t: number) => ProcessSde;
  /** The time of a lambda, clamped to the domain: lambda(time(l)) = l wherever the process reaches l. */
  readonly time: (lambda: number) => number;
  /**
   * The level of any lambda in [-Infinity, Infinity] in the units of this process (alpha^2 + sigma^2 = 1, alpha = 1, ...), also
   * beyond what the process reaches.
   */
  readonly levelOf: (lambda: number) => NoiseLevel;
  /** The number by which networks trained on this process know the time, by the custom of its paper. */
  readonly conditioning: (t: number) => number;
  /** For a chain of N steps: N. Step i in 0..N-1 is at time (i + 1) / N. Absent where time is continuous. */
  readonly steps?: number;
  /** What models of this process are trained and sampled with, where nothing else is asked for. */
  readonly usual: UsualChoices;
  /** What diffusers calls this process. @default nothing that would stand for it */
  readonly scheduler?: SchedulerTwin;
}

/** A scheduler of diffusers that stands for a process and one way of reading networks. */
export interface SchedulerTwin {
  /** The prediction, or the name of the preconditioning, of the networks that it is for. */
  readonly network: string;
  /** Its `scheduler_config.json`, `_class_name` included; the preconditioning may add entries of its own. */
  readonly config: Readonly<Record<string, string | number>>;
}

/** What the paper of a process goes with it, by the names that registries have. */
export interface UsualChoices {
  /** What a network predicts. @default 'epsilon' */
  readonly prediction?: Prediction;
  /** In place of a prediction. @default none */
  readonly preconditioning?: string;
  /** Distribution of the noise levels trained on. @default 'uniform' */
  readonly levels?: string;
  /** Which levels samplers visit, with its options. @default 'trailing', even in time from the noisiest */
  readonly spacing?: { readonly name: string; readonly options?: Readonly<Record<string, number>> };
  /** @default 'dpmpp-2m', of second order, which begins at pure noise too */
  readonly sampler?: string;
}

/** How the pair (alpha, sigma) is scaled: a function of lambda alone. */
export type Geometry = (lambda: number) => NoiseLevel;

/**
 * alpha^2 + sigma^2 = 1.
 *
 * @example
 * const { alpha, sigma } = variancePreserving(1);
 * alpha ** 2 + sigma ** 2; // => 1.000
 */
export const variancePreserving: Geometry = (lambda) => ({
  alpha: Math.sqrt(logistic(2 * lambda)),
  sigma: Math.sqrt(logistic(-2 * lambda)),
});

/**
 * alpha = 1; pure noise has no finite level here.
 *
 * @example
 * varianceExploding(0); // => { alpha: 1, sigma: 1 }
 */
export const varianceExploding: Geometry = (lambda) => {
  if (lambda === -Infinity)
    throw new UserError('[core-schedules/process] pure noise has no level where alpha = 1: lambda=-Infinity. Start at a finite sigma.');
  return { alpha: 1, sigma: Math.exp(-lambda) };
};

/**
 * alpha + sigma = 1.
 *
 * @example
 * straightFlow(0); // => { alpha: 0.5, sigma: 0.5 }
 */
export const straightFlow: Geometry = (lambda) => ({ alpha: logistic(lambda), sigma: logistic(-lambda) });

/**
 * Whether levels are those of a straight path, alpha + sigma = 1.
 *
 * @example
 * [isStraight(flow()), isStraight(edm())]; // => [true, false]
 */
export function isStraight(process: NoiseProcess): boolean {
  return process.levelOf(0).alpha === 0.5;
}

/**
 * Whether levels have unit power, alpha^2 + sigma^2 = 1.
 *
 * @example
 * [isVariancePreserving(vpLinear()), isVariancePreserving(edm())]; // => [true, false]
 */
export function isVariancePreserving(process: NoiseProcess): boolean {
  const { alpha, sigma } = process.levelOf(1);
  return Math.abs(alpha ** 2 + sigma ** 2 - 1) < 1e-12;
}

/** What an author of a process states; {@link defineNoiseProcess} adds the checks and the rest. */
export interface NoiseProcessDefinition {
  readonly name: string;
  /** @default [0, 1] */
  readonly domain?: TimeRange;
  /** @default the domain */
  readonly span?: TimeRange;
  readonly geometry: Geometry;
  readonly level: (t: number) => NoiseLevel;
  /** The derivatives of alpha and sigma by t; that of lambda follows. */
  readonly rates: (t: number) => Pick<ProcessRates, 'alpha' | 'sigma'>;
  /** Where the formulas of {@link ProcessSde} are 0 / 0 at an end, or cancel. @default f and g^2 from level and rates */
  readonly sde?: (t: number) => ProcessSde;
  /** Without cancellation where alpha or sigma nears 1; may be infinite at the ends. */
  readonly lambda: (t: number) => number;
  /** Inverse of lambda over the domain. */
  readonly time: (lambda: number) => number;
  readonly conditioning: (t: number) => number;
  readonly steps?: number;
  /** @default epsilon, uniform levels, a trailing spacing, DPM-Solver++(2M) */
  readonly usual?: UsualChoices;
  /** @default none */
  readonly scheduler?: SchedulerTwin;
}

/**
 * A frozen process from its formulas, with times checked and the inverse clamped to the domain.
 *
 * @throws UserError from every function of t, when t is outside the domain
 * @example
 * const halved = defineNoiseProcess({
 *   name: 'halved', geometry: straightFlow, level: (t) => ({ alpha: 1 - t, sigma: t }), rates: () => ({ alpha: -1, sigma: 1 }),
 *   lambda: (t) => Math.log((1 - t) / t), time: (lambda) => 1 / (1 + Math.exp(lambda)), conditioning: (t) => t,
 * });
 * halved.level(0.25); // => { alpha: 0.75, sigma: 0.25 }
 */
export function defineNoiseProcess(definition: NoiseProcessDefinition): NoiseProcess {
  const { name, geometry, conditioning, steps, scheduler, usual = {}, domain = { min: 0, max: 1 } } = definition;
  const where = `core-schedules/${name}`;
  const checked =
    <R>(fn: (t: number) => R) =>
    (t: number): R => {
      checkNumber(where, { t }, { atLeast: domain.min, atMost: domain.max });
      return fn(t);
    };
  const level = checked((t) => Object.freeze({ ...definition.level(t) }));
  const ends = { first: definition.lambda(domain.min), last: definition.lambda(domain.max) };
  const time = (lambda: number): number => {
    if (Number.isNaN(lambda)) throw new UserError(`[${where}] lambda is not a number: lambda=NaN. Pass log(alpha / sigma).`);
    if (lambda >= ends.first) return domain.min;
    if (lambda <= ends.last) return domain.max;
    return Math.min(domain.max, Math.max(domain.min, definition.time(lambda)));
  };
  return Object.freeze({
    name,
    domain,
    span: definition.span ?? domain,
    alpha: (t: number) => level(t).alpha,
    sigma: (t: number) => level(t).sigma,
    lambda: checked(definition.lambda),
    level,
    rates: checked((t) => {
      const { alpha, sigma } = definition.level(t);
      const by = definition.rates(t);
      // alpha' / alpha and -sigma' / sigma have one sign, so this does not cancel. alpha = 1 has no part in it.
      return Object.freeze({ alpha: by.alpha, sigma: by.sigma, lambda: (by.alpha === 0 ? 0 : by.alpha / alpha) - by.sigma / sigma });
    }),
    sde: checked((t) => {
      if (definition.sde !== undefined) return Object.freeze({ ...definition.sde(t) });
      const { alpha, sigma } = definition.level(t);
      const by = definition.rates(t);
      const drift = by.alpha === 0 ? 0 : by.alpha / alpha;
      return Object.freeze({ drift, diffusion: 2 * sigma * by.sigma - 2 * drift * sigma ** 2 });
    }),
    time,
    levelOf: (lambda: number) => Object.freeze({ ...geometry(lambda) }),
    conditioning: checked(conditioning),
    usual: Object.freeze({ ...usual }),
    ...(steps === undefined ? {} : { steps }),
    ...(scheduler && { scheduler: Object.freeze({ ...scheduler, config: Object.freeze({ ...scheduler.config }) }) }),
  });
}

/** Throws a UserError unless the value is a process. `where` is "package/part". */
export function checkProcess(where: string, process: unknown): asserts process is NoiseProcess {
  const known = typeof process === 'object' && process !== null && 'level' in process && 'domain' in process;
  if (known && typeof process.level === 'function') return;
  throw new UserError(`[${where}] this is no noise process: process=${shownValue(process)}. Pass one, such as flow() or vpLinear().`);
}
