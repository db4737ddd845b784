import { activations, type ActivationName } from '@langevin/nn';
import { flag, integer, list, nullable, number, oneOf, withFallback, type Field } from '@langevin/tensor/fields';
import {
  channelBounds,
  completeConfig,
  levelBounds,
  readJsonConfig,
  sampleSize,
  writeJsonConfig,
  type ConfigOf,
  type JsonConfigOptions,
} from '@langevin/nn';
import { blockType } from '../unet/fields.ts';
import { checkUnet2dCondition } from './check-config.ts';

export const UNET2D_CONDITION: JsonConfigOptions = { where: 'backbones/unet2d-condition', className: 'UNet2DConditionModel' };

/** Blocks by the names of diffusers. Those of the last row exist there and are refused here. */
export const downBlockTypes = [
  'CrossAttnDownBlock2D',
  'DownBlock2D',
  'AttnDownBlock2D',
  'SimpleCrossAttnDownBlock2D',
  'ResnetDownsampleBlock2D',
  ...(['KDownBlock2D', 'KCrossAttnDownBlock2D', 'SkipDownBlock2D', 'AttnSkipDownBlock2D'] as const),
] as const;
export const upBlockTypes = [
  'CrossAttnUpBlock2D',
  'UpBlock2D',
  'AttnUpBlock2D',
  'SimpleCrossAttnUpBlock2D',
  'ResnetUpsampleBlock2D',
  ...(['KUpBlock2D', 'KCrossAttnUpBlock2D', 'SkipUpBlock2D', 'AttnSkipUpBlock2D'] as const),
] as const;
export const midBlockTypes = ['UNetMidBlock2DCrossAttn', 'UNetMidBlock2DSimpleCrossAttn', 'UNetMidBlock2D'] as const;

/** One value for all levels, or one for each. */
function perLevel<T>(fallback: T | readonly T[], item: Field<T>): Field<T | readonly T[]> {
  const all = list([], item, levelBounds);
  return {
    fallback,
    parse: (value) => {
      if (Array.isArray(value)) return all.parse(value);
      const one = item.parse(value);
      return 'value' in one ? one : { ...one, expected: `${one.expected}, or one for each level` };
    },
  };
}

const layers = integer(1, { atLeast: 0, atMost: 64 });
const layersOfBlock: Field<number | readonly number[]> = {
  fallback: 1,
  parse: (value) => (Array.isArray(value) ? list([], layers, { atLeast: 1, atMost: 65 }) : layers).parse(value),
};
const size = integer(1, { atLeast: 1, atMost: 65536 });
const kernel: Field<number> = {
  fallback: 3,
  parse: (value) => {
    const parsed = integer(3, { atLeast: 1, atMost: 15 }).parse(value);
    return 'value' in parsed && parsed.value % 2 === 0 ? { expected: 'an odd integer in 1..15' } : parsed;
  },
};
const activation = oneOf('silu', [...(Object.keys(activations) as ActivationName[]), 'swish']);

