import {
  cpuRasterizer,
  createSsim,
  depthLoss,
  photometricLoss,
  type PhotometricRequest,
  type PhotometricStep,
  type Rasterizer,
} from '@langevin/gaussians';
import { counterGenerator } from '@langevin/tensor';
import { afterAll, describe, expect, test } from 'vitest';
import { GRADIENTS, inBothPrecisions, randomScene } from '../src/testing/index.ts';

const [one, two] = [cpuRasterizer({ threads: 1 }), cpuRasterizer({ threads: 2 })];
afterAll(async () => {
  await Promise.all([one.dispose(), two.dispose()]);
});

/** Forty Gaussians beside noise. */
function request(size: { readonly width: number; readonly height: number }, more: Partial<PhotometricRequest> = {}): PhotometricRequest {
  const { gaussians, camera } = randomScene({ seed: size.width, count: 40, size: 64 });
  const scale = Math.max(size.width, size.height) / 64;
  const target = counterGenerator({ seed: 3, stream: [size.height] }).uniform(3 * size.width * size.height);
  return {
    gaussians: inBothPrecisions(gaussians).single,
    camera: { ...camera, ...size, fx: camera.fx * scale, fy: camera.fy * scale, cx: size.width / 2, cy: size.height / 2 },
    options: { background: [0.2, 0.4, 0.6] },
    target,
    dssim: 0.3,
    absolute: true,
    ...more,
  };
}

/** The same step by step, with the loss in float64. */
async function byHand(
  rasterizer: Rasterizer,
  { gaussians, camera, options, target, mask, dssim, depth }: PhotometricRequest,
): Promise<PhotometricStep> {
  const size = { width: camera.width, height: camera.height, channels: 3 };
  const rendering = await rasterizer.render(gaussians, camera, { ...options, ...(depth && { depth: 'expected' }) });
  const ssim = createSsim<Float64Array>(size, { precision: 'float64' });
  const picture = photometricLoss({
    image: Float64Array.from(rendering.color),
    target: ssim.prepare(Float64Array.from(target)),
    ssim,
    size,
    mask,
    dssim,
  });
  const far = depth && depthLoss(rendering.depth!, depth.target, { weight: depth.weight });
  const gradients = await rasterizer.backward(rendering, {
    color: Float32Array.from(picture.gradient),
    ...(far && { depth: far.gradient }),
  });
  return { ...picture, loss: picture.loss + (far?.loss ?? 0), gradients, radii: rendering.radii };
}

/** A copy, before the next call changes it. */
async function step(rasterizer: Rasterizer, given: PhotometricRequest): Promise<PhotometricStep> {
  const { gradients, radii, ...rest } = await rasterizer.photometric!(given);
  return {
    ...rest,
    radii: radii.slice(),
    gradients: Object.fromEntries(
      Object.entries(gradients).map(([name, values]) => [name, (values as Float32Array).slice()]),
    ) as unknown as PhotometricStep['gradients'],
  };
}

const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function expectClose(found: PhotometricStep, expected: PhotometricStep): void {
  for (const name of ['loss', 'l1', 'mse', 'ssim'] as const) expect(Math.abs(found[name] - expected[name]), name).toBeLessThan(2e-6);
  for (const name of GRADIENTS) {
    const [a, b] = [found.gradients[name], expected.gradients[name]];
    if (b === undefined) continue;
    expect(a!.length, name).toBe(b.length);
    const worst = a!.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
    expect(worst, name).toBeLessThanOrEqual(1e-4 * largest(b));
  }
  expect(found.radii).toEqual(expected.radii);
}

