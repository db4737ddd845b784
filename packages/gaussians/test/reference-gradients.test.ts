import { PARAMETERS, referenceRasterizer, type Camera, type Cotangents, type Gaussians, type Rendering, type RenderOptions } from '@langevin/gaussians';
import { describe, expect, test } from 'vitest';
import { randomScene, uniforms } from '../src/testing/random-scene.ts';

type Options = RenderOptions<Float64Array>;

/** Random numbers in the shape of an output: what the loss multiplies it by. */
function weights(rendering: Rendering<Float64Array>, seed: number): Required<Cotangents<Float64Array>> {
  const next = uniforms(seed);
  const like = (length: number): Float64Array => Float64Array.from({ length }, () => 2 * next() - 1);
  // Expected depth jumps where nothing is left to divide by; a difference across the jump says nothing.
  return { color: like(rendering.color.length), alpha: like(rendering.alpha.length), depth: like(rendering.alpha.length).map((value, i) => (rendering.alpha[i]! > 0.02 ? value : 0)) };
}

function loss(rendering: Rendering<Float64Array>, w: Required<Cotangents<Float64Array>>): number {
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  return dot(rendering.color, w.color) + dot(rendering.alpha, w.alpha) + (rendering.depth === undefined ? 0 : dot(rendering.depth, w.depth));
}

/** Largest difference between analytic and central differences over the largest analytic entry, for each input. */
async function gradientErrors(gaussians: Gaussians<Float64Array>, camera: Camera, options: Options): Promise<Record<string, number>> {
  const rasterizer = referenceRasterizer();
  const rendering = await rasterizer.render(gaussians, camera, options);
  const w = weights(rendering, 5);
  const { depth, ...without } = w;
  const gradients = await rasterizer.backward(rendering, rendering.depth === undefined ? without : { ...without, depth });

  const step = 1e-6;
  const errors: Record<string, number> = {};
  const compare = async (name: string, analytic: Float64Array, values: readonly number[], at: (changed: readonly number[]) => [Gaussians<Float64Array>, Camera, Options]): Promise<void> => {
    let worst = 0;
    let largest = 0;
    for (const [i, value] of values.entries()) {
      const move = async (by: number): Promise<number> => loss(await rasterizer.render(...at(values.with(i, value + by))), w);
      const numeric = ((await move(step)) - (await move(-step))) / (2 * step);
      worst = Math.max(worst, Math.abs(numeric - analytic[i]!));
      largest = Math.max(largest, Math.abs(numeric));
    }
    expect(analytic).toHaveLength(values.length);
    expect(largest, `${name} has an effect`).toBeGreaterThan(1e-3);
    errors[name] = worst / largest;
  };
  for (const name of PARAMETERS) {
    if (name === 'sh' && options.colors !== undefined) continue;
    await compare(name, gradients[name], [...gaussians[name]], (changed) => [{ ...gaussians, [name]: Float64Array.from(changed) }, camera, options]);
  }
  for (const name of ['colors', 'features'] as const) {
    if (options[name] !== undefined) await compare(name, gradients[name]!, [...options[name]], (changed) => [gaussians, camera, { ...options, [name]: Float64Array.from(changed) }]);
  }
  await compare('worldToCamera', gradients.worldToCamera, camera.worldToCamera, (changed) => [gaussians, { ...camera, worldToCamera: changed as number[] }, options]);
  await compare('background', gradients.background, options.background!, (changed) => [gaussians, camera, { ...options, background: changed }]);
  return errors;
}

const CASES: readonly { name: string; kind: 'pinhole' | 'orthographic'; options: Options; features?: number; colors?: boolean }[] = [
  { name: 'pinhole', kind: 'pinhole', options: {} },
  { name: 'pinhole, mip, expected depth', kind: 'pinhole', options: { antialiasing: 'mip', depth: 'expected' } },
  { name: 'pinhole, accumulated depth, features', kind: 'pinhole', options: { depth: 'accumulated' }, features: 2 },
  { name: 'orthographic, mip, accumulated depth', kind: 'orthographic', options: { antialiasing: 'mip', depth: 'accumulated' } },
  { name: 'orthographic, expected depth, colors and a feature', kind: 'orthographic', options: { depth: 'expected' }, features: 1, colors: true },
  { name: 'fewer degrees than there are', kind: 'pinhole', options: { degree: 1 } },
];

describe('gradients of the reference are those of central differences', () => {
  test.for(CASES.flatMap((row, i) => [2 * i + 1, 2 * i + 2].map((seed) => ({ ...row, seed }))))('$name, scene $seed', async ({ kind, options, features = 0, colors = false, seed }) => {
    const count = 4 + (seed % 5);
    const { gaussians, camera } = randomScene({ seed, count, kind, size: 8, opacities: [0.1, 0.85], scales: [0.1, 0.5] });
    const next = uniforms(100 + seed);
    const fill = (length: number): Float64Array => Float64Array.from({ length }, () => next());
    const channels = 3 + features;
    const errors = await gradientErrors(gaussians, camera, {
      ...options,
      cutoff: 'smooth',
      background: [...fill(channels)],
      ...(features > 0 && { features: fill(features * count) }),
      ...(colors && { colors: fill(3 * count) }),
    });
    for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(2e-6);
  });

  test('where a Gaussian is beyond the margin of the picture, too', async () => {
    const { gaussians, camera } = randomScene({ seed: 3, count: 4, size: 10, scales: [0.4, 0.9], opacities: [0.5, 0.8] });
    // Twice as far to the side as the picture reaches: its slope is taken at the margin.
    const wide = { ...gaussians, means: gaussians.means.map((value, i) => (i < 6 && i % 3 === 0 ? (i === 0 ? 2.2 : -2.4) : value)) };
    const errors = await gradientErrors(wide, { ...camera, fx: 14, fy: 14 }, { cutoff: 'smooth', background: [0.2, 0.4, 0.9] });
    for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(2e-6);
  });
});

test('means2d is the gradient by the centre in the picture, and absoluteMeans2d bounds it', async () => {
  const { gaussians, camera } = randomScene({ seed: 11, count: 5, kind: 'orthographic', size: 12 });
  const rasterizer = referenceRasterizer();
  const colors = Float64Array.from({ length: 15 }, (_, i) => (i % 7) / 7);
  const rendering = await rasterizer.render(gaussians, camera, { colors });
  const gradients = await rasterizer.backward(rendering, { color: weights(rendering, 1).color });
  // With parallel rays and fixed colours the picture depends on a mean through its centre alone.
  const w = camera.worldToCamera;
  for (let i = 0; i < 5; i++) {
    const [u, v] = [gradients.means2d[2 * i]!, gradients.means2d[2 * i + 1]!];
    [0, 1, 2].forEach((axis) => expect(gradients.means[3 * i + axis]).toBeCloseTo(u * camera.fx * w[axis]! + v * camera.fy * w[4 + axis]!, 10));
    expect(gradients.absoluteMeans2d[2 * i]!).toBeGreaterThanOrEqual(Math.abs(u));
    expect(gradients.absoluteMeans2d[2 * i + 1]!).toBeGreaterThanOrEqual(Math.abs(v));
  }
});
