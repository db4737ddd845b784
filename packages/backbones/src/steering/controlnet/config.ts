import { flag, integer, list, oneOf, type FieldTable } from '@langevin/tensor/fields';
import { channelBounds, completeConfig, readJsonConfig, writeJsonConfig, type ConfigOf, type JsonConfigOptions } from '@langevin/nn';
import { completeUnet2dConditionConfig, unet2dConditionFields, type Unet2dConditionConfig } from '../../unet2d-condition/config.ts';

export const CONTROLNET: JsonConfigOptions = { where: 'backbones/controlnet', className: 'ControlNetModel' };

/** Keys that a ControlNet shares with its U-Net. */
const SHARED = [
  'in_channels',
  'flip_sin_to_cos',
  'freq_shift',
  'down_block_types',
  'mid_block_type',
  'only_cross_attention',
  'block_out_channels',
  'downsample_padding',
  'mid_block_scale_factor',
  'act_fn',
  'norm_num_groups',
  'norm_eps',
  'cross_attention_dim',
  'transformer_layers_per_block',
  'encoder_hid_dim',
  'encoder_hid_dim_type',
  'attention_head_dim',
  'num_attention_heads',
  'use_linear_projection',
  'class_embed_type',
  'addition_embed_type',
  'addition_time_embed_dim',
  'num_class_embeds',
  'upcast_attention',
  'resnet_time_scale_shift',
  'projection_class_embeddings_input_dim',
  'addition_embed_type_num_heads',
] as const;

/** Keys, defaults and bounds of diffusers' `ControlNetModel`. */
export const controlNetFields = {
  ...picked(unet2dConditionFields, SHARED),
  layers_per_block: integer(2, { atLeast: 1, atMost: 64 }),
  conditioning_channels: integer(3, channelBounds),
  controlnet_conditioning_channel_order: oneOf('rgb', ['rgb', 'bgr']),
  conditioning_embedding_out_channels: list([16, 32, 96, 256], integer(16, channelBounds), { atLeast: 1, atMost: 8 }),
  global_pool_conditions: flag(false),
};

/**
 * The configuration of {@link controlNet}, the one of diffusers' `ControlNetModel` with keys in camelCase.
 *
 * - `controlnetConditioningChannelOrder`: some networks were trained on pictures in blue, green, red. Pictures are given in red, green,
 *   blue always.
 * - `globalPoolConditions`: what it gives is the mean over all positions, so that it steers by content, not by place.
 */
export type ControlNetConfig = ConfigOf<typeof controlNetFields>;

/** Fill in defaults. @throws UserError naming the entry that is wrong */
export const completeControlNetConfig = (partial: Partial<ControlNetConfig>): ControlNetConfig =>
  completeConfig(partial, controlNetFields, CONTROLNET);

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong; UnsupportedError naming one that is not built here */
export function parseControlNetConfig(json: unknown): ControlNetConfig {
  const config = readJsonConfig(json, controlNetFields, CONTROLNET);
  unetOf(config);
  return config;
}

/** The content of `config.json`, which diffusers reads as well. */
export const controlNetToConfig = (config: Partial<ControlNetConfig>): Readonly<Record<string, unknown>> =>
  writeJsonConfig(completeControlNetConfig(config), controlNetFields, CONTROLNET.className);

/** The U-Net whose way down and middle a ControlNet has. @throws UserError or UnsupportedError naming the entry that is wrong */
export function unetOf(config: ControlNetConfig): Unet2dConditionConfig {
  const {
    conditioningChannels: _channels,
    controlnetConditioningChannelOrder: _order,
    conditioningEmbeddingOutChannels: _sizes,
    globalPoolConditions: _pool,
    ...shared
  } = config;
  // There is no way up, of which plain blocks demand nothing.
  return completeUnet2dConditionConfig({ ...shared, upBlockTypes: config.downBlockTypes.map(() => 'UpBlock2D' as const) });
}

/** Some entries of a table. */
function picked<F extends FieldTable, const Key extends keyof F>(fields: F, keys: readonly Key[]): Pick<F, Key> {
  return Object.fromEntries(keys.map((key) => [key, fields[key]])) as unknown as Pick<F, Key>;
}
