import type { Network } from '@langevin/core';
import { diffusionTask, noiseRecipe, type DiffusionBatch, type DiffusionTaskOptions } from '@langevin/diffusion';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { adam, constantDecay, constantSchedule, cosineSchedule, defineModule, dropout as dropoutLayer, type AdamState } from '@langevin/nn';
import {
  add,
  concat,
  counterGenerator,
  gather,
  mul,
  numbers,
  reshape,
  setDefaultEngine,
  tensor,
  UserError,
  zeros,
  type Tensor,
} from '@langevin/tensor';
import { memoryStore, train } from '@langevin/training';
import { checkTask } from '@langevin/training/testing';
import { beforeAll, describe, expect, it } from 'vitest';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu' })));

interface Params {
  readonly scale: Tensor;
  readonly shift: Tensor;
}

const LABELS = 3;
const NONE = 3;

/** F(x) = scale[label] x + shift[label]: exact for Gaussian data, one for each label and one for none. */
function affine(outputs: Network<Params>['info']['outputs'] = ['prediction']): Network<Params> {
  return {
    info: {
      channels: 1,
      outChannels: outputs.length,
      outputs,
      axes: 'l',
      size: null,
      multiple: 1,
      time: 'sigma',
      conditions: { label: { kind: 'label', count: LABELS, none: NONE } },
    },
    ...defineModule({
      init: () => ({ scale: zeros([LABELS + 1]), shift: zeros([LABELS + 1]) }),
      apply: (params: Params, x: Tensor, _time: Tensor, inputs: Parameters<Network<Params>['apply']>[3] = {}) => {
        const { conditions = {}, mode } = inputs;
        const of = (row: Tensor): Tensor => reshape(gather(row, conditions['label']!), [x.shape[0]!, 1, 1]);
        const output = dropoutLayer(0.1).apply({}, add(mul(of(params.scale), x), of(params.shift)), mode);
        return outputs.length === 1 ? output : concat([output, mul(output, 0)], 1);
      },
    }),
  };
}

/** Pictures of 4 numbers around 0.5 (label - 1), of deviation 0.1. */
const batch =
  (size: number) =>
  (position: { readonly epoch: number; readonly index: number }): Promise<DiffusionBatch> => {
    const labels = Int32Array.from({ length: size }, (_, i) => (position.index + i) % LABELS);
    const noise = counterGenerator({ seed: 2, stream: [position.epoch, position.index] }).normal(4 * size);
    return Promise.resolve({
      x0: Float32Array.from(noise, (value, k) => 0.5 * (labels[Math.floor(k / 4)]! - 1) + 0.1 * value),
      shape: [size, 1, 4],
      conditions: { label: tensor(labels, { dtype: 'int32' }) },
      next: { epoch: position.epoch, index: position.index + size },
      items: [...labels],
    });
  };

const options = (more: Partial<DiffusionTaskOptions<Params, AdamState>> = {}): DiffusionTaskOptions<Params, AdamState> => ({
  name: 'affine',
  seed: 4,
  config: {},
  network: affine(),
  noise: noiseRecipe({ levels: { name: 'log-normal', mean: 3, std: 0.1 } }),
  learner: { optimizer: adam(), learningRate: constantSchedule(0.05), averages: { ema: constantDecay(0.5) } },
  batch: batch(6),
  dropout: { label: 0.25 },
  ...more,
});

async function trained(more: Partial<DiffusionTaskOptions<Params, AdamState>>, steps: number): Promise<Params> {
  for await (const event of train(diffusionTask(options(more)), { store: memoryStore(), steps })) {
    if (event.kind === 'done') return event.state.network.averages['ema']!;
  }
  throw new Error('unreachable');
}

