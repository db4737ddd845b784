import { UserError } from '@langevin/tensor';
import { activations, type ActivationName } from '@langevin/nn';
import {
  completeConfig,
  flag,
  integer,
  list,
  nullable,
  oneOf,
  readJsonConfig,
  real,
  withDefault,
  writeJsonConfig,
  type ConfigOf,
  type Field,
  type ReadOptions,
} from '../config/fields.ts';

export const UNET2D: ReadOptions = { where: 'backbones/unet2d', className: 'UNet2DModel' };

const channels = { min: 1, max: 16384 };
const levels = { min: 1, max: 12 };
export const downBlockTypes = ['DownBlock2D', 'AttnDownBlock2D'] as const;
export const upBlockTypes = ['UpBlock2D', 'AttnUpBlock2D'] as const;

export type DownBlockType = (typeof downBlockTypes)[number];
export type UpBlockType = (typeof upBlockTypes)[number];

/** `UNetResDownBlock2D` and the like are older names of the same blocks. */
function blockType<const Name extends string>(names: readonly Name[], fallback: NoInfer<Name>): Field<Name> {
  const field = oneOf<Name>(names, fallback);
  return {
    ...field,
    read: (value, fail) =>
      field.read(typeof value === 'string' && value.startsWith('UNetRes') ? value.slice('UNetRes'.length) : value, fail),
  };
}

/** One side for square samples, or height and width. */
const sampleSize: Field<number | readonly number[]> = {
  default: 32,
  read: (value, fail) =>
    (Array.isArray(value) ? list(integer(1, channels), [], { min: 2, max: 2 }) : integer(1, channels)).read(value, fail),
};

/** Keys, defaults and bounds of diffusers' `UNet2DModel`. */
export const unet2dFields = {
  sample_size: nullable(sampleSize),
  in_channels: integer(3, channels),
  out_channels: integer(3, channels),
  center_input_sample: flag(false),
  time_embedding_type: oneOf(['positional', 'fourier', 'learned'], 'positional'),
  time_embedding_dim: nullable(integer(1, { min: 1, max: 65536 })),
  freq_shift: real(0, { min: 0, max: 1024 }),
  flip_sin_to_cos: flag(true),
  down_block_types: list(
    blockType(downBlockTypes, 'DownBlock2D'),
    ['DownBlock2D', 'AttnDownBlock2D', 'AttnDownBlock2D', 'AttnDownBlock2D'],
    levels,
  ),
  mid_block_type: withDefault(nullable(oneOf(['UNetMidBlock2D'], 'UNetMidBlock2D')), 'UNetMidBlock2D'),
  up_block_types: list(blockType(upBlockTypes, 'UpBlock2D'), ['AttnUpBlock2D', 'AttnUpBlock2D', 'AttnUpBlock2D', 'UpBlock2D'], levels),
  block_out_channels: list(integer(1, channels), [224, 448, 672, 896], levels),
  layers_per_block: integer(2, { min: 1, max: 64 }),
  mid_block_scale_factor: real(1, { min: 1e-6, max: 1e6 }),
  downsample_padding: integer(1, { min: 0, max: 1 }),
  downsample_type: oneOf(['conv', 'resnet'], 'conv'),
  upsample_type: oneOf(['conv', 'resnet'], 'conv'),
  dropout: real(0, { min: 0, max: 1 }),
  act_fn: oneOf([...(Object.keys(activations) as ActivationName[]), 'swish'], 'silu'),
  attention_head_dim: withDefault(nullable(integer(8, channels)), 8),
  norm_num_groups: integer(32, channels),
  attn_norm_num_groups: nullable(integer(32, channels)),
  norm_eps: real(1e-5, { min: 0, max: 1 }),
  resnet_time_scale_shift: oneOf(['default', 'scale_shift'], 'default'),
  add_attention: flag(true),
  class_embed_type: nullable(oneOf(['timestep', 'identity'], 'timestep')),
  num_class_embeds: nullable(integer(1, { min: 1, max: 10_000_000 })),
  num_train_timesteps: nullable(integer(1000, { min: 1, max: 1_000_000 })),
};

