import { checkNumber, UserError } from '@langevin/tensor';

const WHERE = 'core-schedules/discrete-vp';

interface BetaRange {
  readonly steps: number;
  readonly betaStart: number;
  readonly betaEnd: number;
}

const ramp = ({ steps, betaStart, betaEnd }: BetaRange, i: number): number =>
  steps === 1 ? betaStart : betaStart + ((betaEnd - betaStart) * i) / (steps - 1);

/** beta of step i from a curve of the cumulative product, at most 0.999. */
const fromCurve = (alphaBar: (t: number) => number, { steps }: BetaRange, i: number): number =>
  Math.min(0.999, 1 - alphaBar((i + 1) / steps) / alphaBar(i / steps));

/** beta_i for i in 0..steps-1. */
export const betaSequences = {
  /** Evenly spaced (Ho et al. 2020, arXiv:2006.11239, section 4). */
  linear: (range: BetaRange, i: number): number => ramp(range, i),
  /** Evenly spaced in sqrt(beta): latent and Stable Diffusion, where it is also called "linear". */
  'scaled-linear': (range: BetaRange, i: number): number =>
    ramp({ ...range, betaStart: Math.sqrt(range.betaStart), betaEnd: Math.sqrt(range.betaEnd) }, i) ** 2,
  /** From the cosine curve, at most 0.999 (Nichol and Dhariwal 2021, arXiv:2102.09672, eq. 17); takes no betaStart and betaEnd. */
  'squared-cosine': (range: BetaRange, i: number): number =>
    fromCurve((t) => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2, range, i),
  /** A sigmoid from -6 to 6 between the two betas (GeoDiff, Xu et al. 2022, arXiv:2203.02923). */
  sigmoid: (range: BetaRange, i: number): number =>
    range.betaStart + (range.betaEnd - range.betaStart) / (1 + Math.exp(6 - (12 * i) / (range.steps - 1))),
  /**
   * log SNR by the quantiles of a Laplace distribution (Hang et al. 2024, arXiv:2407.03297), as in diffusers; takes no betaStart and
   * betaEnd.
   */
  laplace: (range: BetaRange, i: number): number =>
    fromCurve(
      (t) => {
        const snr = Math.exp(-0.5 * Math.sign(0.5 - t) * Math.log(1 - 2 * Math.abs(0.5 - t) + 1e-6));
        return Math.sqrt(snr / (1 + snr));
      },
      range,
      i,
    ),
} as const;

/** Names of the beta sequences: {@link betaSequences} says what each is. */
export type BetaSequenceName = keyof typeof betaSequences;

const DEFAULT_ENDS: Record<BetaSequenceName, readonly [number, number] | undefined> = {
  linear: [1e-4, 0.02],
  'scaled-linear': [0.00085, 0.012],
  'squared-cosine': undefined,
  sigmoid: [1e-4, 0.02],
  laplace: undefined,
};

export interface BetaOptions {
  /** A named sequence, or the trained betas themselves, each in (0, 1); the last may be 1, which ends in pure noise. @default 'linear' */
  readonly betas?: BetaSequenceName | readonly number[];
  /** Length of the chain for a named sequence, 2..100000. @default 1000 */
  readonly steps?: number;
  /** First beta. @default 1e-4; 0.00085 for scaled-linear: DDPM's and Stable Diffusion's, as published for 1000 steps */
  readonly betaStart?: number;
  /** Last beta. @default 0.02; 0.012 for scaled-linear */
  readonly betaEnd?: number;
}

export function betasOf(options: BetaOptions): number[] {
  const { betas = 'linear', steps = 1000 } = options;
  if (typeof betas !== 'string') {
    checkNumber(WHERE, { 'betas.length': betas.length }, { atLeast: 2, atMost: 100_000, kind: 'integer' });
    betas.forEach((beta, i) =>
      checkNumber(WHERE, { [`betas[${i}]`]: beta }, { above: 0, ...(i < betas.length - 1 ? { below: 1 } : { atMost: 1 }) }),
    );
    return [...betas];
  }
  const sequence = Object.hasOwn(betaSequences, betas) ? betaSequences[betas] : undefined;
  if (sequence === undefined) {
    throw new UserError(
      `[${WHERE}] unknown beta sequence: betas="${String(betas)}". Known: ${Object.keys(betaSequences).join(', ')}; or pass a list `
        + 'of numbers.',
    );
  }
  checkNumber(WHERE, { steps }, { atLeast: 2, atMost: 100_000, kind: 'integer' });
  const ends = DEFAULT_ENDS[betas];
  const range = { steps, betaStart: options.betaStart ?? ends?.[0] ?? 0, betaEnd: options.betaEnd ?? ends?.[1] ?? 1 };
  if (ends !== undefined) {
    checkNumber(WHERE, { betaStart: range.betaStart }, { above: 0, below: 1 });
    checkNumber(WHERE, { betaEnd: range.betaEnd }, { above: 0, below: 1 });
  }
  return Array.from({ length: steps }, (_, i) => sequence(range, i));
}
