import { LEAST_ALPHA, LEAST_TRANSMITTANCE, MOST_ALPHA } from '../settings.ts';
import type { Splat, SplatGradient } from './project.ts';

/** What a splat does to a pixel. */
interface Layer {
  readonly splat: number;
  readonly alpha: number;
  /** Transmittance in front of it. */
  readonly before: number;
  readonly gauss: number;
  /** d(alpha) / d(opacity * gauss). */
  readonly slope: number;
  readonly dx: number;
  readonly dy: number;
}

/** Layers of a pixel from front to back, what passes them all, and how far it is from a decision that rounding could turn. */
export interface PixelStack {
  readonly layers: readonly Layer[];
  readonly transmittance: number;
  /** Least relative distance of an alpha from 1/255, and of a transmittance from 1e-4, of all that were compared. */
  readonly margin: number;
}

/** What falls on the pixel (column, row) from splats in the order of depth. */
export function stack(splats: readonly Splat[], [column, row]: readonly [number, number], cutoff: 'hard' | 'smooth'): PixelStack {
  const layers: Layer[] = [];
  let transmittance = 1;
  let margin = Infinity;
  for (const [splat, { mean, conic, opacity }] of splats.entries()) {
    const dx = mean[0] - (column + 0.5);
    const dy = mean[1] - (row + 0.5);
    const sigma = 0.5 * (conic[0] * dx * dx + conic[2] * dy * dy) + conic[1] * dx * dy;
    if (sigma < 0) continue;
    const gauss = Math.exp(-sigma);
    const { alpha, slope } = cutoff === 'hard' ? hardAlpha(opacity * gauss) : smoothAlpha(opacity * gauss);
    margin = Math.min(margin, Math.abs((opacity * gauss) / LEAST_ALPHA - 1));
    if (alpha === 0) continue;
    const after = transmittance * (1 - alpha);
    margin = Math.min(margin, Math.abs(after / LEAST_TRANSMITTANCE - 1));
    // Finite differences have no use for a stop.
    if (cutoff === 'hard' && after <= LEAST_TRANSMITTANCE) break;
    layers.push({ splat, alpha, before: transmittance, gauss, slope, dx, dy });
    transmittance = after;
  }
  return { layers, transmittance, margin };
}

function hardAlpha(product: number): { alpha: number; slope: number } {
  if (product < LEAST_ALPHA) return { alpha: 0, slope: 0 };
  return product > MOST_ALPHA ? { alpha: MOST_ALPHA, slope: 0 } : { alpha: product, slope: 1 };
}

/** Fades from nothing at half the cut-off to all at one and a half, with a continuous slope. */
function smoothAlpha(product: number): { alpha: number; slope: number } {
  if (product > MOST_ALPHA) return { alpha: MOST_ALPHA, slope: 0 };
  const u = Math.min(1, Math.max(0, product / LEAST_ALPHA - 0.5));
  const fade = u * u * (3 - 2 * u);
  return { alpha: product * fade, slope: fade + (product * 6 * u * (1 - u)) / LEAST_ALPHA };
}

/** Cotangents of a pixel. */
export interface PixelGradient {
  readonly channels: readonly number[];
  readonly alpha: number;
  readonly depth: number;
}

/** What a pixel was blended from, and where the gradients of its splats are summed. */
export interface BlendedFrom {
  readonly splats: readonly Splat[];
  readonly background: readonly number[];
  readonly into: readonly SplatGradient[];
}

/** From the gradient of a pixel to those of the splats that it was blended from, from back to front. */
export function stackBackward({ splats, background, into }: BlendedFrom, { layers, transmittance }: PixelStack, v: PixelGradient): void {
  // What lies behind the layer at hand, weighted by what of it reaches the eye.
  const behind = background.map((value) => value * transmittance);
  let depthBehind = 0;
  for (const { splat, alpha, before, gauss, slope, dx, dy } of [...layers].reverse()) {
    const { channels, depth, conic, opacity } = splats[splat]!;
    const target = into[splat]!;
    const passes = 1 - alpha;
    let vAlpha = v.depth * (depth * before - depthBehind / passes) + (v.alpha * transmittance) / passes;
    channels.forEach((value, channel) => {
      const g = v.channels[channel]!;
      vAlpha += g * (value * before - behind[channel]! / passes);
      target.channels[channel]! += g * alpha * before;
      behind[channel]! += value * alpha * before;
    });
    target.depth += v.depth * alpha * before;
    depthBehind += depth * alpha * before;

    const vProduct = vAlpha * slope;
    target.opacity += vProduct * gauss;
    const vSigma = -vProduct * opacity * gauss;
    target.conic[0] += 0.5 * vSigma * dx * dx;
    target.conic[1] += vSigma * dx * dy;
    target.conic[2] += 0.5 * vSigma * dy * dy;
    const vMean = [vSigma * (conic[0] * dx + conic[1] * dy), vSigma * (conic[1] * dx + conic[2] * dy)] as const;
    vMean.forEach((value, axis) => {
      target.mean[axis as 0 | 1] += value;
      target.absoluteMean[axis as 0 | 1] += Math.abs(value);
    });
  }
}
