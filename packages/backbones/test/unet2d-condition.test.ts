import { listenAt, type Network, type NetworkInputs } from '@langevin/core';
import {
  backbonePlugins,
  controlled,
  controlNet,
  imagePromptName,
  imagePromptScaleName,
  joinedChannels,
  parseControlNetConfig,
  parseUnet2dConditionConfig,
  t2iAdapter,
  unet2dCondition,
  unet2dConditionToConfig,
  withImagePrompts,
  type Steering,
  type Unet2dConditionConfig,
} from '@langevin/backbones';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { fitWeights, shapesOnly } from '@langevin/nn';
import { numbersOf, weightsOf } from '@langevin/nn/testing';
import { errorKind, mul, namedTensors, numbers, scalar, setDefaultEngine, sum, tensor, traceGraph, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 60_000 });
beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

const tiny = {
  blockOutChannels: [8, 8],
  layersPerBlock: 1,
  normNumGroups: 4,
  crossAttentionDim: 6,
  attentionHeadDim: 2,
  downBlockTypes: ['CrossAttnDownBlock2D', 'DownBlock2D'],
  upBlockTypes: ['UpBlock2D', 'CrossAttnUpBlock2D'],
} as const satisfies Partial<Unet2dConditionConfig>;
const x = numbersOf('x', [2, 4, 4, 4]);
const text = numbersOf('text', [2, 5, 6]);
const mask = tensor([1, 1, 0, 0, 0, 1, 1, 1, 1, 0], { shape: [2, 5], dtype: 'bool' });
const net = unet2dCondition(tiny);
const params = weightsOf(net.init(shapesOnly), 'net');
const time = scalar(7);

const run = <P>(network: Network<P>, of: P, inputs: NetworkInputs): Promise<number[]> => numbers(network.apply(of, x, time, inputs));
const distance = (a: readonly number[], b: readonly number[]): number => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
const keyOf = <P>(network: Network<P>, of: P, inputs: NetworkInputs): string =>
  traceGraph((sample: Tensor) => network.apply(of, sample, time, inputs), [x]).key;
const complaint = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return `${errorKind(error)}: ${(error as Error).message}`;
  }
  throw new Error('nothing was thrown');
};

describe('taps', () => {
  const place = 'down_blocks.0.attentions.0.transformer_blocks.0.attn2';
  const names = [`${place}.weights`, place, 'down_blocks.0.attentions.0.transformer_blocks.0.ff', 'mid_block', 'up_blocks.1'];

  test('nobody listening, or somebody who changes nothing, the graph is the same', () => {
    const alone = keyOf(net, params, { conditions: { text } });
    expect(keyOf(net, params, { conditions: { text }, taps: listenAt({ elsewhere: (value) => mul(value, 0) }) })).toBe(alone);
    expect(keyOf(net, params, { conditions: { text }, taps: listenAt({ [place]: (value) => value }) })).toBe(alone);
    for (const name of names)
      expect(keyOf(net, params, { conditions: { text }, taps: listenAt({ [name]: (value) => mul(value, 2) }) }), name).not.toBe(alone);
  });

  test.each([
    ['without a mask', {}],
    ['with a mask', { 'text.mask': mask }],
  ])('weights are those of the attention, %s: rows sum to 1, the result stays', async (_, masked) => {
    const conditions = { text, ...masked };
    const seen: Tensor[] = [];
    const taps = listenAt({ [`${place}.weights`]: (weights) => (seen.push(weights), weights) });
    expect(distance(await run(net, params, { conditions, taps }), await run(net, params, { conditions }))).toBeLessThan(1e-5);
    expect(seen[0]!.shape).toEqual([2, 2, 16, 5]); // [N, heads, H W, L]
    for (const total of await numbers(sum(seen[0]!, { axes: -1 }))) expect(total).toBeCloseTo(1, 5);
  });
});

test.each([
  ['of Stable Diffusion 1', { attentionHeadDim: 2 }, [2, 2]],
  ['of Stable Diffusion 2, a list', { attentionHeadDim: [1, 4] }, [1, 4]],
  ['by their own name, which wins', { attentionHeadDim: 2, numAttentionHeads: [8, 4] }, [8, 4]],
])('attention_head_dim is the number of heads: %s', (_, config, [top, bottom]) => {
  const seen: Record<string, number> = {};
  const watched = unet2dCondition({ ...tiny, ...config });
  const middle = 'mid_block.attentions.0.transformer_blocks.0.attn1.weights';
  const first = 'up_blocks.1.attentions.0.transformer_blocks.0.attn1.weights';
  const note = (name: string) => (weights: Tensor) => ((seen[name] = weights.shape[1]!), weights);
  const taps = listenAt({ [middle]: note('middle'), [first]: note('top') });
  watched.apply(watched.init(shapesOnly), x, time, { conditions: { text }, taps });
  expect(seen).toEqual({ top, middle: bottom });
});

