import type { Network } from '@langevin/core';
import { sd3, sd3FromConfig, type Sd3Config } from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { listenAt } from '@langevin/nn';
import { numbersOf, weightsOf } from '@langevin/nn/testing';
import { mul, numbers, setDefaultEngine, tensor, torchGenerator, zeros, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readGolden } from './golden.ts';
import { expectCase, expectCounts, expectFresh, type NetworkGolden } from './network-case.ts';

vi.setConfig({ testTimeout: 60_000 });
const golden = readGolden<NetworkGolden>('sd3.json');
const parse = (config: object): Network<unknown> => sd3FromConfig(config) as Network<unknown>;
const BUFFERS = ['pos_embed.pos_embed'];

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

describe("diffusers' SD3Transformer2DModel", () => {
  test.each(golden.cases.map((entry) => [entry.name, entry] as const))('%s: output and gradients', async (_, entry) => {
    await expectCase(entry, { network: parse(entry.config), tolerance: golden.tolerance }, BUFFERS);
  });

  test.each(golden.fresh.map((entry) => [entry.name, entry] as const))('%s: a seed makes the same network', async (_, entry) => {
    await expectFresh(entry, { network: parse(entry.config), tolerance: golden.tolerance.init });
  });

  test('published configurations have as many parameters', () => expectCounts(golden, parse, BUFFERS));
});

describe('MM-DiT', () => {
  const tiny: Partial<Sd3Config> = {
    numAttentionHeads: 2,
    attentionHeadDim: 8,
    captionProjectionDim: 16,
    numLayers: 2,
    inChannels: 4,
    outChannels: 4,
    sampleSize: 8,
    jointAttentionDim: 10,
    pooledProjectionDim: 6,
    posEmbedMaxSize: 6,
  };
  const net = sd3(tiny);
  const params = weightsOf(net.init(torchGenerator(0)), 'mm-dit');
  const conditions = { text: numbersOf('text', [1, 5, 10]), pooled: numbersOf('pooled', [1, 6]) };
  const x = numbersOf('x', [1, 4, 8, 8]);
  const time = tensor([500]);

  test('the text changes when the picture changes: what it gathers in the first block is of both', async () => {
    const told = async (picture: Tensor): Promise<number[]> => {
      const seen: Tensor[] = [];
      const taps = listenAt({ 'transformer_blocks.0.attn.text': (value) => (seen.push(value), value) });
      net.apply(params, picture, time, { conditions, taps });
      return numbers(seen[0]!);
    };
    const [first, same, other] = [await told(x), await told(mul(x, 1)), await told(mul(x, -1))];
    expect(first).toEqual(same);
    expect(Math.max(...first.map((value, i) => Math.abs(value - other[i]!)))).toBeGreaterThan(1e-2);
  });

  test('streams have weights of their own: exchanged, they give another picture', async () => {
    const [first, ...rest] = params.transformer_blocks;
    const { to_q, to_k, to_v, add_q_proj, add_k_proj, add_v_proj } = first!.attn;
    const attn = {
      ...first!.attn,
      to_q: add_q_proj!,
      to_k: add_k_proj!,
      to_v: add_v_proj!,
      add_q_proj: to_q,
      add_k_proj: to_k,
      add_v_proj: to_v,
    };
    const exchanged = { ...params, transformer_blocks: [{ ...first!, attn }, ...rest] };
    const of = (at: typeof params): Promise<number[]> => numbers(net.apply(at, x, time, { conditions }));
    const [a, b] = [await of(params), await of(exchanged)];
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))).toBeGreaterThan(1e-2);
  });

  test('without a mask all tokens are text; with one, those that are none change nothing', async () => {
    const of = (text: Tensor, mask?: readonly number[]): Promise<number[]> =>
      numbers(
        net.apply(params, x, time, {
          conditions: { ...conditions, text, ...(mask && { 'text.mask': tensor(mask, { shape: [1, mask.length], dtype: 'bool' }) }) },
        }),
      );
    const short = numbersOf('text', [1, 3, 10]);
    const padded = numbersOf('text', [1, 5, 10]); // the same three tokens first
    const kept = await of(padded, [1, 1, 1, 0, 0]);
    (await of(short)).forEach((value, i) => expect(Math.abs(value - kept[i]!)).toBeLessThan(1e-5));
    expect(await of(padded, [1, 1, 1, 1, 1])).toEqual(await of(padded));
    expect(await of(padded)).not.toEqual(kept);
  });

  test('that starts at zero gives exactly 0', async () => {
    const zero = sd3(tiny, { init: 'zero' });
    const values = await numbers(zero.apply(zero.init(torchGenerator(0)), x, time, { conditions }));
    expect(values.every((value) => value === 0)).toBe(true);
  });

  test('says what does not fit', () => {
    expect(() => net.apply(params, zeros([1, 4, 14, 8]), time, { conditions })).toThrow(
      '[backbones/sd3] picture has more patches than places: sides=[14, 8], pos_embed_max_size=6. Sides go up to 12.',
    );
    expect(() => net.apply(params, x, time, { conditions: { text: conditions.text } })).toThrow(
      '[backbones/sd3] condition is missing: name=pooled. Give float32 [1, 6].',
    );
    expect(() => sd3({ ...tiny, dualAttentionLayers: [2] })).toThrow('[backbones/sd3] layer does not exist: dual_attention_layers has 2');
    expect(() => sd3({ ...tiny, captionProjectionDim: 32 })).toThrow('caption_projection_dim=32');
  });
});
