import type { Network } from '@langevin/core';
import { diffit, diffitFromConfig, diffitToConfig, parseDiffitConfig, timeAttention, type DiffitConfig } from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { attention, listenAt } from '@langevin/nn';
import { numbersOf, weightsOf } from '@langevin/nn/testing';
import { mul, numbers, setDefaultEngine, split, tensor, torchGenerator, zeros, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readGolden } from './golden.ts';
import { expectCase, expectCounts, type NetworkGolden } from './network-case.ts';

vi.setConfig({ testTimeout: 60_000 });
const golden = readGolden<NetworkGolden>('diffit.json');
const parse = (config: object): Network<unknown> => diffitFromConfig(config) as Network<unknown>;
const apart = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

describe('a twin of DiffiT in PyTorch', () => {
  test.each(golden.cases.map((entry) => [entry.name, entry] as const))('%s: output and gradients', async (_, entry) => {
    await expectCase(entry, { network: parse(entry.config), tolerance: golden.tolerance });
  });

  test('the network of the defaults has as many parameters', () => expectCounts(golden, parse));
});

describe('attention that depends on time', () => {
  const layer = timeAttention({ width: 8, heads: 2, time: 6, window: 2 });
  const params = weightsOf(layer.init(torchGenerator(0)), 'time attention');
  const bare = {
    ...params,
    qkv_time: { weight: mul(params.qkv_time.weight, 0) },
    relative_position_bias_table: zeros([9, 2]),
  };
  const x = numbersOf('x', [2, 4, 8]);
  const early = numbersOf('early', [2, 6]);
  const late = numbersOf('late', [2, 6]);
  const grid = [2, 2] as const;
  const mapOf = async (weights: typeof params, time: Tensor): Promise<number[]> => {
    let seen = x;
    const taps = listenAt({
      'attn.weights': (map) => {
        seen = map;
        return map;
      },
    });
    layer.apply(weights, x, { time, grid, taps });
    return numbers(seen);
  };

  test('is ordinary attention where the time has no weight and places no bias', async () => {
    const plain = attention({ channels: 8, heads: 2 });
    const [q, k, v] = split(params.qkv.weight, 3, 0) as [Tensor, Tensor, Tensor];
    const [bq, bk, bv] = split(params.qkv.bias!, 3, 0) as [Tensor, Tensor, Tensor];
    const expected = plain.apply(
      { to_q: { weight: q, bias: bq }, to_k: { weight: k, bias: bk }, to_v: { weight: v, bias: bv }, to_out: [params.proj] },
      x,
    );
    expect(apart(await numbers(layer.apply(bare, x, { time: early, grid })), await numbers(expected))).toBeLessThan(1e-5);
  });

  test('the map itself changes with the time, for the same normalised input; without a weight of the time it does not', async () => {
    expect(apart(await mapOf(params, early), await mapOf(params, late))).toBeGreaterThan(1e-2);
    const timeless = { ...params, qkv_time: bare.qkv_time };
    expect(apart(await mapOf(timeless, early), await mapOf(timeless, late))).toBe(0);
  });

  test('is the same whether somebody sees the map or not', async () => {
    const taps = listenAt({ 'attn.weights': (map) => map });
    const seen = await numbers(layer.apply(params, x, { time: early, grid, taps }));
    expect(apart(seen, await numbers(layer.apply(params, x, { time: early, grid })))).toBeLessThan(1e-5);
  });

  test('a window sees nothing of another, and the same window elsewhere gives the same', async () => {
    const wide = numbersOf('wide', [1, 8, 8]);
    const values = await numbers(wide);
    const one = early.shape[1]!;
    const time = numbersOf('early', [1, one]);
    const at = [2, 4] as const;
    const of = async (tokens: readonly number[]): Promise<number[]> =>
      numbers(layer.apply(params, tensor(tokens, { shape: [1, 8, 8] }), { time, grid: at }));
    // Tokens lie in rows of four: those of the left window are 0, 1, 4, 5.
    const isLeft = (token: number): boolean => token % 4 < 2;
    const changed = values.map((value, i) => (isLeft(Math.floor(i / 8)) ? value : value + 1));
    const [before, after] = [await of(values), await of(changed)];
    const leftOf = (all: readonly number[]): number[] => all.filter((_, i) => isLeft(Math.floor(i / 8)));
    expect(apart(leftOf(before), leftOf(after))).toBeLessThan(1e-6);
    expect(apart(before, after)).toBeGreaterThan(1e-2);
    const turned = values.map((_, i) => values[(Math.floor(i / 32) * 4 + ((Math.floor(i / 8) + 2) % 4)) * 8 + (i % 8)]!);
    const back = (await of(turned)).filter((_, i) => !isLeft(Math.floor(i / 8)));
    expect(apart(back, leftOf(before))).toBeLessThan(1e-5);
  });
});

describe('DiffiT', () => {
  const tiny: Partial<DiffitConfig> = {
    sampleSize: 8,
    blockOutChannels: [8, 16],
    layersPerStage: 1,
    windowSizes: [4, 2],
    attentionHeadDim: 4,
    timeEmbedDim: 12,
    normNumGroups: 4,
  };
  const net = diffit(tiny);
  const params = weightsOf(net.init(torchGenerator(0)), 'diffit');
  const time = tensor([500]);

  test('takes pictures of other sides, which windows tile', async () => {
    const values = await numbers(net.apply(params, numbersOf('x', [1, 3, 4, 12]), time));
    expect(values).toHaveLength(3 * 4 * 12);
    expect(() => net.apply(params, zeros([1, 3, 6, 8]), time)).toThrow('[backbones/diffit] image sides are not multiples');
  });

  test('a label that is not given is the one that stands for none', async () => {
    const own = diffit({ ...tiny, numClasses: 3, noneLabel: 2 });
    const weights = weightsOf(own.init(torchGenerator(0)), 'diffit labels');
    const x = numbersOf('x', [1, 3, 8, 8]);
    const label = async (at?: number): Promise<number[]> =>
      numbers(own.apply(weights, x, time, { conditions: at === undefined ? {} : { label: tensor([at], { dtype: 'int32' }) } }));
    expect(apart(await label(), await label(2))).toBe(0);
    expect(apart(await label(), await label(1))).toBeGreaterThan(1e-3);
  });

  test('that starts at zero gives exactly 0', async () => {
    const zero = diffit(tiny, { init: 'zero' });
    const values = await numbers(zero.apply(zero.init(torchGenerator(0)), numbersOf('x', [1, 3, 8, 8]), time));
    expect(values.every((value) => value === 0)).toBe(true);
  });

  test('its configuration goes through a file', () => {
    expect(parseDiffitConfig(diffitToConfig(tiny))).toEqual({ ...parseDiffitConfig({}), ...tiny });
  });

  test('says what does not fit', () => {
    expect(() => diffit({ ...tiny, windowSizes: [4] })).toThrow('window_sizes=[4]');
    expect(() => diffit({ ...tiny, attentionHeadDim: 3 })).toThrow('block_out_channels=8, attention_head_dim=3');
    expect(() => diffit({ ...tiny, sampleSize: 6 })).toThrow('Sides are multiples of 4');
    expect(() => diffit({ ...tiny, noneLabel: 0 })).toThrow('none_label=0, num_classes=0');
    expect(() => diffit({ ...tiny, mlpRatio: 0.01 })).toThrow('mlp_ratio=0.01');
  });
});
