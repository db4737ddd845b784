import { UserError } from '@langevin/tensor';

/**
 * Power-function averaging profiles p(t) = (gamma + 1) t^gamma / T^(gamma + 1) on [0, T] of Karras et al. 2024
 * (arXiv:2312.02696), section 3.
 */
export interface PowerProfile {
  /** Exponent, >= 0. */
  readonly gamma: number;
  /** Step T at which the average was taken, > 0. */
  readonly step: number;
}

/** Width of the profile with gamma = 0, the widest that has a name. */
const WIDEST = Math.sqrt(1 / 12);

export function checkStd(where: string, std: number): void {
  if (!(std > 0 && std <= WIDEST))
    throw new UserError(
      `[nn/${where}] std is out of range: std=${std}. Give a relative width in (0, ${WIDEST.toFixed(4)}], such as 0.05 or 0.10.`,
    );
}

/** Relative width of a profile: sqrt((gamma + 1) / ((gamma + 2)^2 (gamma + 3))). */
export function stdOfExponent(gamma: number): number {
  if (!(gamma >= 0)) throw new UserError(`[nn/stdOfExponent] gamma is negative or not a number: gamma=${gamma}. Give a number >= 0.`);
  return Math.sqrt((gamma + 1) / ((gamma + 2) ** 2 * (gamma + 3)));
}

/**
 * The exponent whose profile has this relative width: the largest root of (gamma + 2)^2 (gamma + 3) std^2 = gamma + 1.
 *
 * @param std in (0, 0.2886]
 * @example
 * exponentOfStd(0.1); // => 6.937
 */
export function exponentOfStd(std: number): number {
  checkStd('exponentOfStd', std);
  // In u = gamma + 2: f(u) = std^2 u^2 (u + 1) - u + 1, convex for u > 0, with f(1/std) = 2: Newton's steps fall to the largest root.
  const s2 = std * std;
  let u = 1 / std;
  for (let i = 0; i < 100; i++) {
    const next = u - (s2 * u * u * (u + 1) - u + 1) / (s2 * u * (3 * u + 2) - 1);
    if (!(next < u)) break;
    u = next;
  }
  return Math.max(u - 2, 0);
}

/** Integral of the product of two profiles, in closed form. */
export function profileProduct(a: PowerProfile, b: PowerProfile): number {
  const [early, late] = a.step <= b.step ? [a, b] : [b, a];
  return ((((early.gamma + 1) * (late.gamma + 1)) / (early.gamma + late.gamma + 1)) * (early.step / late.step) ** late.gamma) / late.step;
}
