import { memoryDataset } from '@langevin/io';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { data, namedTensors, type Engine } from '@langevin/tensor';
import { conditionalBackbone, countParameters, diffusionTask, parseTrainingConfig, type DiffusionTrainingConfig } from '@langevin/training';
import { beforeAll, describe, expect, it } from 'vitest';
import { TINY } from './tiny-run.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await onnxruntimeEngine({ threads: 1 });
});

function task(change: object = {}, dataset = memoryDataset(TINY.data)) {
  const config = parseTrainingConfig({ ...TINY.config, ...change });
  return diffusionTask({ config, dataset, backbone: conditionalBackbone(config), engine });
}

/** Losses of the first steps, and the state after them. */
async function trained(change: object, steps: number) {
  const it = task(change);
  let state = it.init();
  let point = { step: 0, position: { epoch: 0, index: 0 } };
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const result = await it.step(state, point);
    ({ state } = result);
    losses.push(result.metrics.loss);
    point = { step: i + 1, position: result.position };
  }
  return { losses, state, point };
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function standardError(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(mean(values.map((value) => (value - middle) ** 2)) / (values.length - 1));
}

describe('diffusionTask', () => {
  it('learns: the loss falls by far more than it scatters', async () => {
    const { losses, point, state } = await trained({ batchSize: 14 }, 120);
    // During the warm-up the network still answers nearly zero.
    const [before, after] = [losses.slice(0, 10), losses.slice(-30)];
    expect(mean(before) - mean(after)).toBeGreaterThan(5 * Math.hypot(standardError(before), standardError(after)));
    // Epochs of 14 items in batches of 14: each step is an epoch.
    expect(point.position).toEqual({ epoch: 120, index: 0 });
    expect(countParameters(state)).toBe([...namedTensors(state.params).values()].reduce((sum, { size }) => sum + size, 0));
  }, 120_000);

  it('gives the same numbers for the same seed, and others for another', async () => {
    const [first, again, other] = [await trained({}, 3), await trained({}, 3), await trained({ seed: 4 }, 2)];
    expect(again.losses).toEqual(first.losses);
    expect(other.losses).not.toEqual(first.losses);
    const name = 'conv_in.weight';
    const weight = async (params: unknown) => data(namedTensors(params).get(name)!);
    expect(await weight(again.state.params)).toEqual(await weight(first.state.params));
    // The average lags behind.
    expect(await weight(first.state.average)).not.toEqual(await weight(first.state.params));
  }, 120_000);

  it('rises to its learning rate over the warm-up', async () => {
    const it = task();
    let state = it.init();
    const rates: number[] = [];
    for (let step = 0; step < 7; step++) {
      const result = await it.step(state, { step, position: { epoch: 0, index: 0 } });
      ({ state } = result);
      rates.push(result.metrics['learningRate']!);
    }
    expect(rates.map((rate) => Number((rate / 0.003).toFixed(6)))).toEqual([0.2, 0.4, 0.6, 0.8, 1, 1, 1]);
  }, 60_000);

  it('refuses images and classes that do not fit the network', () => {
    const wide = memoryDataset({ ...TINY.data, imageShape: [1, 4, 16] });
    expect(() => task({}, wide)).toThrow(
      '[training/diffusion] images do not fit the network: stripes has [1, 4, 16], the network wants 1 channels of size 8. Change '
        + "in_channels or sample_size, or the data set's size.",
    );
    const more = memoryDataset({ ...TINY.data, classes: ['a', 'b', 'c'] });
    expect(() => task({}, more)).toThrow(
      '[training/diffusion] network has too few classes: num_class_embeds=2, stripes has 3. Raise num_class_embeds.',
    );
  });
});

describe('parseTrainingConfig', () => {
  it('fills defaults in', () => {
    const config: DiffusionTrainingConfig = parseTrainingConfig({ ...TINY.config, flip: undefined, patch: undefined });
    expect(config).toMatchObject({
      flip: 'none',
      patch: 1,
      edm: { sigmaData: 0.5, meanLogSigma: -1.2, stdLogSigma: 1.2 },
      optimizer: { betas: [0.9, 0.999] },
    });
  });

  it.each([
    [{ batchSize: 0 }, 'batchSize=0'],
    [{ seed: -1 }, 'seed=-1'],
    [{ batchsize: 3 }, 'batchsize is not known. Did you mean "batchSize"?'],
    [{ name: '../up' }, 'name="../up"'],
    [{ optimizer: { name: 'adma', learningRate: 1 } }, 'optimizer.name="adma"'],
    [{ optimizer: { name: 'adam', learningRate: 0 } }, 'optimizer.learningRate=0'],
    [{ average: {} }, 'average={}, give one of {"std": a number > 0 and <= 0.28} and {"halfLifeImages": a number > 0}'],
    [{ clipnorm: 1 }, 'clipnorm is not known. Did you mean "clipNorm"? Known: name, seed, data, flip, backbone'],
    [{ optimizer: { name: 'adam', learningRate: 1, lr: 1 } }, 'optimizer.lr is not known. Known: name, learningRate, betas, weightDecay'],
    [{ seed: undefined }, 'seed is missing'],
    [{ optimizer: { name: 'adam', learningRate: 1, betas: [0, 1] } }, 'optimizer.betas.1=1, expected <1'],
    [{ patch: 65 }, 'patch=65'],
  ])('refuses %j, naming entry, value and file', (change, named) => {
    expect(() => parseTrainingConfig({ ...TINY.config, ...change }, 'my.json')).toThrow(`[training/config] entry is not valid: ${named}`);
    expect(() => parseTrainingConfig({ ...TINY.config, ...change }, 'my.json')).toThrow('file=my.json');
  });
});
