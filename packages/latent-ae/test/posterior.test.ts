import { autoencoderKl, gaussianPosterior } from '@langevin/latent-ae';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { numbersOf } from '@langevin/nn/testing';
import {
  add,
  concat,
  grad,
  mean,
  mul,
  numbers,
  setDefaultEngine,
  square,
  sub,
  sum,
  tensor,
  torchGenerator,
  type Tensor,
} from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

const MEANS = [0.5, -1, 0, 2];
const LOG_VARIANCES = [-1, 0.3, 0, -4];
const ofShape = (values: readonly number[], n: number): Tensor =>
  tensor(Array.from({ length: n }, () => values).flat(), { shape: [n, 4, 1, 1] });
const moments = (n: number): Tensor => concat([ofShape(MEANS, n), ofShape(LOG_VARIANCES, n)], 1);
/** KL(q || N(0, I)) in double precision. */
const CLOSED = MEANS.reduce((total, m, i) => total + (m ** 2 + Math.exp(LOG_VARIANCES[i]!) - 1 - LOG_VARIANCES[i]!) / 2, 0);

describe('a normal posterior', () => {
  it('has the closed divergence, which is 0 for N(0, I) only', async () => {
    expect((await numbers(gaussianPosterior(moments(2)).divergence!))[1]).toBeCloseTo(CLOSED, 5);
    expect(await numbers(gaussianPosterior(tensor(new Float32Array(8), { shape: [1, 8, 1, 1] })).divergence!)).toEqual([0]);
  });

  it('is sampled with its mean and variance, and log q - log p has the mean that the divergence says', async () => {
    const n = 20000;
    const { sample, mode } = gaussianPosterior(moments(n));
    const noise = tensor(torchGenerator(4).normal(4 * n), { shape: [n, 4, 1, 1] });
    const z = sample(noise);
    // log q(z) - log p(z), the constants of both being equal: (z^2 - noise^2 - log variance) / 2 summed.
    const ratio = mul(sum(sub(sub(square(z), square(noise)), ofShape(LOG_VARIANCES, n)), { axes: [1, 2, 3] }), 0.5);
    const values = await numbers(ratio);
    const average = values.reduce((a, b) => a + b, 0) / n;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - average) ** 2, 0) / n);
    expect(Math.abs(average - CLOSED)).toBeLessThan((4 * deviation) / Math.sqrt(n)); // four standard errors
    expect(Math.abs(average - CLOSED) / CLOSED).toBeLessThan(1e-2);
    const averages = await numbers(mean(z, { axes: [0, 2, 3] }));
    const spread = await numbers(mean(square(sub(z, mode)), { axes: [0, 2, 3] }));
    for (const [i, m] of MEANS.entries()) {
      const variance = Math.exp(LOG_VARIANCES[i]!);
      expect(Math.abs(averages[i]! - m)).toBeLessThan(4 * Math.sqrt(variance / n));
      expect(Math.abs(spread[i]! - variance)).toBeLessThan(4 * variance * Math.sqrt(2 / n));
    }
  });

  it('has a divergence with the gradient of its closed form, none where the log variance is cut off', async () => {
    const x = tensor([0.5, -40, 3, 0.7, 25, -2], { shape: [1, 6, 1, 1] });
    const made = await numbers(grad((at: Tensor) => sum(gaussianPosterior(at).divergence!))(x));
    const expected = [0.5, -40, 3, (Math.exp(0.7) - 1) / 2, 0, (Math.exp(-2) - 1) / 2];
    for (const [i, value] of expected.entries()) expect(made[i]).toBeCloseTo(value, 4);
  });

  it('keeps what was sampled finite for any log variance', async () => {
    const wild = tensor([0, 0, 1e30, -1e30], { shape: [1, 4, 1, 1] });
    const { sample, divergence } = gaussianPosterior(wild);
    const values = [...(await numbers(sample(tensor([1, -1], { shape: [1, 2, 1, 1] })))), ...(await numbers(divergence!))];
    expect(values.every(Number.isFinite)).toBe(true);
    expect(values[0]).toBeCloseTo(Math.exp(10), -1);
  });
});

describe('AutoencoderKL', () => {
  const vae = autoencoderKl({
    blockOutChannels: [2, 4, 4],
    downBlockTypes: ['DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D'],
    upBlockTypes: ['UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'],
    normNumGroups: 1,
  });
  const params = vae.init(torchGenerator(0));

  it.each([
    [4, 4],
    [5, 7],
    [4, 33],
    [31, 4],
    [6, 9],
  ])('takes pictures of %d x %d, odd ones and slivers', async (height, width) => {
    const x = numbersOf('x', [1, 3, height, width]);
    const { mode } = vae.encode(params, x);
    expect(mode.shape).toEqual([1, 4, Math.floor(height / 4), Math.floor(width / 4)]);
    const decoded = vae.decode(params, mode);
    expect(decoded.shape).toEqual([1, 3, 4 * mode.shape[2]!, 4 * mode.shape[3]!]);
    expect((await numbers(decoded)).every(Number.isFinite)).toBe(true);
  });

  it('gives a picture what it gives it among two', async () => {
    const both = numbersOf('x', [2, 3, 8, 8]);
    const { mode } = vae.encode(params, both);
    const alone = vae.encode(params, numbersOf('x', [1, 3, 8, 8])).mode;
    const [all, one] = [await numbers(mode), await numbers(alone)];
    expect(Math.max(...one.map((value, i) => Math.abs(value - all[i]!)))).toBeLessThan(1e-5);
    // A picture elsewhere in the batch has no part in it.
    const other = vae.encode(params, concat([numbersOf('x', [1, 3, 8, 8]), add(numbersOf('y', [1, 3, 8, 8]), 1)], 0)).mode;
    const beside = (await numbers(other)).slice(0, one.length);
    expect(Math.max(...one.map((value, i) => Math.abs(value - beside[i]!)))).toBeLessThan(1e-5);
  });
});
