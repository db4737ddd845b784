import type { Network } from '@langevin/core';
import { flux, fluxFromConfig, type FluxConfig } from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { numbersOf, weightsOf } from '@langevin/nn/testing';
import { numbers, setDefaultEngine, tensor, torchGenerator, zeros, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readGolden } from './golden.ts';
import { expectCase, expectCounts, expectFresh, type NetworkGolden } from './network-case.ts';

vi.setConfig({ testTimeout: 60_000 });
const golden = readGolden<NetworkGolden>('flux.json');
const parse = (config: object): Network<unknown> => fluxFromConfig(config) as Network<unknown>;

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

describe("diffusers' FluxTransformer2DModel", () => {
  test.each(golden.cases.map((entry) => [entry.name, entry] as const))('%s: output and gradients', async (_, entry) => {
    await expectCase(entry, { network: parse(entry.config), tolerance: golden.tolerance });
  });

  test.each(golden.fresh.map((entry) => [entry.name, entry] as const))('%s: a seed makes the same network', async (_, entry) => {
    await expectFresh(entry, { network: parse(entry.config), tolerance: golden.tolerance.init });
  });

  test('published configurations have as many parameters', () => expectCounts(golden, parse));
});

describe('a transformer of Flux', () => {
  const tiny: Partial<FluxConfig> = {
    numAttentionHeads: 2,
    attentionHeadDim: 8,
    numLayers: 1,
    numSingleLayers: 1,
    inChannels: 8,
    outChannels: null,
    jointAttentionDim: 10,
    pooledProjectionDim: 6,
    guidanceEmbeds: true,
    axesDimsRope: [2, 2, 4],
  };
  const net = flux(tiny);
  const params = weightsOf(net.init(torchGenerator(0)), 'flux');
  const conditions = { text: numbersOf('text', [1, 5, 10]), pooled: numbersOf('pooled', [1, 6]), guidance: tensor([3.5]) };
  const x = numbersOf('x', [1, 2, 6, 8]);
  const time = tensor([500]);
  const of = async (more: Readonly<Record<string, Tensor>> = {}, at = x): Promise<number[]> =>
    numbers(net.apply(params, at, time, { conditions: { ...conditions, ...more } }));
  const apart = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

  test('is told its guidance', async () => {
    expect(apart(await of(), await of({ guidance: tensor([1]) }))).toBeGreaterThan(1e-3);
  });

  test('text has no order, the picture has: tokens of text may be exchanged, rows of the picture may not', async () => {
    const rows = await numbers(conditions.text);
    const turned = [...rows.slice(10), ...rows.slice(0, 10)];
    expect(apart(await of(), await of({ text: tensor(turned, { shape: [1, 5, 10] }) }))).toBeLessThan(1e-5);
    const picture = await numbers(x);
    const band = 2 * 8;
    const moved = [0, 1].flatMap((c) => {
      const own = picture.slice(c * 48, (c + 1) * 48);
      return [...own.slice(band), ...own.slice(0, band)];
    });
    const out = await of({}, tensor(moved, { shape: [1, 2, 6, 8] }));
    const back = [0, 1].flatMap((c) => {
      const own = out.slice(c * 48, (c + 1) * 48);
      return [...own.slice(-band), ...own.slice(0, -band)];
    });
    expect(apart(await of(), back)).toBeGreaterThan(1e-3);
  });

  test('tokens of text that are masked change nothing', async () => {
    const short = await of({ text: numbersOf('text', [1, 3, 10]) });
    const masked = await of({ 'text.mask': tensor([1, 1, 1, 0, 0], { shape: [1, 5], dtype: 'bool' }) });
    expect(apart(short, masked)).toBeLessThan(1e-5);
  });

  test('that starts at zero gives exactly 0', async () => {
    const zero = flux(tiny, { init: 'zero' });
    const values = await numbers(zero.apply(zero.init(torchGenerator(0)), x, time, { conditions }));
    expect(values.every((value) => value === 0)).toBe(true);
  });

  test('says what does not fit', () => {
    expect(() => net.apply(params, zeros([1, 2, 5, 8]), time, { conditions })).toThrow('[backbones/flux] image sides are not multiples');
    expect(() => net.apply(params, x, time, { conditions: { text: conditions.text, pooled: conditions.pooled } })).toThrow('name=guidance');
    expect(() => flux({ ...tiny, axesDimsRope: [2, 2, 2] })).toThrow('axes_dims_rope=[2, 2, 2], attention_head_dim=8');
    expect(() => flux({ ...tiny, axesDimsRope: [1, 3, 4] })).toThrow('[backbones/flux]');
    expect(() => flux({ ...tiny, inChannels: 6 })).toThrow('in_channels=6');
  });
});
