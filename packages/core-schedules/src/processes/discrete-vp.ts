import { UserError } from '@langevin/tensor';
import { checkNumber } from '../check.ts';
import { defineNoiseProcess, variancePreserving, type NoiseProcess } from '../noise-process.ts';

const WHERE = 'core-schedules/discrete-vp';

/** Names of the beta sequences: {@link betaSequences} says what each is. */
export type BetaSequenceName = keyof typeof betaSequences;

interface BetaRange {
  readonly steps: number;
  readonly betaStart: number;
  readonly betaEnd: number;
}

const ramp = ({ steps, betaStart, betaEnd }: BetaRange, i: number): number => (steps === 1 ? betaStart : betaStart + ((betaEnd - betaStart) * i) / (steps - 1));

/** beta_i for i in 0..steps-1. */
export const betaSequences = {
  /** Evenly spaced (Ho et al. 2020, arXiv:2006.11239, section 4). */
  linear: (range: BetaRange, i: number): number => ramp(range, i),
  /** Evenly spaced in sqrt(beta): latent and Stable Diffusion, where it is also called "linear". */
  'scaled-linear': (range: BetaRange, i: number): number => ramp({ ...range, betaStart: Math.sqrt(range.betaStart), betaEnd: Math.sqrt(range.betaEnd) }, i) ** 2,
  /** From the cosine curve, at most 0.999 (Nichol and Dhariwal 2021, arXiv:2102.09672, eq. 17); takes no betaStart and betaEnd. */
  'squared-cosine': ({ steps }: BetaRange, i: number): number => {
    const alphaBar = (t: number): number => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2;
    return Math.min(0.999, 1 - alphaBar((i + 1) / steps) / alphaBar(i / steps));
  },
} as const;

const DEFAULT_ENDS: Record<BetaSequenceName, readonly [number, number]> = {
  linear: [1e-4, 0.02],
  'scaled-linear': [0.00085, 0.012],
  'squared-cosine': [0, 1],
};

export interface DiscreteVpOptions {
  /** A named sequence, or the trained betas themselves, each in (0, 1). @default 'linear' */
  readonly betas?: BetaSequenceName | readonly number[];
  /** Length of the chain for a named sequence, 2..100000. @default 1000 */
  readonly steps?: number;
  /** First beta. @default 1e-4 for linear, 0.00085 for scaled-linear: DDPM's and Stable Diffusion's, as published for 1000 steps */
  readonly betaStart?: number;
  /** Last beta. @default 0.02 for linear, 0.012 for scaled-linear */
  readonly betaEnd?: number;
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
 * Its terminal signal-to-noise ratio is as published, not zero: Stable Diffusion's ends at sigma / alpha = 14.61.
 *
 * Step i is at time (i + 1) / N, and networks are conditioned on i.
 *
 * @throws UserError when a beta is outside (0, 1)
 * @example
 * const process = discreteVp();
 * process.alphaBars[999]; // => 0.0000403583
 */
export function discreteVp(options: DiscreteVpOptions = {}): DiscreteNoiseProcess {
  const betas = Object.freeze(betasOf(options));
  const steps = betas.length;
  // Sums of log(1 - beta) keep the relative accuracy of 1 - alphaBar where it is smallest.
  let total = 0;
  const logAlphaBars = betas.map((beta) => (total += Math.log1p(-beta)));
  const lambdas = logAlphaBars.map((log) => log / 2 - Math.log(-Math.expm1(log)) / 2);
  const alphaBars = Object.freeze(logAlphaBars.map(Math.exp));
  const timeOfStep = (step: number): number => {
    checkNumber(WHERE, 'step', step, { min: 0, max: steps - 1, integer: true });
    return (step + 1) / steps;
  };
  const position = (t: number): number => Math.min(steps - 1, Math.max(0, snap(t * steps - 1)));
  const lambda = (t: number): number => {
    const at = position(t);
    const below = Math.floor(at);
    const fraction = at - below;
    return fraction === 0 ? lambdas[below]! : lambdas[below]! + fraction * (lambdas[below + 1]! - lambdas[below]!);
  };
  const process = defineNoiseProcess({
    name: 'discrete-vp',
    domain: { min: 1 / steps, max: 1 },
    geometry: variancePreserving,
    level: (t) => variancePreserving(lambda(t)),
    lambda,
    time: (value) => {
      const above = lambdas.findIndex((entry) => entry <= value);
      const [high, low] = [lambdas[above - 1]!, lambdas[above]!];
      return (above + (high - value) / (high - low)) / steps;
    },
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

function betasOf(options: DiscreteVpOptions): number[] {
  const { betas = 'linear', steps = 1000 } = options;
  if (typeof betas !== 'string') {
    checkNumber(WHERE, 'betas.length', betas.length, { min: 2, max: 100_000, integer: true });
    betas.forEach((beta, i) => checkBeta(`betas[${i}]`, beta));
    return [...betas];
  }
  const sequence = Object.hasOwn(betaSequences, betas) ? betaSequences[betas] : undefined;
  if (sequence === undefined) {
    throw new UserError(`[${WHERE}] unknown beta sequence: betas="${String(betas)}". Known: ${Object.keys(betaSequences).join(', ')}; or pass a list of numbers.`);
  }
  checkNumber(WHERE, 'steps', steps, { min: 2, max: 100_000, integer: true });
  const [first, last] = DEFAULT_ENDS[betas];
  const range = { steps, betaStart: options.betaStart ?? first, betaEnd: options.betaEnd ?? last };
  if (betas !== 'squared-cosine') {
    checkBeta('betaStart', range.betaStart);
    checkBeta('betaEnd', range.betaEnd);
  }
  return Array.from({ length: steps }, (_, i) => sequence(range, i));
}

function checkBeta(name: string, beta: unknown): void {
  checkNumber(WHERE, name, beta, { min: 0, max: 1, openMin: true, openMax: true });
}
