import type { Network } from '@langevin/core';
import { parseUvitConfig, uvit, uvitFromConfig, uvitToConfig, type UvitConfig } from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { listenAt } from '@langevin/nn';
import { numbersOf, weightsOf } from '@langevin/nn/testing';
import { concat, mul, numbers, ones, setDefaultEngine, slice, tensor, torchGenerator, zeros, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readGolden } from './golden.ts';
import { expectCase, expectCounts, type NetworkGolden } from './network-case.ts';

vi.setConfig({ testTimeout: 60_000 });
const golden = readGolden<NetworkGolden>('u-vit.json');
const parse = (config: object): Network<unknown> => uvitFromConfig(config) as Network<unknown>;
const apart = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

describe('a twin of U-ViT in PyTorch', () => {
  test.each(golden.cases.map((entry) => [entry.name, entry] as const))('%s: output and gradients', async (_, entry) => {
    await expectCase(entry, { network: parse(entry.config), tolerance: golden.tolerance });
  });

  test("the paper's sizes have as many parameters", () => {
    expectCounts(golden, parse);
    // In millions, as its table 1 has them.
    expect(golden.counts.map(({ parameters }) => Math.round(parameters / 1e6))).toEqual([44, 131, 287, 501]);
  });
});

describe('U-ViT', () => {
  const tiny: Partial<UvitConfig> = { imgSize: 4, patchSize: 2, embedDim: 16, depth: 2, numHeads: 2, clipDim: 6, numClipToken: 5 };
  const net = uvit(tiny);
  const params = weightsOf(net.init(torchGenerator(0)), 'u-vit');
  const x = numbersOf('x', [1, 3, 4, 4]);
  const text = numbersOf('text', [1, 5, 6]);
  const time = tensor([500]);
  const of = async (weights = params, words = text): Promise<number[]> =>
    numbers(net.apply(weights, x, time, { conditions: { text: words } }));

  test('long skips: without their half of the layer that joins them the output is another', async () => {
    const [block] = params.out_blocks;
    const halfOf = concat([ones([1, 16]), zeros([1, 16])], 1);
    const { weight } = block!.skip_linear!;
    const cut = { ...params, out_blocks: [{ ...block!, skip_linear: { ...block!.skip_linear!, weight: mul(weight, halfOf) } }] };
    expect(apart(await of(), await of(cut))).toBeGreaterThan(1e-2);
  });

  test.each([
    ['one for the time', {}, 1],
    ['one for a label', { numClasses: 3 }, 2],
    ['those of a text', { clipDim: 6, numClipToken: 5 }, 6],
  ])('tokens are those of the patches and %s', async (_, more, extras) => {
    const one = uvit({ imgSize: 8, patchSize: 2, embedDim: 16, depth: 2, numHeads: 2, ...more });
    const seen: number[][] = [];
    const taps = listenAt({
      mid_block: (tokens) => {
        seen.push([...tokens.shape]);
        return tokens;
      },
    });
    const conditions = {
      ...('numClasses' in more && { label: tensor([1], { dtype: 'int32' }) }),
      ...('clipDim' in more && { text }),
    };
    await numbers(one.apply(one.init(torchGenerator(0)), zeros([1, 3, 8, 8]), time, { conditions, taps }));
    expect(seen).toEqual([[1, 16 + extras, 16]]);
  });

  test('tokens of a text without positions have no order: exchanged, they come out exchanged, and the picture is the same', async () => {
    const bare = { ...params, pos_embed: zeros([1, 10, 16]) };
    const turn = (t: Tensor): Tensor => concat([slice(t, { 1: { start: 2, stop: 5 } }), slice(t, { 1: { start: 0, stop: 2 } })], 1);
    expect(apart(await of(bare), await of(bare, turn(text)))).toBeLessThan(1e-5);
    expect(apart(await of(), await of(params, turn(text)))).toBeGreaterThan(1e-3);
    const wordsAt = async (words: Tensor): Promise<Tensor> => {
      let seen = words;
      const taps = listenAt({
        'out_blocks.0': (tokens) => {
          seen = slice(tokens, { 1: { start: 1, stop: 6 } });
          return tokens;
        },
      });
      net.apply(bare, x, time, { conditions: { text: words }, taps });
      return Promise.resolve(seen);
    };
    expect(apart(await numbers(turn(await wordsAt(text))), await numbers(await wordsAt(turn(text))))).toBeLessThan(1e-5);
  });

  test.each([true, false])('that starts at zero gives exactly 0, with a convolution at the end: %s', async (hasConv) => {
    const zero = uvit({ ...tiny, conv: hasConv }, { init: 'zero' });
    const values = await numbers(zero.apply(zero.init(torchGenerator(0)), x, time, { conditions: { text } }));
    expect(values.every((value) => value === 0)).toBe(true);
  });

  test('a label that is not given is the one that stands for none', async () => {
    const own = uvit({ imgSize: 4, patchSize: 2, embedDim: 16, depth: 2, numHeads: 2, numClasses: 3, noneLabel: 2 });
    const weights = weightsOf(own.init(torchGenerator(0)), 'u-vit labels');
    const label = async (at?: number): Promise<number[]> =>
      numbers(own.apply(weights, x, time, { conditions: at === undefined ? {} : { label: tensor([at], { dtype: 'int32' }) } }));
    expect(apart(await label(), await label(2))).toBe(0);
    expect(apart(await label(), await label(1))).toBeGreaterThan(1e-3);
  });

  test('its configuration goes through a file', () => {
    expect(parseUvitConfig(uvitToConfig(tiny))).toEqual({ ...parseUvitConfig({}), ...tiny });
  });

  test('says what does not fit', () => {
    const conditions = { text };
    expect(() => net.apply(params, zeros([1, 3, 8, 8]), time, { conditions })).toThrow('[backbones/u-vit] sample has another size');
    expect(() => net.apply(params, x, time, { conditions: { text: zeros([1, 4, 6]) } })).toThrow('num_clip_token=5');
    expect(() => uvit({ ...tiny, numHeads: 3 })).toThrow('embed_dim=16, num_heads=3');
    expect(() => uvit({ ...tiny, imgSize: 5 })).toThrow('img_size=5, patch_size=2');
    expect(() => uvit({ ...tiny, numClasses: 3 })).toThrow('num_classes=3, clip_dim=6');
    expect(() => uvit({ numClasses: 3, noneLabel: 3 })).toThrow('none_label=3');
    expect(() => uvit({ ...tiny, mlpRatio: 0.01 })).toThrow('mlp_ratio=0.01');
  });
});
