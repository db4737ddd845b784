import type { Camera } from '@langevin/core';
import { PARAMETERS, type Gaussians } from '../gaussians.ts';
import type { Cotangents, Rendering, RenderOptions } from '../rasterizer.ts';
import { referenceRasterizer } from '../reference/reference-rasterizer.ts';
import { randomScene, uniforms } from './random-scene.ts';

type Options = RenderOptions<Float64Array>;

/** What an analytic gradient is beside central differences. */
export interface GradientError {
  /** Largest difference over the largest entry. */
  readonly error: number;
  /** Largest entry of the differences: of a gradient of zeros every analytic one is right. */
  readonly largest: number;
}

/**
 * The reference's gradients of a random linear function of its outputs, by every input that there is, beside central differences in
 * float64.
 */
async function centralDifferences(
  gaussians: Gaussians<Float64Array>,
  camera: Camera,
  options: Options,
): Promise<Readonly<Record<string, GradientError>>> {
  const rasterizer = referenceRasterizer();
  const rendering = await rasterizer.render(gaussians, camera, options);
  const w = weights(rendering);
  const gradients = await rasterizer.backward(rendering, w);
  const step = 1e-6;
  const errors: Record<string, GradientError> = {};
  const compare = async (
    name: string,
    { analytic, values }: { readonly analytic: Float64Array; readonly values: readonly number[] },
    at: (changed: readonly number[]) => [Gaussians<Float64Array>, Camera, Options],
  ): Promise<void> => {
    let [worst, largest] = [0, 0];
    if (analytic.length !== values.length) worst = Infinity;
    for (const [i, value] of values.entries()) {
      const move = async (by: number): Promise<number> => loss(await rasterizer.render(...at(values.with(i, value + by))), w);
      const numeric = ((await move(step)) - (await move(-step))) / (2 * step);
      worst = Math.max(worst, Math.abs(numeric - analytic[i]!));
      largest = Math.max(largest, Math.abs(numeric));
    }
    errors[name] = { error: worst / largest, largest };
  };
  for (const name of PARAMETERS) {
    if (name === 'sh' && options.colors !== undefined) continue;
    await compare(name, { analytic: gradients[name], values: [...gaussians[name]] }, (changed) => [
      { ...gaussians, [name]: Float64Array.from(changed) },
      camera,
      options,
    ]);
  }
  for (const name of ['colors', 'features'] as const) {
    if (options[name] !== undefined)
      await compare(name, { analytic: gradients[name]!, values: [...options[name]] }, (changed) => [
        gaussians,
        camera,
        { ...options, [name]: Float64Array.from(changed) },
      ]);
  }
  await compare('worldToCamera', { analytic: gradients.worldToCamera, values: camera.worldToCamera }, (changed) => [
    gaussians,
    { ...camera, worldToCamera: changed },
    options,
  ]);
  await compare('background', { analytic: gradients.background, values: options.background ?? [] }, (changed) => [
    gaussians,
    camera,
    { ...options, background: changed },
  ]);
  return errors;
}

/** Random numbers in the shape of an output: what the loss multiplies it by. */
function weights(rendering: Rendering<Float64Array>): Cotangents<Float64Array> {
  const next = uniforms(5);
  const like = (length: number): Float64Array => Float64Array.from({ length }, () => 2 * next() - 1);
  const [color, alpha] = [like(rendering.color.length), like(rendering.alpha.length)];
  // Expected depth jumps where nothing is left to divide by; a difference across the jump says nothing.
  return {
    color,
    alpha,
    ...(rendering.depth && { depth: like(rendering.alpha.length).map((value, i) => (rendering.alpha[i]! > 0.02 ? value : 0)) }),
  };
}

function loss(rendering: Rendering<Float64Array>, w: Cotangents<Float64Array>): number {
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  return (
    dot(rendering.color, w.color!) + dot(rendering.alpha, w.alpha!) + (rendering.depth === undefined ? 0 : dot(rendering.depth, w.depth!))
  );
}

/** A kind of scene whose gradients are checked. */
export interface GradientCase {
  readonly name: string;
  readonly kind: 'pinhole' | 'orthographic';
  readonly options: Options;
  readonly features?: number;
  readonly colors?: boolean;
  /** Two Gaussians are moved twice as far to the side as the picture reaches, where slopes are taken at the margin. */
  readonly aside?: boolean;
}

/** Every option, every input. */
export const GRADIENT_CASES: readonly GradientCase[] = [
  { name: 'pinhole', kind: 'pinhole', options: {} },
  { name: 'pinhole, mip, expected depth', kind: 'pinhole', options: { antialiasing: 'mip', depth: 'expected' } },
  { name: 'pinhole, accumulated depth, features', kind: 'pinhole', options: { depth: 'accumulated' }, features: 2 },
  { name: 'orthographic, mip, accumulated depth', kind: 'orthographic', options: { antialiasing: 'mip', depth: 'accumulated' } },
  {
    name: 'orthographic, expected depth, colors and a feature',
    kind: 'orthographic',
    options: { depth: 'expected' },
    features: 1,
    colors: true,
  },
  { name: 'fewer degrees than there are', kind: 'pinhole', options: { degree: 1 } },
  { name: 'beyond the margin of the picture', kind: 'pinhole', options: {}, aside: true },
];

/** The most that an analytic gradient may differ from central differences with a step of 1e-6, which are good to some 1e-9 of the loss. */
export const GRADIENT_TOLERANCE = 2e-6;

/** {@link centralDifferences} of a small random scene of a kind. The cut-off is smooth, so that they converge. */
export async function checkGradients(
  { kind, options, features = 0, colors = false, aside = false }: GradientCase,
  seed: number,
): Promise<Readonly<Record<string, GradientError>>> {
  const count = 4 + (seed % 5);
  const { gaussians, camera } = randomScene({
    seed,
    count,
    kind,
    size: aside ? 10 : 8,
    ...(aside ? { opacities: [0.5, 0.8], scales: [0.4, 0.9] } : { opacities: [0.1, 0.85], scales: [0.1, 0.5] }),
  });
  const next = uniforms(100 + seed);
  const fill = (length: number): Float64Array => Float64Array.from({ length }, () => next());
  const means = aside ? gaussians.means.map((value, i) => [2.2, -2.4][i / 3] ?? value) : gaussians.means;
  return centralDifferences({ ...gaussians, means }, aside ? { ...camera, fx: 14, fy: 14 } : camera, {
    ...options,
    cutoff: 'smooth',
    background: [...fill(3 + features)],
    ...(features > 0 && { features: fill(features * count) }),
    ...(colors && { colors: fill(3 * count) }),
  });
}