/** Keys, defaults and bounds of diffusers' `UNet2DConditionModel`. */
export const unet2dConditionFields = {
  sample_size: withFallback(nullable(sampleSize), null),
  in_channels: integer(4, channelBounds),
  out_channels: integer(4, channelBounds),
  center_input_sample: flag(false),
  flip_sin_to_cos: flag(true),
  freq_shift: number(0, { atLeast: 0, atMost: 1024 }),
  down_block_types: list(
    ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
    blockType('DownBlock2D', downBlockTypes),
    levelBounds,
  ),
  mid_block_type: withFallback(nullable(oneOf('UNetMidBlock2DCrossAttn', midBlockTypes)), 'UNetMidBlock2DCrossAttn'),
  up_block_types: list(
    ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D'],
    blockType('UpBlock2D', upBlockTypes),
    levelBounds,
  ),
  only_cross_attention: perLevel(false, flag(false)),
  block_out_channels: list([320, 640, 1280, 1280], integer(1, channelBounds), levelBounds),
  layers_per_block: perLevel(2, integer(2, { atLeast: 1, atMost: 64 })),
  downsample_padding: integer(1, { atLeast: 0, atMost: 1 }),
  mid_block_scale_factor: number(1, { atLeast: 1e-6, atMost: 1e6 }),
  dropout: number(0, { atLeast: 0, atMost: 1 }),
  act_fn: activation,
  norm_num_groups: integer(32, channelBounds),
  norm_eps: number(1e-5, { atLeast: 0, atMost: 1 }),
  cross_attention_dim: perLevel(1280, size),
  transformer_layers_per_block: perLevel<number | readonly number[]>(1, layersOfBlock),
  reverse_transformer_layers_per_block: nullable(list([], layersOfBlock, levelBounds)),
  encoder_hid_dim: nullable(size),
  encoder_hid_dim_type: nullable(oneOf('text_proj', ['text_proj', 'text_image_proj', 'image_proj', 'ip_image_proj'])),
  attention_head_dim: perLevel(8, integer(8, channelBounds)),
  num_attention_heads: nullable(perLevel(8, integer(8, channelBounds))),
  dual_cross_attention: flag(false),
  use_linear_projection: flag(false),
  class_embed_type: nullable(oneOf('timestep', ['timestep', 'identity', 'projection', 'simple_projection'])),
  addition_embed_type: nullable(oneOf('text', ['text', 'text_time', 'text_image', 'image', 'image_hint'])),
  addition_time_embed_dim: nullable(size),
  num_class_embeds: nullable(integer(1, { atLeast: 1, atMost: 10_000_000 })),
  upcast_attention: flag(false),
  resnet_time_scale_shift: oneOf('default', ['default', 'scale_shift']),
  resnet_skip_time_act: flag(false),
  resnet_out_scale_factor: number(1, { atLeast: 1e-6, atMost: 1e6 }),
  time_embedding_type: oneOf('positional', ['positional', 'fourier']),
  time_embedding_dim: nullable(size),
  time_embedding_act_fn: nullable(activation),
  timestep_post_act: nullable(activation),
  time_cond_proj_dim: nullable(size),
  conv_in_kernel: kernel,
  conv_out_kernel: kernel,
  projection_class_embeddings_input_dim: nullable(size),
  attention_type: oneOf('default', ['default', 'gated', 'gated-text-image']),
  class_embeddings_concat: flag(false),
  mid_block_only_cross_attention: nullable(flag(false)),
  cross_attention_norm: nullable(oneOf('layer_norm', ['layer_norm', 'group_norm'])),
  addition_embed_type_num_heads: integer(64, channelBounds),
};

/**
 * The configuration of {@link unet2dCondition}, the one of diffusers' `UNet2DConditionModel` with keys in camelCase.
 *
 * - `attentionHeadDim`: despite its name the *number* of heads where attention reads a context (`CrossAttn` blocks), and what its name
 *   says, the features of each head, in `Attn` and `SimpleCrossAttn` blocks. `numAttentionHeads` wins where it is given.
 * - `layersPerBlock`, `crossAttentionDim`, `attentionHeadDim`, `onlyCrossAttention`, `transformerLayersPerBlock`: one value, or one for
 *   each level from the top down.
 * - `encoderHidDim`: features of the text, where they are not those that attention reads.
 */
export type Unet2dConditionConfig = ConfigOf<typeof unet2dConditionFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong; UnsupportedError naming one that is not built here */
export function completeUnet2dConditionConfig(partial: Partial<Unet2dConditionConfig>): Unet2dConditionConfig {
  return checkUnet2dCondition(completeConfig(partial, unet2dConditionFields, UNET2D_CONDITION));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong; UnsupportedError naming one that is not built here */
export function parseUnet2dConditionConfig(json: unknown): Unet2dConditionConfig {
  return checkUnet2dCondition(readJsonConfig(json, unet2dConditionFields, UNET2D_CONDITION));
}

/** The content of `config.json`, which diffusers reads as well. */
export function unet2dConditionToConfig(config: Partial<Unet2dConditionConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeUnet2dConditionConfig(config), unet2dConditionFields, UNET2D_CONDITION.className);
}