test('upcast_attention leaves float32 as it is: the graph is the same', () => {
  const upcast = unet2dCondition({ ...tiny, upcastAttention: true });
  expect(keyOf(upcast, params, { conditions: { text } })).toBe(keyOf(net, params, { conditions: { text } }));
});

test('a mask leaves tokens out: what stands there does not matter', async () => {
  const other = mul(text, tensor([1, 1, 9, 9, 9, 1, 1, 1, 1, 9], { shape: [2, 5, 1] }));
  const masked = await run(net, params, { conditions: { text, 'text.mask': mask } });
  expect(distance(await run(net, params, { conditions: { text: other, 'text.mask': mask } }), masked)).toBeLessThan(1e-5);
  expect(distance(await run(net, params, { conditions: { text } }), masked)).toBeGreaterThan(1e-3);
});

test('the guidance of an LCM is told as everywhere: w is the scale less 1', async () => {
  const lcm = unet2dCondition({ ...tiny, timeCondProjDim: 8 });
  const own = weightsOf(lcm.init(shapesOnly), 'lcm');
  expect(lcm.info.conditions['guidance']).toEqual({ kind: 'scalar', optional: true });
  const at = (guidance: number): Promise<number[]> => run(lcm, own, { conditions: { text, guidance: tensor([guidance, guidance]) } });
  expect(distance(await at(1), await at(8.5))).toBeGreaterThan(1e-3);
  // Left out, it is a network without the layer.
  const { cond_proj: _, ...embedding } = own.time_embedding;
  const plain = await run(net, { ...own, time_embedding: embedding }, { conditions: { text } });
  expect(distance(await run(lcm, own, { conditions: { text } }), plain)).toBe(0);
});

describe('steering', () => {
  const control = controlNet({
    ...Object.fromEntries(Object.entries(tiny).filter(([key]) => key !== 'upBlockTypes')),
    conditioningEmbeddingOutChannels: [4, 4],
  }) as Steering<unknown>;
  const both = controlled(net, [{ steering: control }, { steering: control, emphasis: 'guess' }]);
  const hint = numbersOf('hint', [2, 3, 8, 8]);
  const weights = weightsOf(both.init(shapesOnly), 'both');

  test('what is not shown is not run; a strength of 0 changes nothing; several add up', async () => {
    const alone = await run(net, weights.network, { conditions: { text } });
    expect(keyOf(both, weights, { conditions: { text } })).toBe(keyOf(net, weights.network, { conditions: { text } }));
    const with0 = { text, 'hint.0': hint, 'hint_scale.0': tensor([0, 0]) };
    expect(distance(await run(both, weights, { conditions: with0 }), alone)).toBeLessThan(1e-6);
    const one = control.apply(weights.controls[0], { hint, x, time, conditions: { text } });
    const two = control.apply(weights.controls[1], { hint, x, time, conditions: { text }, emphasis: 'guess' });
    const summed = Object.fromEntries(Object.keys(one).map((name) => [name, one[name]!]));
    const byHand = await run(net, weights.network, { conditions: { text, ...summed } });
    const first = await run(both, weights, { conditions: { text, 'hint.0': hint } });
    expect(distance(first, byHand)).toBeLessThan(1e-5);
    expect(distance(await run(both, weights, { conditions: { text, 'hint.0': hint, 'hint.1': hint } }), first)).toBeGreaterThan(1e-4);
    expect(Object.keys(two)).toEqual(Object.keys(one));
  });

  test('a fresh ControlNet adds nothing: its last layers are zero', async () => {
    const zero = new Map(
      [...namedTensors(control.init(shapesOnly))].filter(([name]) => /^controlnet_(?:down_blocks\.\d+|mid_block)\./u.test(name)),
    );
    expect(zero.size).toBe(2 * 5);
    for (const [name, value] of zero)
      expect(
        (await numbers(value)).every((v) => v === 0),
        name,
      ).toBe(true);
  });

  test('networks that do not belong together are refused by name', () => {
    const wide = unet2dCondition({ ...tiny, blockOutChannels: [8, 16] });
    expect(complaint(() => controlled(wide, [{ steering: control }]))).toMatch(
      /^user: .*controls\[0\] gives control\.3=.*"channels":8.*"channels":16/u,
    );
    const sdxl = unet2dCondition({ ...tiny, crossAttentionDim: 10 });
    expect(complaint(() => controlled(sdxl, [{ steering: control }]))).toContain('reads text={"kind":"tokens","size":6}');
    expect(complaint(() => controlled(net, [{ steering: t2iAdapter({ channels: [8, 8] }) as Steering<unknown> }]))).toContain(
      'reads the picture alone',
    );
    expect(complaint(() => both.apply(weights, x, time, { conditions: { text, 'hint_scale.0': tensor([1, 1]) } }))).toContain(
      'a picture is missing: hint_scale.0 is given, hint.0 is not',
    );
    expect(complaint(() => both.apply(weights, x, time, { conditions: { text, 'hint.0': x } }))).toContain(
      'picture does not fit the sample: hint=[2, 4, 4, 4], x=[2, 4, 4, 4]. Give [2, 3, 8, 8]',
    );
    const odd = { text, 'adapter.0': numbersOf('a', [2, 8, 3, 3]) };
    expect(complaint(() => net.apply(params, x, time, { conditions: odd }))).toContain(
      'other sides than the features there: adapter.0=[2, 8, 3, 3]',
    );
  });
});

