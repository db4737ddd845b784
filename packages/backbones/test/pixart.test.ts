import { pixart, pixartFromConfig } from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { setDefaultEngine } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Network } from '@langevin/core';
import { readGolden } from './golden.ts';
import { expectCase, expectCounts, expectFresh, type NetworkGolden } from './network-case.ts';

vi.setConfig({ testTimeout: 60_000 });
const golden = readGolden<NetworkGolden>('pixart.json');
const parse = (config: object): Network<unknown> => pixartFromConfig(config) as Network<unknown>;

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

describe("diffusers' PixArtTransformer2DModel", () => {
  test.each(golden.cases.map((entry) => [entry.name, entry] as const))('%s: output and gradients', async (_, entry) => {
    await expectCase(entry, { network: parse(entry.config), tolerance: golden.tolerance });
  });

  test.each(golden.fresh.map((entry) => [entry.name, entry] as const))('%s: a seed makes the same network', async (_, entry) => {
    await expectFresh(entry, { network: parse(entry.config), tolerance: golden.tolerance.init });
  });

  test('published configurations have as many parameters', () => expectCounts(golden, parse));
});

test('configurations that contradict themselves are refused', () => {
  expect(() => pixart({ attentionHeadDim: 71 })).toThrow('[backbones/pixart] width is not a multiple of 3');
  expect(() => pixart({ captionChannels: 4096, crossAttentionDim: 768 })).toThrow('cross_attention_dim=768, width=1152');
});
