import type { NetworkInputs } from '@langevin/core';
import { dit, ditPresets, patched, unet2d, type Unet2dConfig } from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { parameterCount, pixelShuffle, pixelUnshuffle, trainMode, type ParamsOf } from '@langevin/nn';
import {
  compile,
  concat,
  mapTensors,
  namedTensors,
  numbers,
  range,
  realize,
  reshape,
  scalar,
  setDefaultEngine,
  slice,
  square,
  sum,
  tensor,
  torchGenerator,
  valueAndGrad,
  zeros,
  type Tensor,
} from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

// Each network is compiled once or twice, which takes seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

const noise = (shape: readonly number[], seed = 1): Tensor =>
  tensor(torchGenerator(seed).normal(shape.reduce((a, b) => a * b, 1)), { shape });
const labels = (...values: readonly number[]): Tensor => tensor(values, { dtype: 'int32' });

const small: Partial<Unet2dConfig> = {
  blockOutChannels: [8, 16],
  normNumGroups: 4,
  layersPerBlock: 1,
  downBlockTypes: ['DownBlock2D', 'AttnDownBlock2D'],
  upBlockTypes: ['AttnUpBlock2D', 'UpBlock2D'],
};
const x = noise([2, 3, 8, 8]);

describe('U-Net', () => {
  test('that starts at zero gives exactly 0, whatever it is given, and its last layer still learns', async () => {
    const net = unet2d(small, { init: 'zero' });
    const params = net.init(torchGenerator(0));
    expect((await numbers(net.apply(params, x, scalar(10)))).every((v) => v === 0)).toBe(true);
    const { grad } = valueAndGrad((p: ParamsOf<typeof net>) => sum(net.apply(p, x, scalar(10))))(params);
    expect((await numbers(grad.conv_out.weight)).some((v) => v !== 0)).toBe(true);
  });

  test('with an AdaGN projection of zero does not see the time; with it, it does', async () => {
    const net = unet2d({ ...small, resnetTimeScaleShift: 'scale_shift' });
    const params = net.init(torchGenerator(0));
    const blind = mapTensors(params, (t, _, name) => (name.includes('time_emb_proj') ? zeros(t.shape) : t));
    const at = (p: typeof params, time: number): Promise<number[]> => numbers(net.apply(p, x, scalar(time)));
    expect(await at(blind, 3)).toEqual(await at(blind, 700));
    expect(await at(params, 3)).not.toEqual(await at(params, 700));
  });

  test('uses every skip: each channel of it has a gradient where the way up reads it', async () => {
    const net = unet2d(small);
    const { grad } = valueAndGrad((p: ParamsOf<typeof net>) => sum(square(net.apply(p, x, scalar(5)))))(net.init(torchGenerator(0)));
    const reads = grad.up_blocks.flatMap(({ resnets }) => resnets.map(({ conv1 }) => conv1.weight));
    // Channels from below, then from the skip: 16 + 16, 16 + 8, 16 + 8, 8 + 8.
    expect(reads.map((w) => w.shape[1])).toEqual([32, 24, 24, 16]);
    const skips = [16, 8, 8, 8];
    const byChannel = reads.map((w, i) => sum(square(slice(w, { 1: { start: w.shape[1]! - skips[i]! } })), { axes: [0, 2, 3] }));
    await realize(byChannel);
    for (const sums of byChannel) expect((await numbers(sums)).every((v) => v > 1e-10)).toBe(true);
  });

  test('classes: swapping two rows of the table and the labels changes nothing; another label does', async () => {
    const net = unet2d({ ...small, numClassEmbeds: 3 });
    const params = net.init(torchGenerator(0));
    const swapped = mapTensors(params, (t, _, name) =>
      name === 'class_embedding.weight'
        ? concat([slice(t, { 0: { start: 1, stop: 2 } }), slice(t, { 0: { stop: 1 } }), slice(t, { 0: { start: 2 } })])
        : t,
    );
    const run = (p: typeof params, ...list: readonly number[]): Promise<number[]> =>
      numbers(net.apply(p, x, scalar(5), { conditions: { label: labels(...list) } }));
    expect(await run(swapped, 1, 2)).toEqual(await run(params, 0, 2));
    expect(await run(params, 1, 2)).not.toEqual(await run(params, 0, 2));
    expect(() => net.apply(params, x, scalar(5))).toThrow('[backbones/unet2d] class labels are missing: num_class_embeds=3.');
    expect(() => unet2d(small).apply(params, x, scalar(5), { conditions: { label: labels(0, 0) } })).toThrow(
      '[backbones/unet2d] network knows no classes',
    );
  });

  test('items of a batch do not see each other, and one time stands for all', async () => {
    const net = unet2d(small);
    const params = net.init(torchGenerator(0));
    const both = await numbers(net.apply(params, x, tensor([4, 9])));
    const second = await numbers(net.apply(params, slice(x, { 0: { start: 1 } }), tensor([9])));
    second.forEach((v, i) => expect(Math.abs(v - both[second.length + i]!)).toBeLessThan(1e-5));
    expect(await numbers(net.apply(params, x, scalar(4)))).toEqual(await numbers(net.apply(params, x, tensor([4, 4]))));
    expect(await numbers(net.apply(params, x, labels(4)))).toEqual(await numbers(net.apply(params, x, scalar(4))));
  });

  test('dropout acts in training only, and one compilation serves all times', async () => {
    const net = unet2d({ ...small, dropout: 0.5 });
    const params = net.init(torchGenerator(0));
    const apply = (inputs: NetworkInputs) =>
      compile((p: typeof params, sample: Tensor, time: Tensor) => net.apply(p, sample, time, inputs));
    const sampling = apply({});
    expect(await numbers(await sampling(params, x, 3))).toEqual(await numbers(await sampling(params, x, 3)));
    expect(await numbers(await sampling(params, x, 4))).not.toEqual(await numbers(await sampling(params, x, 3)));
    expect(sampling.counters().traces).toBe(1);
    const training = apply({ mode: trainMode(torchGenerator(8)) });
    expect(await numbers(await training(params, x, 3))).not.toEqual(await numbers(await training(params, x, 3)));
    await Promise.all([sampling.dispose(), training.dispose()]);
  });

  test('says what is wrong with a sample', () => {
    const net = unet2d(small);
    const params = net.init(torchGenerator(0));
    expect(() => net.apply(params, zeros([1, 3, 9, 8]), scalar(0))).toThrow(
      '[backbones/unet2d] image sides are not multiples of 2: x=[1, 3, 9, 8], levels=2.',
    );
    expect(() => net.apply(params, zeros([1, 4, 8, 8]), scalar(0))).toThrow(
      '[backbones/unet2d] sample does not fit: x=[1, 4, 8, 8]. Give [N, 3, H, W].',
    );
    expect(() => net.apply(params, zeros([2, 3, 8, 8]), zeros([3]))).toThrow('time does not fit the batch: time=[3], batch=2.');
    const wrong = mapTensors(params, (t, _, name) => (name === 'down_blocks.1.resnets.0.conv1.weight' ? zeros([16, 9, 3, 3]) : t));
    expect(() => net.apply(wrong, zeros([1, 3, 8, 8]), scalar(0))).toThrow('Traced at down_blocks.1.resnets.0.conv1.');
  });
});