test('image prompts that are left out, or have no share anywhere, leave the graph as it is; a strength of 0 the result', async () => {
  const prompted = withImagePrompts(net, { adapters: 2, share: (_, adapter) => (adapter === 0 ? 1 : 0) });
  const weights = weightsOf(prompted.init(shapesOnly), 'prompted');
  const alone = keyOf(net, weights.network, { conditions: { text } });
  const tokens = numbersOf('tokens', [2, 3, 6]);
  expect(keyOf(prompted, weights, { conditions: { text } })).toBe(alone);
  expect(keyOf(prompted, weights, { conditions: { text, [imagePromptName(1)]: tokens } })).toBe(alone);
  const at = (scale: number): Promise<number[]> =>
    run(prompted, weights, { conditions: { text, [imagePromptName(0)]: tokens, [imagePromptScaleName(0)]: tensor([scale, scale]) } });
  const plain = await run(net, weights.network, { conditions: { text } });
  expect(distance(await at(0), plain)).toBeLessThan(1e-6);
  expect(distance(await at(1), plain)).toBeGreaterThan(1e-3);
  // An item without images is as without the adapter.
  const none = tensor([1, 1, 1, 0, 0, 0], { shape: [2, 3], dtype: 'bool' });
  const half = await run(prompted, weights, { conditions: { text, [imagePromptName(0)]: tokens, [`${imagePromptName(0)}.mask`]: none } });
  const whole = await at(1);
  const size = plain.length / 2;
  expect(distance(half.slice(size), plain.slice(size))).toBeLessThan(1e-5);
  expect(distance(half.slice(0, size), whole.slice(0, size))).toBeLessThan(1e-5);
});

test('channels that are joined are a condition', async () => {
  const nine = unet2dCondition({ ...tiny, inChannels: 7 });
  const own = weightsOf(nine.init(shapesOnly), 'nine');
  const joined = joinedChannels(nine, { channels: 3, name: 'start' });
  expect([joined.info.channels, joined.info.outChannels, joined.info.outputs]).toEqual([4, 4, ['prediction']]);
  const all = numbersOf('all', [2, 7, 4, 4]);
  const [sample, start] = [numbersOf('a', [2, 4, 4, 4]), numbersOf('b', [2, 3, 4, 4])];
  expect(joined.apply(own, sample, time, { conditions: { text, start } }).shape).toEqual(
    nine.apply(own, all, time, { conditions: { text } }).shape,
  );
  expect(complaint(() => joined.apply(own, sample, time, { conditions: { text } }))).toContain(
    'start=nothing. Give [N, 4, H, W] and [N, 3, H, W].',
  );
  expect(complaint(() => joinedChannels(nine, { channels: 7 }))).toContain('channels=7');
});

test('old files spell attention among pixels otherwise', () => {
  const pixels = unet2dCondition({ ...tiny, attentionHeadDim: 4, downBlockTypes: ['AttnDownBlock2D', 'DownBlock2D'] });
  const template = pixels.init(shapesOnly);
  const old: Readonly<Record<string, string>> = { to_q: 'query', to_k: 'key', to_v: 'value', 'to_out.0': 'proj_attn' };
  const spelt = new Map(
    [...namedTensors(template)].map(([name, value]) => [
      name.replace(
        /^(down_blocks\.0\.attentions\.0)\.(to_q|to_k|to_v|to_out\.0)\./u,
        (_, path: string, layer: string) => `${path}.${old[layer]!}.`,
      ),
      value,
    ]),
  );
  const { rules } = backbonePlugins.find(({ className }) => className === 'UNet2DConditionModel')!;
  const { account } = fitWeights(template, spelt, { rules: rules! });
  expect(account.renamed).toHaveLength(8);
});

