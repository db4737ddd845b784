import { backboneFromConfig, defineBackbone, edm2, edm2Backbone, edm2FromConfig, edm2Presets, type Edm2Params } from '@langevin/backbones';
import { checkBackbone } from '@langevin/backbones/testing';
import type { Network } from '@langevin/core';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { forceFilterNorms, listenAt, mpConcat, mpSilu, mpSum, parameterCount, parameterShapes } from '@langevin/nn';
import {
  mapTensors,
  mean,
  mul,
  numbers,
  ones,
  realize,
  setDefaultEngine,
  square,
  tensor,
  torchGenerator,
  type Tensor,
} from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readGolden } from './golden.ts';
import { expectCase, expectCounts, type NetworkGolden } from './network-case.ts';

vi.setConfig({ testTimeout: 60_000 });
const golden = readGolden<NetworkGolden>('edm2.json');
const parse = (config: object): Network<unknown> => edm2FromConfig(config) as Network<unknown>;
const BUFFERS = ['noise_features.frequencies', 'noise_features.phases'];
const TINY = { sampleSize: 8, inChannels: 2, modelChannels: 8, channelMultipliers: [1, 2], layersPerBlock: 1, attentionSizes: [4] };

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

/** With gains of 1, which are 0 in a fresh network. */
const withGains = <P>(params: P): P => mapTensors(params, (parameter, _, name) => (name.endsWith('gain') ? ones([]) : parameter));
const normal = (shape: readonly number[], seed = 1): Tensor =>
  tensor(torchGenerator(seed).normal(shape.reduce((a, b) => a * b, 1)), { shape });
const magnitude = async (x: Tensor): Promise<number> => (await numbers(mean(square(x))))[0]!;

describe('a network written from the paper', () => {
  test.each(golden.cases.map((entry) => [entry.name, entry] as const))('%s: output and gradients', async (_, entry) => {
    await expectCase(entry, { network: parse(entry.config), tolerance: golden.tolerance }, BUFFERS);
  });

  test('sizes have as many parameters', () => expectCounts(golden, parse, BUFFERS));

  test('sizes have the millions of parameters that the paper says', () => {
    // Mparams of the paper, which count the 128 of u(sigma) too.
    const paper = { 'EDM2-XS': 125, 'EDM2-S': 280, 'EDM2-M': 498, 'EDM2-L': 777, 'EDM2-XL': 1119, 'EDM2-XXL': 1523 } as const;
    for (const [name, millions] of Object.entries(paper)) {
      const network = edm2({ ...edm2Presets[name as keyof typeof paper], numClasses: 1000 });
      expect(Math.abs(parameterCount(network) / 1e6 - millions), name).toBeLessThan(0.6);
    }
  });
});

describe('magnitudes', () => {
  test('each operation keeps a mean square of 1', async () => {
    const [a, b] = [normal([4, 64, 16, 16], 2), normal([4, 32, 16, 16], 3)];
    expect(await magnitude(mpSilu(a))).toBeCloseTo(1, 1);
    for (const share of [0, 0.3, 0.5, 1]) {
      expect(await magnitude(mpSum(a, normal([4, 64, 16, 16], 4), share))).toBeCloseTo(1, 1);
      expect(await magnitude(mpConcat(a, b, share))).toBeCloseTo(1, 1);
    }
    // At a share of one half, both inputs have the same say however many channels they have.
    const joined = await numbers(mean(square(mpConcat(a, b, 0.5)), { axes: [0, 2, 3] }));
    const energy = (from: number, to: number): number => joined.slice(from, to).reduce((sum, value) => sum + value, 0);
    expect(energy(0, 64) / energy(64, 96)).toBeCloseTo(1, 1);
  });

  test('stay within 0.1 of what comes into each block of a network with random weights; 0.1 of 1 on the way down', async () => {
    // Zeros around a picture weigh little in a large one; without `attentionSizes` only the first block on the way up attends.
    const network = edm2({ sampleSize: 64, modelChannels: 32, channelMultipliers: [1, 2], layersPerBlock: 2, attentionSizes: [] });
    const names = [...parameterShapes(network).keys()].filter((name) => name.endsWith('.conv1.filters'));
    const places = names.map((name) => name.replace('.conv1.filters', ''));
    // The expectation is one over weights too: the mean over a few networks.
    const SEEDS = [1, 2, 3, 4, 5, 6];
    const found = new Map(places.map((place) => [place, 0]));
    for (const seed of SEEDS) {
      const heard = new Map<string, Tensor>();
      const taps = listenAt(
        Object.fromEntries(places.map((place) => [place, (value: Tensor) => (heard.set(place, mean(square(value))), value)])),
      );
      network.apply(network.init(torchGenerator(seed)), normal([1, 4, 64, 64], seed), tensor([0.5]), { taps });
      await realize([...heard.values()]);
      for (const [place, value] of heard) found.set(place, found.get(place)! + (await numbers(value))[0]! / SEEDS.length);
    }
    const at = (way: 'down' | 'up', i: number): number => found.get(`${way}_blocks.${i}`)!;
    expect(places).toHaveLength(5 + 9);
    for (let i = 0; i < 5; i += 1) expect(Math.abs(at('down', i) - 1), `down ${i}`).toBeLessThan(0.1);
    // Means over pixels of what does not depend on each other have no magnitude: attention may take the share of its branch.
    const attended = at('up', 0) / at('down', 4);
    expect(attended).toBeGreaterThan(0.9 * (0.7 ** 2 / (0.7 ** 2 + 0.3 ** 2)));
    expect(attended).toBeLessThan(1.1);
    // A join has the mean of the squares of both.
    const skips = { 2: at('down', 4), 3: at('down', 3), 4: at('down', 2), 6: at('down', 1), 7: at('down', 0), 8: 1 };
    for (let i = 1; i < 9; i += 1) {
      const skip = (skips as Partial<Record<number, number>>)[i] ?? at('up', i - 1);
      const before = (at('up', i - 1) + skip) / 2;
      expect(Math.abs(at('up', i) / before - 1), `up ${i}: ${at('up', i)} of ${before}`).toBeLessThan(0.1);
    }
  });
});

