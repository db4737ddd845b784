import { autoencoderTask, l2, linearAutoencoder, linearAutoencoderFromConfig, linearAutoencoderToConfig, none } from '@langevin/latent-ae';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { adam, constantSchedule } from '@langevin/nn';
import { setDefaultEngine } from '@langevin/tensor';
import { memoryStore, train } from '@langevin/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

describe('a linear autoencoder', () => {
  it('trained to the end has the error of the principal components that it leaves out, and no less', async () => {
    // Two points along each axis: the covariance is exactly diagonal, with these variances.
    const variances = [4, 2.5, 1, 0.5, 0.2];
    const size = variances.length;
    const shape = [2 * size, size];
    const x = new Float32Array(2 * size * size);
    variances.forEach((variance, i) => {
      x[2 * i * size + i] = Math.sqrt(variance * size);
      x[(2 * i + 1) * size + i] = -Math.sqrt(variance * size);
    });
    const left = (0.5 + 0.2 + 1) / size;
    const task = autoencoderTask({
      ...{ name: 'pca', seed: 4, config: {}, shape, losses: [l2()], regulariser: none() },
      autoencoder: linearAutoencoder({ inChannels: size, latentChannels: 2 }),
      learner: { optimizer: adam(), learningRate: constantSchedule(0.02) },
      batch: async () => ({ x, shape, next: { epoch: 0, index: 0 }, items: [] }),
    });
    const errors: number[] = [];
    for await (const event of train(task, { store: memoryStore(), steps: 600, logEvery: 1, checkpointEvery: 600 }))
      if (event.kind === 'step') errors.push(event.losses['reconstruction']!);
    expect(errors[0]!).toBeGreaterThan(1.5 * left);
    expect(Math.abs(errors.at(-1)! / left - 1)).toBeLessThan(1e-3);
    expect(Math.min(...errors)).toBeGreaterThan(left * (1 - 1e-5));
  });

  it('is its configuration', () => {
    const config = { inChannels: 8, latentChannels: 3, scalingFactor: 2, shiftFactor: 0.5 };
    expect(linearAutoencoderFromConfig(linearAutoencoderToConfig(config)).info).toEqual({
      inputs: 8,
      channels: 3,
      factor: [],
      scale: 2,
      shift: 0.5,
    });
    expect(() => linearAutoencoder({ inChannels: 2, latentChannels: 3 })).toThrow(/\[latent-ae\/linear-autoencoder\] latents are larger/);
  });
});
