import { UserError } from '@langevin/tensor';

/** The noise that a two-sided interpolant has on its way, 0 at both ends. */
export interface Gamma {
  readonly value: (t: number) => number;
  /** d gamma / dt; infinite at the ends for `brownian`. */
  readonly rate: (t: number) => number;
  /** gamma d gamma / dt, finite at the ends too. */
  readonly product: (t: number) => number;
}

/**
 * Gammas of Albergo et al. 2023 (arXiv:2303.08797, table 8).
 *
 * @example
 * Object.keys(gammas); // => ['brownian', 'quadratic', 'sine-squared', 'none']
 */
export const gammas = {
  /** sqrt(t (1 - t)), a Brownian bridge. */
  brownian: {
    value: (t) => Math.sqrt(t * (1 - t)),
    rate: (t) => (1 - 2 * t) / (2 * Math.sqrt(t * (1 - t))),
    product: (t) => (1 - 2 * t) / 2,
  },
  /** t (1 - t). */
  quadratic: { value: (t) => t * (1 - t), rate: (t) => 1 - 2 * t, product: (t) => t * (1 - t) * (1 - 2 * t) },
  /** sin(pi t)^2. */
  'sine-squared': {
    value: (t) => Math.sin(Math.PI * t) ** 2,
    rate: (t) => Math.PI * Math.sin(2 * Math.PI * t),
    product: (t) => Math.PI * Math.sin(Math.PI * t) ** 2 * Math.sin(2 * Math.PI * t),
  },
  /** No noise: flow matching between the two. */
  none: { value: () => 0, rate: () => 0, product: () => 0 },
} as const satisfies Record<string, Gamma>;

export type GammaName = keyof typeof gammas;

/** @throws UserError for an unknown name */
export function gammaNamed(name: GammaName): Gamma {
  if (Object.hasOwn(gammas, name)) return gammas[name];
  throw new UserError(
    `[core-schedules/interpolant] unknown gamma: gamma="${String(name)}". Known: ${Object.keys(gammas).join(', ')}; or pass value, `
      + 'rate and product.',
  );
}