describe('weights', () => {
  const network = edm2({ ...TINY, numClasses: 3, attentionHeadDim: 4 });
  const x = normal([2, 2, 8, 8]);
  const run = async (params: Edm2Params): Promise<readonly number[]> =>
    numbers(network.apply(params, x, tensor([-0.5, 0.5]), { conditions: { label: tensor([0, 2], { dtype: 'int32' }) } }));
  const apart = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

  test('a fresh network gives exactly 0', async () => {
    expect((await run(network.init(torchGenerator(1)))).every((value) => value === 0)).toBe(true);
  });

  test('ten times all filters are the same function', async () => {
    const params = withGains(network.init(torchGenerator(2)));
    const scaled = mapTensors(params, (parameter, _, name) => (name.endsWith('filters') ? mul(parameter, 10) : parameter));
    const [one, ten] = [await run(params), await run(scaled)];
    // Each of the layers in a row differs by epsilon = 1e-4 at most.
    expect(apart(one, ten)).toBeLessThan(5e-3 * Math.max(...one.map(Math.abs)));
    expect(Math.max(...one.map(Math.abs))).toBeGreaterThan(0.5);
  });

  test('forced filters have the length sqrt(inputs times kernel); gains and frequencies stay', async () => {
    const params = withGains(network.init(torchGenerator(3)));
    const forced = mapTensors(params, (parameter, _, name) => forceFilterNorms(mul(parameter, 3), name));
    const { filters } = forced.down_blocks[0]!.conv1;
    const squares = await numbers(mean(square(filters), { axes: [1, 2, 3] }));
    for (const value of squares) expect(Math.abs(Math.sqrt(value) - 1)).toBeLessThan(2e-4);
    expect(await numbers(forced.out_gain)).toEqual([3]);
    expect(apart(await numbers(forced.noise_features.phases), await numbers(mul(params.noise_features.phases, 3)))).toBe(0);
  });
});

test('what all backbones keep, it keeps when its gains are not 0', async () => {
  const live = defineBackbone({
    ...edm2Backbone,
    parse(config) {
      const network = edm2Backbone.parse(config);
      return { ...network, init: (generator) => withGains(network.init(generator)) };
    },
  });
  await checkBackbone(live, {
    config: {
      ...{ sample_size: 8, in_channels: 2, num_classes: 3, model_channels: 8, channel_multipliers: [1, 2] },
      ...{ layers_per_block: 1, attention_sizes: [4], attention_head_dim: 4 },
    },
  });
});

test('configurations that contradict themselves are refused', () => {
  expect(() => edm2({ sampleSize: 12 })).toThrow('[backbones/edm2] the sample cannot be halved at each level: sample_size=12');
  expect(() => edm2({ attentionSizes: [10] })).toThrow('no level has this side: attention_sizes=10');
  expect(() => edm2({ attentionHeadDim: 50 })).toThrow('heads do not divide the channels: attention_head_dim=50');
  expect(() => backboneFromConfig({ _class_name: 'Edm2UNet', clip: 0 })).toThrow('clip');
});
