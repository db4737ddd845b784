import {
  autoencoderDc,
  autoencoderFromConfig,
  autoencoderKl,
  describeMemory,
  estimateMemory,
  latentFamilyOf,
  latentPreview,
  tileWithin,
} from '@langevin/latent-ae';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { conv, defineModule } from '@langevin/nn';
import { add, numbers, ones, relu, setDefaultEngine, tensor, UnsupportedError, UserError, zeros, type Tensor } from '@langevin/tensor';
import type { Autoencoder } from '@langevin/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

const large = {
  blockOutChannels: [128, 256, 512, 512],
  downBlockTypes: ['DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D', 'DownEncoderBlock2D'],
  upBlockTypes: ['UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D', 'UpDecoderBlock2D'],
  layersPerBlock: 2,
} as const;

describe('memory', () => {
  /** x [1, 1, 8, 8]: 256 bytes. a = conv(x) 4 channels: 1024. b = relu(a). c = a + b. */
  const layer = conv({ inputs: 1, outputs: 4, kernel: 3, padding: 1 });
  const net = defineModule({
    init: layer.init,
    apply: (params: Parameters<typeof layer.apply>[0], x: Tensor) => {
      const a = layer.apply(params, x);
      return add(a, relu(a));
    },
  });
  const counted: Autoencoder<Parameters<typeof layer.apply>[0]> = {
    info: { inputs: 1, channels: 1, factor: [1, 1], scale: 1, shift: 0 },
    init: net.init,
    latentShape: (shape) => shape,
    encode: (params, x) => ({ mode: net.apply(params, x), sample: () => x }),
    decode: net.apply,
  };

  it('is what is alive at once, counted by hand', () => {
    const { weights, activations, largest, scores } = estimateMemory(counted, { pass: 'decode', shape: [1, 1, 8, 8] });
    expect(weights).toBe(4 * (4 * 9 + 4));
    expect(activations).toBe(3 * 1024); // a, relu(a) and their sum
    expect(largest).toBe(1024);
    expect(scores).toBe(0);
  });

  it('of a large autoencoder at 1024 pixels: 256 channels are 1 GiB, and so are the scores', () => {
    const estimate = estimateMemory(autoencoderKl(large), { pass: 'decode', shape: [1, 4, 128, 128] });
    expect(estimate.largest).toBe(2 ** 30);
    expect(estimate.scores).toBe(2 ** 30);
    expect(estimate.activations).toBeGreaterThanOrEqual(2 * 2 ** 30);
    expect(estimate.activations).toBeLessThanOrEqual(4 * 2 ** 30);
    const line = describeMemory(estimate);
    expect(line).toMatch(/^decode \[1, 4, 128, 128\] at once: weights 189 MiB, activations [\d.]+ GiB, /u);
    expect(line).toMatch(/, largest tensor 1\.00 GiB, scores of attention 1\.00 GiB$/u);
  });

  it('says which tile fits', () => {
    const vae = autoencoderKl(large);
    const { tile, estimate } = tileWithin(vae, { pass: 'decode', shape: [1, 4, 128, 96], bytes: 2 ** 29 });
    expect(estimate.activations).toBeLessThanOrEqual(2 ** 29);
    expect(estimate.shape).toEqual([1, 4, ...tile]);
    const doubled = tile.map((side) => 2 * side);
    expect(estimateMemory(vae, { pass: 'decode', shape: [1, 4, ...doubled] }).activations).toBeGreaterThan(2 ** 29);
    expect(tileWithin(vae, { pass: 'encode', shape: [1, 3, 64, 64], bytes: 2 ** 40 }).tile).toEqual([8, 8]);
    expect(() => tileWithin(vae, { pass: 'decode', shape: [1, 4, 64, 64], bytes: 1000 })).toThrow('smallest tile does not fit: bytes=1000');
  });

  it('is refused for shapes that do not fit', () => {
    expect(() => estimateMemory(autoencoderDc(), { pass: 'encode', shape: [1, 3, 33, 32] })).toThrow('multiples of 32');
    expect(() => estimateMemory(counted, { pass: 'recode' as never, shape: [1] })).toThrow(UserError);
    expect(() => estimateMemory(counted, { pass: 'decode', shape: 3 as never })).toThrow(UserError);
    expect(() => estimateMemory(counted, { pass: 'decode', shape: [1, 1, 0, 8] })).toThrow('shape[2]=0');
    expect(() => tileWithin(counted, { pass: 'decode', shape: [1, 4], bytes: 100 })).toThrow('Give [N, C, H, W].');
  });
});

describe('previews', () => {
  const info = (config: object) => autoencoderFromConfig({ _class_name: 'AutoencoderKL', ...config }).info;

  it.each([
    [{}, 'stable-diffusion'],
    [{ scaling_factor: 0.13025 }, 'stable-diffusion-xl'],
    [{ latent_channels: 16, scaling_factor: 1.5305, shift_factor: 0.0609 }, 'stable-diffusion-3'],
    [{ latent_channels: 16, scaling_factor: 0.3611, shift_factor: 0.1159 }, 'flux'],
  ] as const)('%j are of %s', (config, family) => {
    expect(latentFamilyOf(info(config))).toBe(family);
  });

  it.each([
    { latent_channels: 16 },
    { scaling_factor: 0.5, latents_mean: [0, 0, 0, 0], latents_std: [1, 1, 1, 1] },
    { scaling_factor: 0.18215, shift_factor: 0.1 },
    { latent_channels: 16, scaling_factor: 0.3611 },
  ])('%j are of none, and no colours are guessed', (config) => {
    expect(() => latentFamilyOf(info(config))).toThrow(UnsupportedError);
    expect(() => latentFamilyOf(info(config))).toThrow('Name the family');
  });

  it('are sums over channels, cut off', async () => {
    // Pixel 0 has channel 0 only, pixel 1 channel 3 only, pixel 2 ten times all.
    const latents = tensor([1, 0, 10, 0, 0, 10, 0, 0, 10, 0, 1, 10], { shape: [1, 4, 1, 3] });
    const made = await numbers(latentPreview(latents, 'stable-diffusion'));
    const expected = [0.3444, -0.1307, 0.192, 0.1385, -0.1874, 1, 0.067, -0.7445, -1];
    for (const [i, value] of expected.entries()) expect(made[i]).toBeCloseTo(value, 5);
    for (const family of ['stable-diffusion-3', 'flux'] as const)
      expect((await numbers(latentPreview(ones([2, 16, 2, 2]), family))).every(Number.isFinite)).toBe(true);
  });

  it('are refused for latents of another family', () => {
    expect(() => latentPreview(zeros([1, 4, 2, 2]), 'flux')).toThrow('Give [N, 16, h, w].');
    expect(() => latentPreview(zeros([1, 4, 2, 2]), 'kandinsky' as never)).toThrow(UserError);
    expect(() => latentPreview(null as never, 'flux')).toThrow(UserError);
    expect(() => latentPreview(zeros([4, 4]), 'stable-diffusion')).toThrow(UserError);
  });
});
