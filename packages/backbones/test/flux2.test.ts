import type { Network } from '@langevin/core';
import { flux2, flux2FromConfig, flux2ToConfig, parseFlux2Config, type Flux2Config } from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { numbersOf, weightsOf } from '@langevin/nn/testing';
import { numbers, setDefaultEngine, tensor, torchGenerator, zeros, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readGolden } from './golden.ts';
import { expectCase, expectCounts, expectFresh, type NetworkGolden } from './network-case.ts';

vi.setConfig({ testTimeout: 60_000 });
const golden = readGolden<NetworkGolden>('flux2.json');
const parse = (config: object): Network<unknown> => flux2FromConfig(config) as Network<unknown>;

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

describe("diffusers' Flux2Transformer2DModel", () => {
  test.each(golden.cases.map((entry) => [entry.name, entry] as const))('%s: output and gradients', async (_, entry) => {
    await expectCase(entry, { network: parse(entry.config), tolerance: golden.tolerance });
  });

  test.each(golden.fresh.map((entry) => [entry.name, entry] as const))('%s: a seed makes the same network', async (_, entry) => {
    await expectFresh(entry, { network: parse(entry.config), tolerance: golden.tolerance.init });
  });

  test('published configurations have as many parameters', () => expectCounts(golden, parse));
});

describe('a transformer of Flux.2', () => {
  const tiny: Partial<Flux2Config> = {
    numAttentionHeads: 2,
    attentionHeadDim: 16,
    numLayers: 1,
    numSingleLayers: 1,
    inChannels: 3,
    jointAttentionDim: 10,
    timestepGuidanceChannels: 32,
    axesDimsRope: [4, 4, 4, 4],
  };
  const net = flux2(tiny);
  const params = weightsOf(net.init(torchGenerator(0)), 'flux2');
  const conditions = { text: numbersOf('text', [1, 5, 10]), guidance: tensor([3.5]) };
  const x = numbersOf('x', [1, 3, 3, 4]);
  const time = tensor([500]);
  const of = async (more: Readonly<Record<string, Tensor>> = {}): Promise<number[]> =>
    numbers(net.apply(params, x, time, { conditions: { ...conditions, ...more } }));
  const apart = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

  test('is told its guidance', async () => {
    expect(apart(await of(), await of({ guidance: tensor([1]) }))).toBeGreaterThan(1e-3);
  });

  test('words have an order, unlike in Flux.1', async () => {
    const rows = await numbers(conditions.text);
    const turned = [...rows.slice(10), ...rows.slice(0, 10)];
    expect(apart(await of(), await of({ text: tensor(turned, { shape: [1, 5, 10] }) }))).toBeGreaterThan(1e-3);
  });

  test('tokens of text that are masked change nothing', async () => {
    const short = await of({ text: numbersOf('text', [1, 3, 10]) });
    const masked = await of({ 'text.mask': tensor([1, 1, 1, 0, 0], { shape: [1, 5], dtype: 'bool' }) });
    expect(apart(short, masked)).toBeLessThan(1e-5);
  });

  test('that starts at zero gives exactly 0', async () => {
    const zero = flux2(tiny, { init: 'zero' });
    const values = await numbers(zero.apply(zero.init(torchGenerator(0)), x, time, { conditions }));
    expect(values.every((value) => value === 0)).toBe(true);
  });

  test('its configuration goes through a file', () => {
    expect(parseFlux2Config(flux2ToConfig(tiny))).toEqual({ ...parseFlux2Config({}), outChannels: null, ...tiny });
  });

  test('says what does not fit', () => {
    expect(() => net.apply(params, zeros([1, 4, 3, 4]), time, { conditions })).toThrow('[backbones/flux2] sample does not fit');
    expect(() => net.apply(params, x, time, { conditions: { text: conditions.text } })).toThrow('name=guidance');
    expect(() => flux2({ ...tiny, axesDimsRope: [2, 2, 2, 2] })).toThrow('axes_dims_rope=[2, 2, 2, 2], attention_head_dim=16');
    expect(() => flux2({ ...tiny, axesDimsRope: [4, 4, 8] })).toThrow('[backbones/flux2]');
    expect(() => flux2({ ...tiny, timestepGuidanceChannels: 31 })).toThrow('timestep_guidance_channels=31');
    expect(() => flux2({ ...tiny, mlpRatio: 0.001 })).toThrow('mlp_ratio=0.001');
  });
});
