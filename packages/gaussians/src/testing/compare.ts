import type { Camera } from '@langevin/core';
import type { Gaussians } from '../gaussians.ts';
import type { Cotangents, Rasterizer, RenderGradients, RenderOptions } from '../rasterizer.ts';
import { decisionMargins, referenceRasterizer } from '../reference/reference-rasterizer.ts';
import { inBothPrecisions, randomScene, uniforms } from './random-scene.ts';

/** What pictures in single precision may differ by from the reference, away from cut-offs. */
export const FORWARD_TOLERANCE = 1e-5;

/**
 * What gradients in single precision may differ by, relative to the largest entry: at an alpha of 0.99 a rounding of 1e-6 in it becomes one
 * of 1e-4 in what it lets through, by which the backward pass divides.
 */
export const SINGLE_GRADIENT_TOLERANCE = 2e-4;

/** A scene for a fast rasterizer and the same for the reference. */
interface Case {
  readonly camera: Camera;
  readonly single: { readonly gaussians: Gaussians; readonly options: RenderOptions };
  readonly double: { readonly gaussians: Gaussians<Float64Array>; readonly options: RenderOptions<Float64Array> };
}

/** The scene of a seed: seeds go through both kinds of camera, antialiasing, both kinds of depth, features, and opaque crowds. */
function caseOf(seed: number): Case {
  const next = uniforms(7919 * seed + 1);
  const count = 1 + Math.floor(40 * next());
  const opaque = seed % 5 === 4;
  const { gaussians, camera } = randomScene({
    seed,
    count,
    size: 12 + Math.floor(28 * next()),
    kind: seed % 3 === 2 ? 'orthographic' : 'pinhole',
    degree: (seed % 4) as 0 | 1 | 2 | 3,
    ...(opaque && { opacities: [0.9, 0.999], scales: [0.2, 0.9] }),
  });
  const { single, double } = inBothPrecisions(gaussians);
  const features = seed % 7 === 3 ? Float32Array.from({ length: 5 * count }, () => next()) : undefined;
  const colors = seed % 11 === 5 ? Float32Array.from({ length: 3 * count }, () => next()) : undefined;
  const shared = {
    background: [next(), next(), next()],
    antialiasing: seed % 2 === 1 ? ('mip' as const) : ('none' as const),
    depth: (['none', 'accumulated', 'expected'] as const)[Math.floor(seed / 2) % 3]!,
  };
  return {
    camera,
    single: { gaussians: single, options: { ...shared, ...(features && { features }), ...(colors && { colors }) } },
    double: {
      gaussians: double,
      options: {
        ...shared,
        ...(features && { features: Float64Array.from(features) }),
        ...(colors && { colors: Float64Array.from(colors) }),
      },
    },
  };
}

/** What a rasterizer makes of random scenes, beside the reference. */
export interface ForwardComparison {
  readonly scenes: number;
  /** Pixels that were compared, and those left out because rounding may turn a decision there. */
  readonly pixels: number;
  readonly skipped: number;
  /** Largest differences; that of depth is relative to depths above 1. */
  readonly color: number;
  readonly alpha: number;
  readonly depth: number;
}

/**
 * Draws `scenes` random scenes with both.
 *
 * @param options.margin pixels where an alpha is as near as this to 1/255, or a transmittance to 1e-4, relative, are left out. @default
 *   1e-3
 */
export async function compareForward(
  rasterizer: Rasterizer,
  options: { readonly scenes: number; readonly margin?: number },
): Promise<ForwardComparison> {
  const { scenes, margin = 1e-3 } = options;
  const reference = referenceRasterizer();
  const worst = { color: 0, alpha: 0, depth: 0 };
  let pixels = 0;
  let skipped = 0;
  for (let seed = 0; seed < scenes; seed++) {
    const { camera, single, double } = caseOf(seed);
    const drawn = await rasterizer.render(single.gaussians, camera, single.options);
    const truth = await reference.render(double.gaussians, camera, double.options);
    const margins = decisionMargins(double.gaussians, camera, double.options);
    for (const [pixel, distance] of margins.entries()) {
      if (distance < margin) {
        skipped++;
        continue;
      }
      pixels++;
      worst.alpha = Math.max(worst.alpha, Math.abs(drawn.alpha[pixel]! - truth.alpha[pixel]!));
      for (let k = pixel * truth.channels; k < (pixel + 1) * truth.channels; k++)
        worst.color = Math.max(worst.color, Math.abs(drawn.color[k]! - truth.color[k]!));
      if (truth.depth !== undefined)
        worst.depth = Math.max(worst.depth, Math.abs(drawn.depth![pixel]! - truth.depth[pixel]!) / Math.max(1, truth.depth[pixel]!));
    }
  }
  return { scenes, pixels, skipped, ...worst };
}

/** The gradients that are compared. */
export const GRADIENTS = [
  'means',
  'quaternions',
  'logScales',
  'opacityLogits',
  'sh',
  'colors',
  'features',
  'background',
  'worldToCamera',
  'means2d',
  'absoluteMeans2d',
] as const;

/** For each gradient, the largest difference from the reference over the largest entry of the reference, over random scenes. */
export async function compareGradients(
  rasterizer: Rasterizer,
  options: { readonly scenes: number; readonly margin?: number },
): Promise<Readonly<Record<(typeof GRADIENTS)[number], number>>> {
  const { scenes, margin = 1e-3 } = options;
  const reference = referenceRasterizer();
  const worst = Object.fromEntries(GRADIENTS.map((name) => [name, 0])) as Record<(typeof GRADIENTS)[number], number>;
  for (let seed = 0; seed < scenes; seed++) {
    const { camera, single, double } = caseOf(seed);
    const drawn = await rasterizer.render(single.gaussians, camera, single.options);
    const truth = await reference.render(double.gaussians, camera, double.options);
    const sure = decisionMargins(double.gaussians, camera, double.options).map((distance, pixel) =>
      distance >= margin && (double.options.depth !== 'expected' || truth.alpha[pixel]! > 0.02) ? 1 : 0,
    );
    const next = uniforms(seed + 17);
    const weights = (length: number, each: number): Float32Array =>
      Float32Array.from({ length }, (_, i) => (2 * next() - 1) * sure[Math.floor(i / each)]!);
    const v: Cotangents = {
      color: weights(truth.color.length, truth.channels),
      alpha: weights(truth.alpha.length, 1),
      ...(truth.depth && { depth: weights(truth.depth.length, 1) }),
    };
    const [fast, slow] = [
      await rasterizer.backward(drawn, v),
      await reference.backward(truth, {
        color: Float64Array.from(v.color!),
        alpha: Float64Array.from(v.alpha!),
        ...(v.depth && { depth: Float64Array.from(v.depth) }),
      }),
    ];
    for (const name of GRADIENTS) worst[name] = Math.max(worst[name], relativeDifference(fast, slow, name));
  }
  return worst;
}

function relativeDifference(fast: RenderGradients, slow: RenderGradients<Float64Array>, name: (typeof GRADIENTS)[number]): number {
  const [a, b] = [fast[name], slow[name]];
  if (a === undefined || b === undefined) return a === b ? 0 : Infinity;
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const difference = b.reduce((most, value, i) => Math.max(most, Math.abs(value - a[i]!)), 0);
  return difference === 0 ? 0 : difference / largest;
}
