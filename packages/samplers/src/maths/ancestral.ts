import type { NoiseLevel } from '@langevin/core';

/**
 * How far below the target an ancestral step goes before it adds noise, at eta = 1:
 * - `posterior`: where the noise added is that of the posterior q(x_to | x_from, x0), as in DDPM (k-diffusion)
 * - `flow`: to the flow time t'^2 / t, with t = sigma / (alpha + sigma) (the rectified-flow form of ComfyUI and of diffusers'
 *   LTXEulerAncestralRFScheduler)
 */
export type AncestralForm = 'posterior' | 'flow';

/** Whether a level is one of a rectified flow, alpha + sigma = 1. */
export function isOnFlow({ alpha, sigma }: NoiseLevel): boolean {
  return Math.abs(alpha + sigma - 1) < 1e-6;
}

/** An ancestral step: without noise from `from` to `down`, then noise of deviation `up`, which leads to the level `to`. */
export interface AncestralSplit {
  /** In the units of `to`: its alpha. */
  readonly down: NoiseLevel;
  readonly up: number;
}

/**
 * Splits a step in a deterministic and a random part. With s = sigma / alpha, the posterior form is s_up = min(s', eta s' sqrt(1 - s'^2 /
 * s^2)), s_down^2 = s'^2 - s_up^2. Finite from pure noise.
 *
 * @param eta share of the noise, >= 0; with 0, `down` is `to`
 */
export function ancestralSplit(
  { from, to }: { readonly from: NoiseLevel; readonly to: NoiseLevel },
  eta: number,
  form: AncestralForm | 'by-process' = 'posterior',
): AncestralSplit {
  if (eta === 0) return { down: to, up: 0 };
  // Of the deviation of the noise in `to`, the part that is new.
  const onFlow = form === 'flow' || (form === 'by-process' && isOnFlow(from) && isOnFlow(to));
  const share = onFlow ? flowShare(from, to, eta) : posteriorShare(from, to, eta);
  return { down: { alpha: to.alpha, sigma: to.sigma * Math.sqrt((1 - share) * (1 + share)) }, up: to.sigma * share };
}

/**
 * The posterior split of a step of DPM-Solver-fast and -adaptive in k-diffusion: it goes no farther down than `floor`, a sigma / alpha at
 * which the run ends, and so the last step has no noise.
 */
export function flooredSplit(
  step: { readonly from: NoiseLevel; readonly to: NoiseLevel },
  { eta, floor }: { readonly eta: number; readonly floor: number },
): AncestralSplit {
  const { down } = ancestralSplit(step, eta);
  const { alpha, sigma } = step.to;
  const low = Math.min(sigma, Math.max(down.sigma, alpha * floor));
  return { down: { alpha, sigma: low }, up: Math.sqrt((sigma - low) * (sigma + low)) };
}

function posteriorShare(from: NoiseLevel, to: NoiseLevel, eta: number): number {
  const kept = (from.alpha * to.sigma) / (to.alpha * from.sigma);
  return Math.min(1, eta * Math.sqrt((1 - kept) * (1 + kept)));
}

function flowShare(from: NoiseLevel, to: NoiseLevel, eta: number): number {
  if (to.sigma === 0) return 0;
  const timeOf = ({ alpha, sigma }: NoiseLevel): number => sigma / (alpha + sigma);
  const [t, next] = [timeOf(from), timeOf(to)];
  const down = Math.max(0, next * (1 + (next / t - 1) * eta));
  // sigma / alpha of the time `down`, over that of `to`.
  const kept = (down * (1 - next)) / ((1 - down) * next);
  return Math.sqrt((1 - kept) * (1 + kept));
}