describe('DiT', () => {
  const tiny = {
    numAttentionHeads: 2,
    attentionHeadDim: 8,
    numLayers: 2,
    sampleSize: 8,
    patchSize: 2,
    inChannels: 3,
    numEmbedsAdaNorm: 4,
  } as const;

  test('has the sizes of the paper, table 1, by a formula of its own', () => {
    const count = (width: number, depth: number, patch: number): number => {
      const block = 18 * width ** 2 + 15 * width; // attention 4 + 4, perceptron 8 + 5, modulation 6 + 6
      const embeddings = 256 * width + width ** 2 + 2 * width + 1001 * width;
      const patches = 4 * patch ** 2 * width + width;
      const last = 2 * width ** 2 + 2 * width + (width + 1) * patch ** 2 * 8;
      return depth * block + embeddings + patches + last;
    };
    expect(parameterCount(dit(ditPresets['DiT-S/2']))).toBe(count(384, 12, 2));
    expect(parameterCount(dit(ditPresets['DiT-S/2']))).toBe(32_865_056);
    expect(parameterCount(dit(ditPresets['DiT-B/4']))).toBe(count(768, 12, 4));
    const millions = (['DiT-S/2', 'DiT-B/2', 'DiT-L/2', 'DiT-XL/2'] as const).map((name) =>
      Math.round(parameterCount(dit(ditPresets[name])) / 1e6),
    );
    // The paper says 33, 130, 458 and 675, with the fixed positions counted.
    expect(millions).toEqual([33, 130, 458, 675]);
  });

  test('starts as the paper does: every block the identity, the output exactly 0', async () => {
    const net = dit(tiny);
    const params = net.init(torchGenerator(0));
    expect((await numbers(net.apply(params, x, scalar(10)))).every((v) => v === 0)).toBe(true);
    const gates = namedTensors(params).get('transformer_blocks.1.norm1.linear.weight')!;
    expect((await numbers(gates)).every((v) => v === 0)).toBe(true);
  });

  test('no label is the null class', async () => {
    const net = dit(tiny, { init: 'torch' });
    const params = net.init(torchGenerator(0));
    const run = (inputs: NetworkInputs): Promise<number[]> => numbers(net.apply(params, x, scalar(10), inputs));
    expect(await run({})).toEqual(await run({ conditions: { label: labels(4, 4) } }));
    expect(await run({})).not.toEqual(await run({ conditions: { label: labels(1, 4) } }));
  });

  test('with one embedding for all blocks equals a network whose blocks hold copies of it', async () => {
    const shared = dit({ ...tiny, embedding: 'shared' }, { init: 'torch' });
    const copies = dit({ ...tiny, embedding: 'per-block' }, { init: 'torch' });
    const params = shared.init(torchGenerator(0));
    const { emb } = params.transformer_blocks[0]!.norm1;
    const spread = {
      ...params,
      transformer_blocks: params.transformer_blocks.map((block) => ({ ...block, norm1: { ...block.norm1, emb: emb! } })),
    };
    expect(await numbers(copies.apply(spread, x, scalar(10)))).toEqual(await numbers(shared.apply(params, x, scalar(10))));
  });

  test('takes images of other sizes, in whole patches', () => {
    const net = dit(tiny);
    const params = net.init(torchGenerator(0));
    expect(net.apply(params, zeros([1, 3, 4, 12]), scalar(0)).shape).toEqual([1, 3, 4, 12]);
    expect(() => net.apply(params, zeros([1, 3, 7, 8]), scalar(0))).toThrow(
      '[backbones/dit] image sides are not multiples of the patch: x=[1, 3, 7, 8], patch_size=2.',
    );
  });
});

describe('patches as channels', () => {
  test('come apart and together again, in PyTorch order', async () => {
    const image = reshape(range(16, { dtype: 'float32' }), [1, 1, 4, 4]);
    const cells = pixelUnshuffle(image, 2);
    expect(await numbers(cells)).toEqual([0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15]);
    expect(await numbers(pixelShuffle(cells, 2))).toEqual(await numbers(image));
  });

  test('a patched network takes and gives images', () => {
    const net = patched(unet2d({ ...small, inChannels: 12, outChannels: 12 }), 2);
    expect(net.apply(net.init(torchGenerator(0)), zeros([1, 3, 16, 16]), scalar(0)).shape).toEqual([1, 3, 16, 16]);
    expect(() => net.apply(net.init(torchGenerator(0)), zeros([1, 3, 15, 16]), scalar(0))).toThrow(
      '[nn/pixelUnshuffle] image does not divide',
    );
  });
});