describe('the diffusion task', () => {
  it('learns the mean of each label, and of all where the label was dropped', async () => {
    // At sigma = e^3 the input says nothing, so that D = cSkip x + cOut F is the mean of the data: F = mean / cOut, cOut = 0.5. The layer's
    // dropout of a tenth makes the answer of least squares E[m] / E[m^2] = 0.9 times that.
    const learningRate = cosineSchedule({ from: 0.05, to: 0, steps: 400 });
    const learner = { ...options().learner, learningRate };
    const { shift } = await trained({ batch: batch(12), learner }, 400);
    const means = (await numbers(shift)).map((value) => 0.5 * value);
    // The last 50 steps or so count. Labels: dropout moves the gradient by a third of F, over 16 elements a step: 0.012, 0.006 of the mean.
    // Without label: targets of -1, 0 and 1, three items a step: 0.066, 0.033 of the mean. Three deviations and more.
    [-0.45, 0, 0.45, 0].forEach((mean, label) => expect(Math.abs(means[label]! - mean)).toBeLessThan(label === 3 ? 0.1 : 0.04));
  });

  it.each([
    ['epsilon on a chain', { process: { name: 'discrete-vp' } }],
    ['v under min-SNR', { process: { name: 'vp-cosine' }, prediction: 'v', weight: { name: 'min-snr' } }],
    ['flow with logit-normal times', { process: { name: 'flow' }, levels: { name: 'logit-normal' } }],
  ])('lowers the loss for %s', async (_, config) => {
    const losses: number[] = [];
    const task = diffusionTask(options({ noise: noiseRecipe(config), batch: batch(24), dropout: {} }));
    for await (const event of train(task, { store: memoryStore(), steps: 60 }))
      if (event.kind === 'step') losses.push(event.losses['loss']!);
    const mean = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
    expect(mean(losses.slice(-10))).toBeLessThan(0.8 * mean(losses.slice(0, 5)));
  });

  it('learns variances on a chain', async () => {
    const noise = noiseRecipe({ process: { name: 'discrete-vp' }, variance: 'learned' });
    const more = { noise, network: affine(['prediction', 'variance']), dropout: {} };
    const { scale } = await trained(more, 20);
    expect((await numbers(scale)).slice(0, 3).every((value) => Number.isFinite(value) && value !== 0)).toBe(true);
  });

  it('resumes to the same bytes, with dropout of layers and conditions, averages and accumulated parts', async () => {
    await checkTask(() => diffusionTask(options({ accumulate: 2 })), { steps: 4 });
  });

  it('resumes to the same bytes where batches have more than one shape, whose steps are traced at different times', async () => {
    const sizes = [2, 3, 3, 2];
    await checkTask(
      () =>
        diffusionTask({
          ...options(),
          batch: ({ epoch, index }) =>
            batch(sizes[index]!)({ epoch, index }).then((loaded) => ({
              ...loaded,
              next: index === 3 ? { epoch: epoch + 1, index: 0 } : { epoch, index: index + 1 },
            })),
        }),
      { steps: 6, checkpointEvery: 1 },
    );
  });

  it('gives parts of a batch levels and noise of their own', async () => {
    const same = () => batch(6)({ epoch: 0, index: 0 });
    const lossOf = async (accumulate: number): Promise<number> => {
      const task = diffusionTask(options({ accumulate, batch: same, dropout: {} }));
      for await (const event of train(task, { store: memoryStore(), steps: 1 })) if (event.kind === 'step') return event.losses['loss']!;
      throw new Error('unreachable');
    };
    // The mean over two equal parts with equal draws would be the loss of one.
    expect(Math.abs((await lossOf(2)) - (await lossOf(1)))).toBeGreaterThan(1e-3);
  });

  it.each([
    ['a dropped condition that the network does not take', { dropout: { text: 0.1 } }, 'dropout.text=0.1. Known: label'],
    ['a share above 1', { dropout: { label: 1.5 } }, 'label=1.5'],
    [
      'learned variance of a network with one output',
      { noise: noiseRecipe({ process: { name: 'discrete-vp' }, variance: 'learned' }) },
      'twice as many',
    ],
    ['no accumulation', { accumulate: 0 }, 'accumulate=0'],
  ])('refuses %s', (_, more, says) => {
    expect(() => diffusionTask(options(more))).toThrow(says);
  });

  it.each([
    [undefined, 'network=undefined'],
    [{ network: 5 }, 'network=5'],
    [{ noise: {} }, 'noise=an object'],
    [{ learner: undefined }, 'learner=undefined'],
    [{ batch: 5 }, 'batch=5'],
    [{ evaluate: 5 }, 'evaluate=5'],
    [{ learner: {} }, 'there is no optimizer: optimizer=undefined'],
    [{ learner: { optimizer: adam(), learningRate: 0.1 } }, 'learningRate=0.1'],
  ])('refuses %o', (more, says) => {
    expect(() => diffusionTask((more === undefined ? more : { ...options({}), ...more }) as never)).toThrow(says);
  });

  it.each([
    [() => undefined, 'batch=undefined'],
    [() => ({}), 'x0=undefined'],
    [() => ({ x0: new Float64Array(1), shape: [1, 1, 1], items: [] }), 'x0=an object'],
    [() => ({ x0: new Float32Array(1), shape: [1, 1.5, 1], items: [] }), 'shape=a list'],
    [() => ({ x0: new Float32Array(1), shape: [1, 1, 1], items: 5 }), 'items=5'],
    [() => ({ x0: new Float32Array(1), shape: [1, 1, 1], items: [], conditions: { label: [0] } }), 'label=a list'],
  ])('refuses what is no batch: %#', async (given, says) => {
    const failed = trained({ batch: (async () => given()) as never }, 1);
    await expect(failed).rejects.toBeInstanceOf(UserError);
    await expect(failed).rejects.toThrow(says);
  });

  it('refuses batches that do not fit the network', async () => {
    const bad = (change: Partial<DiffusionBatch>) => async (position: { readonly epoch: number; readonly index: number }) => ({
      ...(await batch(6)(position)),
      ...change,
    });
    await expect(trained({ batch: bad({ shape: [6, 2, 2] }) }, 1)).rejects.toThrow('shape=[6, 2, 2], numbers=24. Give [N, 1, l]');
    await expect(trained({ batch: bad({ conditions: {} }) }, 1)).rejects.toThrow('condition is missing: name=label');
  });
});