/**
 * The configuration of {@link unet2d}, the one of diffusers' `UNet2DModel` with keys in camelCase.
 *
 * - `attentionHeadDim`: features of each attention head; null is one head.
 * - `attnNormNumGroups`: of the attention in the middle. As in diffusers, null takes `normNumGroups` with `resnetTimeScaleShift`
 *   `'default'`, and no normalisation at all with `'scale_shift'`.
 * - `numClassEmbeds`: rows of the class table. For guidance, add one for the null class.
 * - `timeEmbeddingType`: `'fourier'` takes the noise level sigma for its time, embeds log(sigma) and divides the output by sigma (Song et
 *   al. 2021); `'learned'` looks integer timesteps up in a table of `numTrainTimesteps`.
 */
export type Unet2dConfig = ConfigOf<typeof unet2dFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeUnet2dConfig(partial: Partial<Unet2dConfig>): Unet2dConfig {
  return checkTogether(completeConfig(partial, unet2dFields, UNET2D));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseUnet2dConfig(json: unknown): Unet2dConfig {
  return checkTogether(readJsonConfig(json, unet2dFields, UNET2D));
}

/** The content of `config.json`, which diffusers reads as well. */
export function unet2dToConfig(config: Partial<Unet2dConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeUnet2dConfig(config), unet2dFields, UNET2D.className);
}

/** What one entry demands of another. */
function checkTogether(config: Unet2dConfig): Unet2dConfig {
  const { downBlockTypes: down, upBlockTypes: up, blockOutChannels: sizes, normNumGroups: groups, attentionHeadDim: head } = config;
  const fail = (problem: string, remedy: string): never => {
    throw new UserError(`[${UNET2D.where}] ${problem}. ${remedy}`);
  };
  if (down.length !== sizes.length || up.length !== sizes.length) {
    fail(
      `levels disagree: down_block_types=${down.length}, up_block_types=${up.length}, block_out_channels=${sizes.length} entries`,
      'Give each one entry for each level.',
    );
  }
  const ragged = sizes.find((size) => size % groups !== 0);
  if (ragged !== undefined)
    fail(`groups do not divide the channels: norm_num_groups=${groups}, block_out_channels has ${ragged}`, 'Choose sizes that divide.');
  const attending = [
    ...sizes.filter((_, i) => down[i] === 'AttnDownBlock2D' || up[sizes.length - 1 - i] === 'AttnUpBlock2D'),
    ...(config.midBlockType !== null && config.addAttention ? [sizes[sizes.length - 1]!] : []),
  ];
  const headless = head === null ? undefined : attending.find((size) => size % head !== 0);
  if (headless !== undefined)
    fail(
      `head size does not divide the channels of a block with attention: attention_head_dim=${head}, block_out_channels has ${headless}`,
      'Choose a divisor.',
    );
  if (config.attnNormNumGroups !== null && sizes[sizes.length - 1]! % config.attnNormNumGroups !== 0) {
    fail(
      `groups do not divide the channels of the middle: attn_norm_num_groups=${config.attnNormNumGroups}, `
        + `channels=${sizes[sizes.length - 1]}`,
      'Choose a divisor.',
    );
  }
  if (config.timeEmbeddingType === 'learned' && config.numTrainTimesteps === null) {
    fail('number of timesteps is missing: time_embedding_type="learned", num_train_timesteps=null', 'Say how many timesteps there are.');
  }
  if (config.classEmbedType === 'identity' && config.numClassEmbeds !== null) {
    fail(`class embedding is given twice: class_embed_type="identity", num_class_embeds=${config.numClassEmbeds}`, 'Keep one of them.');
  }
  return config;
}