describe('the loss in the kernels', () => {
  // Less than a window, one strip and less than a vector, bands and strips that end anywhere.
  test.for([
    [1, 1],
    [3, 2],
    [17, 13],
    [32, 32],
    [33, 31],
    [64, 70],
    [131, 37],
  ] as const)('is that in float64 at %i x %i', async ([width, height]) => {
    const given = request({ width, height });
    expectClose(await step(one, given), await byHand(one, given));
  });

  test.for([0, 1])('of nothing but one part, dssim=%f', async (dssim) => {
    const given = request({ width: 40, height: 35 }, { dssim });
    expectClose(await step(one, given), await byHand(one, given));
  });

  test('with a mask', async () => {
    const mask = Uint8Array.from({ length: 50 * 40 }, (_, i) => [255, 0, 128][i % 3]!);
    const given = request({ width: 50, height: 40 }, { mask });
    expectClose(await step(one, given), await byHand(one, given));
  });

  test('with depth', async () => {
    const target = Float32Array.from({ length: 50 * 40 }, (_, i) => [0, 3, 5][i % 3]!);
    const given = request({ width: 50, height: 40 }, { depth: { target, weight: 0.5 } });
    const found = await step(one, given);
    expectClose(found, await byHand(one, given));
    expect(found.loss).toBeGreaterThan((await step(one, request({ width: 50, height: 40 }))).loss);
  });

  test('has no absolute gradients unless they are asked for', async () => {
    const given = request({ width: 50, height: 40 });
    const [all, without] = [await step(one, given), await step(one, { ...given, absolute: false })];
    expect(largest(without.gradients.absoluteMeans2d)).toBe(0);
    expectClose(without, { ...all, gradients: { ...all.gradients, absoluteMeans2d: without.gradients.absoluteMeans2d } });
    expect(largest(all.gradients.absoluteMeans2d)).toBeGreaterThan(0);
  });

  test('of a picture that is its target is none', async () => {
    const given = request({ width: 70, height: 50 });
    const { color } = await one.render(given.gaussians, given.camera, given.options);
    const found = await step(one, { ...given, target: color });
    expect(found.l1).toBe(0);
    expect(found.ssim).toBeCloseTo(1, 6);
    expect(largest(found.gradients.means)).toBeLessThan(1e-4 * largest((await step(one, given)).gradients.means));
  });

  test('has the gradient of central differences', async () => {
    const given = request({ width: 45, height: 40 }, { dssim: 1 });
    const { gradients } = await step(one, given);
    const lossAt = async (shift: number): Promise<number> =>
      (await byHand(one, { ...given, options: { background: [0.2 + shift, 0.4, 0.6] } })).loss;
    const expected = ((await lossAt(1e-3)) - (await lossAt(-1e-3))) / 2e-3;
    expect(Math.abs(gradients.background[0]! / expected - 1)).toBeLessThan(1e-3);
  });

  test('gives the same bits on two threads', async () => {
    for (const size of [
      { width: 150, height: 130 },
      { width: 41, height: 200 },
    ]) {
      const [a, b] = [await step(one, request(size)), await step(two, request(size))];
      expect(a).toEqual(b);
      expect(a.loss).toBeGreaterThan(0);
    }
  });

  test('needs pictures of one size', async () => {
    const given = request({ width: 20, height: 20 });
    await expect(one.photometric!({ ...given, target: new Float32Array(12) })).rejects.toThrow(
      "[gaussians/cpu] what is compared is not of the picture's size: target.length=12, expected 1200. Resize it.",
    );
    await expect(one.photometric!({ ...given, mask: new Uint8Array(3) })).rejects.toThrow('mask.length=3, expected 400');
    await expect(one.photometric!({ ...given, dssim: 2 })).rejects.toThrow('dssim=2');
  });

  test('leaves renderings that wait for their backward pass alone', async () => {
    const given = request({ width: 60, height: 50 });
    const drawn = await one.render(given.gaussians, given.camera);
    const v = { color: drawn.color.map((_, i) => Math.sin(i)) };
    const expected = await one.backward(await one.render(given.gaussians, given.camera), v);
    await step(one, request({ width: 90, height: 70 }));
    expect(await one.backward(drawn, v)).toEqual(expected);
  });
});
