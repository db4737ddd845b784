import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { betasOf, type BetaOptions } from '../chain/betas.ts';
import { betasOfLambdas, betweenSteps, lambdasOfBetas, logAlphaBar, positionOfLambda, withZeroTerminal } from '../chain/lambdas.ts';
import { defineNoiseProcess, variancePreserving, type NoiseProcess } from '../noise-process.ts';

const WHERE = 'core-schedules/discrete-vp';
const TERMINALS = ['published', 'zero'] as const;

export interface DiscreteVpOptions extends BetaOptions {
  /**
   * What is left of the signal after the last step: as the betas have it, or nothing, by the rescaling of Lin et al. 2023
   * (arXiv:2305.08891, algorithm 1). Then the last level is pure noise, of which epsilon says nothing: such models predict v.
   *
   * @default 'published'
   */
  readonly terminalSnr?: (typeof TERMINALS)[number];
  /** Divides the signal-to-noise ratio of every step, > 0, before the terminal one is set. @default 1; CogVideoX uses 3 */
  readonly snrShift?: number;
}

/** A chain of N steps; between them lambda is linear in time. */
export interface DiscreteNoiseProcess extends NoiseProcess {
  readonly steps: number;
  /** beta_i, i in 0..N-1. */
  readonly betas: readonly number[];
  /** alpha_i^2, the cumulative product of 1 - beta. */
  readonly alphaBars: readonly number[];
  /** Time of step i in 0..N-1: (i + 1) / N. */
  readonly timeOfStep: (step: number) => number;
}

/**
 * The DDPM chain q(x_i | x_{i-1}) = N(sqrt(1 - beta_i) x_{i-1}, beta_i I) (Ho et al. 2020, arXiv:2006.11239, eq. 2).
 * Its terminal signal-to-noise ratio is as published, not zero, unless asked for: Stable Diffusion's ends at sigma / alpha = 14.61.
 *
 * Step i is at time (i + 1) / N, and networks are conditioned on i.
 *
 * @throws UserError when a beta is outside (0, 1); the last of a list may be 1
 * @example
 * const process = discreteVp();
 * process.alphaBars[999]; // => 0.0000403583
 */
export function discreteVp(options: DiscreteVpOptions = {}): DiscreteNoiseProcess {
  const { terminalSnr = 'published', snrShift = 1 } = readOptions('core-schedules/discrete-vp', options);
  if (!TERMINALS.includes(terminalSnr))
    throw new UserError(`[${WHERE}] unknown terminal signal: terminalSnr="${String(terminalSnr)}". Known: ${TERMINALS.join(', ')}.`);
  checkNumber(WHERE, { snrShift }, { above: 0 });
  const given = betasOf(options);
  const shifted = lambdasOfBetas(given).map((lambda) => lambda - Math.log(snrShift) / 2);
  const lambdas = terminalSnr === 'zero' ? withZeroTerminal(shifted) : shifted;
  const steps = lambdas.length;
  const betas = Object.freeze(terminalSnr === 'zero' || snrShift !== 1 ? betasOfLambdas(lambdas) : given);
  const alphaBars = Object.freeze(lambdas.map((lambda) => Math.exp(logAlphaBar(lambda))));
  const timeOfStep = (step: number): number => {
    checkNumber(WHERE, { step }, { atLeast: 0, atMost: steps - 1, kind: 'integer' });
    return (step + 1) / steps;
  };
  const position = (t: number): number => Math.min(steps - 1, Math.max(0, snap(t * steps - 1)));
  const lambda = (t: number): number => betweenSteps(lambdas, position(t)).lambda;
  const process = defineNoiseProcess({
    name: 'discrete-vp',
    domain: { min: 1 / steps, max: 1 },
    geometry: variancePreserving,
    level: (t) => variancePreserving(lambda(t)),
    rates: (t) => {
      // With r = alpha / sigma, alpha = r sigma and sigma = (1 + r^2)^(-1/2).
      const point = betweenSteps(lambdas, position(t));
      const { alpha, sigma } = variancePreserving(point.lambda);
      const rate = steps * point.ratioRate;
      return { alpha: sigma ** 3 * rate, sigma: -alpha * sigma ** 2 * rate };
    },
    lambda,
    time: (value) => (positionOfLambda(lambdas, value) + 1) / steps,
    conditioning: position,
    steps,
  });
  return Object.freeze({ ...process, steps, betas, alphaBars, timeOfStep });
}

/** Times such as (i + 1) / N come back as whole steps in spite of rounding. */
function snap(position: number): number {
  const nearest = Math.round(position);
  return Math.abs(position - nearest) < 1e-9 * (1 + nearest) ? nearest : position;
}