describe('configurations', () => {
  test('come back from JSON as they were written', () => {
    const config = parseUnet2dConditionConfig(
      unet2dConditionToConfig({ ...tiny, transformerLayersPerBlock: [1, [2]], layersPerBlock: [1, 1] }),
    );
    expect(parseUnet2dConditionConfig(JSON.parse(JSON.stringify(unet2dConditionToConfig(config))))).toEqual(config);
  });

  test.each([
    [{ down_block_types: ['KDownBlock2D'] }, 'unsupported', 'this kind of U-Net is not built here: down_block_types="KDownBlock2D"'],
    [{ attention_type: 'gated' }, 'unsupported', 'attention_type="gated"'],
    [{ addition_embed_type: 'image_hint' }, 'unsupported', 'addition_embed_type="image_hint"'],
    [{ encoder_hid_dim: 8, encoder_hid_dim_type: 'image_proj' }, 'unsupported', 'encoder_hid_dim_type="image_proj"'],
    [{ cross_attention_dim: [8, 8, 8, 16] }, 'unsupported', 'levels read contexts of different sizes: cross_attention_dim=[8,8,8,16]'],
    [{ block_out_channels: [32] }, 'user', 'levels disagree: down_block_types=4, block_out_channels=1 entries'],
    [{ attention_head_dim: [8, 8] }, 'user', 'levels disagree: attention_head_dim=2, block_out_channels=4 entries'],
    [{ norm_num_groups: 7 }, 'user', 'groups do not divide the channels: norm_num_groups=7'],
    [{ attention_head_dim: 1000 }, 'user', 'more heads than channels: heads=1000, channels=320 at level 0'],
    [{ class_embed_type: 'projection' }, 'user', 'a size is missing: projection_class_embeddings_input_dim=null'],
    [{ class_embeddings_concat: true }, 'user', 'class embeddings are joined but there are none'],
    [{ addition_embed_type: 'text_time' }, 'user', 'a size is missing: addition_time_embed_dim=null'],
    [{ encoder_hid_dim_type: 'text_proj' }, 'user', 'a size is missing: encoder_hid_dim=null'],
    [
      { transformer_layers_per_block: [1, 1, [2], 1] },
      'user',
      'transformer blocks are missing: CrossAttnDownBlock2D of level 2 has 2 places',
    ],
    [{ transformer_layers_per_block: 64, layers_per_block: 64 }, 'user', 'there are too many transformer blocks: 24768, at most 4096'],
    [{ conv_in_kernel: 4 }, 'user', 'conv_in_kernel=4. Give an odd integer in 1..15.'],
    [{ only_cross_attention: 1 }, 'user', 'only_cross_attention=1. Give true or false, or one for each level.'],
    [{ transformer_layers_per_block: 1e9 }, 'user', 'transformer_layers_per_block=1000000000.'],
    [{ heads: 8 }, 'user', 'configuration has an unknown key: "heads".'],
    [{ _class_name: 'UNet2DModel' }, 'user', 'configuration is for another model'],
  ])('%j is refused', (json, kind, message) => {
    const said = complaint(() => parseUnet2dConditionConfig(json));
    expect(said).toContain(message);
    expect(said.startsWith(`${kind}:`)).toBe(true);
  });

  test('of a ControlNet are held to the same', () => {
    expect(complaint(() => parseControlNetConfig({ addition_embed_type: 'image_hint' }))).toContain('addition_embed_type="image_hint"');
    expect(complaint(() => parseControlNetConfig({ controlnet_conditioning_channel_order: 'rbg' }))).toContain('Give one of rgb, bgr.');
    expect(complaint(() => parseControlNetConfig({ block_out_channels: [32] }))).toContain('levels disagree');
  });

  test('sizes of conditions that do not add up are told with what SDXL takes', () => {
    const sdxl = unet2dCondition({
      ...tiny,
      additionEmbedType: 'text_time',
      additionTimeEmbedDim: 4,
      projectionClassEmbeddingsInputDim: 34,
    });
    const conditions = { text, pooled: numbersOf('p', [2, 10]), time_ids: numbersOf('t', [2, 5]) };
    expect(complaint(() => sdxl.apply(sdxl.init(shapesOnly), x, time, { conditions }))).toContain(
      'pooled=[2, 10], time_ids=[2, 5], each number 4 features: 30, the network takes 34. SDXL takes 6 numbers, its refiner 5.',
    );
  });
});
