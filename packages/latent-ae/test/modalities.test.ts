// Autoencoders of what is no picture.
import {
  autoencoderKl,
  autoencoderTask,
  autoencoderTiny,
  clipAutoencoder,
  clipAutoencoderFromConfig,
  clipAutoencoderToConfig,
  framewise,
  kl,
  l2,
  sequenceAutoencoder,
  sequenceAutoencoderFromConfig,
  sequenceAutoencoderToConfig,
} from '@langevin/latent-ae';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { adam, constantSchedule } from '@langevin/nn';
import { numbersOf } from '@langevin/nn/testing';
import { numbers, select, setDefaultEngine, sum, torchGenerator, type Tensor } from '@langevin/tensor';
import { memoryStore, train } from '@langevin/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

describe('a sequence autoencoder', () => {
  const config = { inChannels: 1, latentChannels: 2, blockOutChannels: [8, 8, 8], normNumGroups: 2, midBlockAddAttention: false };

  it('learns sine waves, of which frequency and phase are all there is, out of a quarter of their numbers', async () => {
    const [n, length] = [16, 32];
    const shape = [n, 1, length];
    const x = Float32Array.from({ length: n * length }, (_, k) =>
      Math.sin(0.3 * Math.floor(k / length) + (1 + (Math.floor(k / length) % 4)) * 0.2 * (k % length)),
    );
    const task = autoencoderTask({
      ...{ name: 'sines', seed: 1, config: {}, shape, losses: [l2()], regulariser: kl({ weight: 1e-6 }) },
      autoencoder: sequenceAutoencoder(config),
      learner: { optimizer: adam(), learningRate: constantSchedule(0.01) },
      batch: async () => ({ x, shape, next: { epoch: 0, index: 0 }, items: [] }),
    });
    const errors: number[] = [];
    for await (const event of train(task, { store: memoryStore(), steps: 80, logEvery: 1, checkpointEvery: 80 }))
      if (event.kind === 'step') errors.push(event.losses['reconstruction']!);
    // The variance of a sine is a half.
    expect(errors[0]!).toBeGreaterThan(0.3);
    expect(errors.at(-1)!).toBeLessThan(0.05);
  });

  it('is its configuration, and refuses lengths that it cannot give back', () => {
    const vae = sequenceAutoencoderFromConfig(sequenceAutoencoderToConfig({ ...config, scalingFactor: 2, shiftFactor: 0.5 }));
    expect(vae.info).toEqual({ inputs: 1, channels: 2, factor: [4], scale: 2, shift: 0.5 });
    expect(() => vae.latentShape([1, 1, 30])).toThrow(
      /\[latent-ae\/sequence-autoencoder\] items do not fit: x=\[1, 1, 30\]. Give \[N, 1, L\]/,
    );
    expect(() => sequenceAutoencoder({ blockOutChannels: [6], normNumGroups: 4 })).toThrow(/groups do not divide the channels/);
  });
});

describe('a clip autoencoder', () => {
  const config = { blockOutChannels: [4], normNumGroups: 2, latentChannels: 2, midBlockAddAttention: false };

  it('gives each frame what the autoencoder of pictures gives it, by the same parameters', async () => {
    const [clips, pictures] = [clipAutoencoder(config), autoencoderKl(config)];
    const params = clips.init(torchGenerator(1));
    const x = numbersOf('clip', [2, 3, 4, 6, 5]);
    const noise = numbersOf('noise', [2, 2, 4, 6, 5]);
    const whole = clips.encode(params, x);
    for (const t of [0, 3]) {
      const alone = pictures.encode(params, select(x, 2, t));
      await near(select(whole.mode, 2, t), alone.mode);
      await near(select(whole.moments!, 2, t), alone.moments!);
      await near(select(whole.sample(noise), 2, t), alone.sample(select(noise, 2, t)));
      await near(select(clips.decode(params, whole.mode), 2, t), pictures.decode(params, alone.mode));
    }
    const each = [0, 1, 2, 3].map((t) => pictures.encode(params, select(x, 2, t)).divergence!);
    const summed = (await Promise.all(each.map((divergence) => numbers(divergence)))).reduce((a, b) => a.map((value, i) => value + b[i]!));
    (await numbers(whole.divergence!)).forEach((value, i) => expect(Math.abs(value / summed[i]! - 1)).toBeLessThan(1e-5));
  });

  it('is made of any autoencoder of pictures, and of its configuration', async () => {
    const tiny = { encoderBlockOutChannels: [4, 4], decoderBlockOutChannels: [4, 4], numEncoderBlocks: [1, 1], numDecoderBlocks: [1, 1] };
    const clips = framewise(autoencoderTiny(tiny));
    const params = clips.init(torchGenerator(0));
    const decoded = clips.decode(params, clips.encode(params, numbersOf('clip', [1, 3, 2, 8, 8])).mode);
    expect(decoded.shape).toEqual([1, 3, 2, 8, 8]);
    expect((await numbers(sum(decoded))).every(Number.isFinite)).toBe(true);
    const stored = clipAutoencoderToConfig({ ...config, scalingFactor: 3 });
    expect(stored['_class_name']).toBe('ClipAutoencoder');
    expect(clipAutoencoderFromConfig(stored).info).toEqual(clipAutoencoder({ ...config, scalingFactor: 3 }).info);
    expect(() => clipAutoencoderFromConfig({ _class_name: 'VQModel' })).toThrow(/configuration is for another model/);
    expect(() => clips.latentShape([1, 3, 8, 8])).toThrow(
      /\[latent-ae\/framewise\] clips do not fit: \[1, 3, 8, 8\]. Give \[N, 3, T, H, W\]/,
    );
  });
});

async function near(made: Tensor, expected: Tensor): Promise<void> {
  expect(made.shape).toEqual(expected.shape);
  const [a, b] = [await numbers(made), await numbers(expected)];
  expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeLessThan(1e-5);
}
