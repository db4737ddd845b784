import { backbonePlugins, defineBackbone, type BackbonePlugin } from '@langevin/backbones';
import { checkBackbone, type CheckBackboneOptions } from '@langevin/backbones/testing';
import type { Network } from '@langevin/core';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { shapesOnly } from '@langevin/nn';
import { add, mean, setDefaultEngine, tensor, torchGenerator } from '@langevin/tensor';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

// Each network is compiled a few times.
vi.setConfig({ testTimeout: 60_000 });

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

const UNET = { sample_size: 8, block_out_channels: [8, 16], norm_num_groups: 4, layers_per_block: 1 };
const transformer = { sample_size: 8, num_layers: 1, num_attention_heads: 2 };

/** Every backbone, small. */
const SMALL: Readonly<Record<string, CheckBackboneOptions>> = {
  dit: { config: { ...transformer, attention_head_dim: 4, num_embeds_ada_norm: 10 } },
  unet2d: {
    config: {
      ...UNET,
      down_block_types: ['DownBlock2D', 'AttnDownBlock2D'],
      up_block_types: ['AttnUpBlock2D', 'UpBlock2D'],
      num_class_embeds: 3,
    },
  },
  'unet2d-condition': {
    config: {
      ...UNET,
      ...{ down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'], up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D'] },
      ...{ cross_attention_dim: 6, attention_head_dim: 4 },
    },
  },
  // With weights that do not give 0 in edm2.test.ts.
  edm2: {
    config: {
      ...{ sample_size: 8, in_channels: 2, num_classes: 3, model_channels: 8, channel_multipliers: [1, 2] },
      ...{ layers_per_block: 1, attention_sizes: [4], attention_head_dim: 4 },
    },
  },
  pixart: {
    config: {
      ...transformer,
      ...{ attention_head_dim: 8, cross_attention_dim: 16, caption_channels: 6, in_channels: 4, out_channels: 4 },
    },
  },
  sd3: {
    config: {
      ...transformer,
      ...{ attention_head_dim: 8, caption_projection_dim: 16, joint_attention_dim: 6, pooled_projection_dim: 5, pos_embed_max_size: 8 },
      ...{ in_channels: 4, out_channels: 4 },
    },
  },
  flux: {
    config: {
      ...{ num_layers: 1, num_single_layers: 1, num_attention_heads: 2, attention_head_dim: 8, axes_dims_rope: [2, 2, 4] },
      ...{ joint_attention_dim: 6, pooled_projection_dim: 5, in_channels: 16 },
    },
  },
  'u-vit': { config: { img_size: 8, patch_size: 2, embed_dim: 16, depth: 2, num_heads: 2, num_classes: 3 } },
  diffit: {
    config: {
      ...{ sample_size: 8, block_out_channels: [8, 16], layers_per_stage: 1, window_sizes: [4, 2], attention_head_dim: 4 },
      ...{ time_embed_dim: 12, norm_num_groups: 4, num_classes: 3 },
    },
  },
  flux2: {
    config: {
      ...{ num_layers: 1, num_single_layers: 1, num_attention_heads: 2, attention_head_dim: 8, axes_dims_rope: [2, 2, 2, 2] },
      ...{ joint_attention_dim: 6, in_channels: 4, timestep_guidance_channels: 16 },
    },
  },
};

test.each(backbonePlugins.map((plugin) => [plugin.name, plugin] as const))('%s keeps what all have to keep', async (name, plugin) => {
  const small = SMALL[name];
  if (small === undefined) throw new Error(`no small configuration of ${name}: add one to this test`);
  await checkBackbone(plugin, small);
});

let seeds = 0;
const [dit] = backbonePlugins.filter(({ name }) => name === 'dit') as [BackbonePlugin];
const changed = (change: (network: Network<unknown>) => Partial<Network<unknown>>): BackbonePlugin =>
  defineBackbone({
    ...dit,
    parse: (config, options) => {
      const network = dit.parse(config, options);
      return { ...network, ...change(network) };
    },
  });

test.each<[string, BackbonePlugin]>([
  ['gives another form', changed(({ info }) => ({ info: { ...info, outChannels: 9 } }))],
  ['mixes items of a batch', changed(({ apply }) => ({ apply: (...args) => add(apply(...args), mean(args[1])) }))],
  [
    'has other weights from the same seed',
    changed(({ init }) => ({ init: (generator) => init(generator === shapesOnly ? generator : torchGenerator((seeds += 1))) })),
  ],
  ['gives what is no number', changed(({ apply }) => ({ apply: (...args) => add(apply(...args), tensor(NaN)) }))],
  [
    'does not refuse a condition that it does not take',
    changed(({ apply }) => ({
      apply: (params, x, time, { conditions, ...rest } = {}) =>
        apply(params, x, time, { ...rest, conditions: { label: conditions!['label']! } }),
    })),
  ],
])('one is found out: %s', async (what, plugin) => {
  await expect(checkBackbone(plugin, SMALL['dit']!)).rejects.toThrow(what);
});
