import { checkNumber } from '@langevin/tensor';

export interface LinearBetaOptions {
  /** beta(0), > 0. @default 0.1 */
  readonly betaMin?: number;
  /** beta(1), > betaMin. @default 20 */
  readonly betaMax?: number;
}

/** beta(t) = betaMin + t (betaMax - betaMin) and what follows from it (Song et al. 2021, arXiv:2011.13456, eq. 33). */
export interface LinearBeta {
  readonly beta: (t: number) => number;
  /** log alpha(t) = -1/2 integral of beta from 0 to t. */
  readonly logAlpha: (t: number) => number;
  /** The time at which log alpha is -total / 2. */
  readonly time: (total: number) => number;
}

export function linearBeta(where: string, { betaMin = 0.1, betaMax = 20 }: LinearBetaOptions): LinearBeta {
  checkNumber(where, { betaMin }, { above: 0 });
  checkNumber(where, { betaMax }, { above: betaMin });
  const slope = betaMax - betaMin;
  return {
    beta: (t) => betaMin + t * slope,
    logAlpha: (t) => (-t * (t * slope + 2 * betaMin)) / 4,
    // The total is quadratic in t; this root does not cancel.
    time: (total) => (2 * total) / (betaMin + Math.sqrt(betaMin ** 2 + 2 * slope * total)),
  };
}
