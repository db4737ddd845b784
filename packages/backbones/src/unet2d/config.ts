import { UserError } from '@langevin/tensor';
import { activations, type ActivationName } from '@langevin/nn';
import { flag, integer, list, nullable, number, oneOf, withFallback } from '@langevin/tensor/fields';
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

export const UNET2D: JsonConfigOptions = { where: 'backbones/unet2d', className: 'UNet2DModel' };

export const downBlockTypes = [
  'DownBlock2D',
  'AttnDownBlock2D',
  'ResnetDownsampleBlock2D',
  'SkipDownBlock2D',
  'AttnSkipDownBlock2D',
] as const;
export const upBlockTypes = ['UpBlock2D', 'AttnUpBlock2D', 'ResnetUpsampleBlock2D', 'SkipUpBlock2D', 'AttnSkipUpBlock2D'] as const;

export type DownBlockType = (typeof downBlockTypes)[number];
export type UpBlockType = (typeof upBlockTypes)[number];

/** Keys, defaults and bounds of diffusers' `UNet2DModel`. */
export const unet2dFields = {
  sample_size: nullable(sampleSize),
  in_channels: integer(3, channelBounds),
  out_channels: integer(3, channelBounds),
  center_input_sample: flag(false),
  time_embedding_type: oneOf('positional', ['positional', 'fourier', 'learned']),
  time_embedding_dim: nullable(integer(1, { atLeast: 1, atMost: 65536 })),
  freq_shift: number(0, { atLeast: 0, atMost: 1024 }),
  flip_sin_to_cos: flag(true),
  down_block_types: list(
    ['DownBlock2D', 'AttnDownBlock2D', 'AttnDownBlock2D', 'AttnDownBlock2D'],
    blockType('DownBlock2D', downBlockTypes),
    levelBounds,
  ),
  mid_block_type: withFallback(nullable(oneOf('UNetMidBlock2D', ['UNetMidBlock2D'])), 'UNetMidBlock2D'),
  up_block_types: list(['AttnUpBlock2D', 'AttnUpBlock2D', 'AttnUpBlock2D', 'UpBlock2D'], blockType('UpBlock2D', upBlockTypes), levelBounds),
  block_out_channels: list([224, 448, 672, 896], integer(1, channelBounds), levelBounds),
  layers_per_block: integer(2, { atLeast: 1, atMost: 64 }),
  mid_block_scale_factor: number(1, { atLeast: 1e-6, atMost: 1e6 }),
  downsample_padding: integer(1, { atLeast: 0, atMost: 1 }),
  downsample_type: oneOf('conv', ['conv', 'resnet']),
  upsample_type: oneOf('conv', ['conv', 'resnet']),
  dropout: number(0, { atLeast: 0, atMost: 1 }),
  act_fn: oneOf('silu', [...(Object.keys(activations) as ActivationName[]), 'swish']),
  attention_head_dim: withFallback(nullable(integer(8, channelBounds)), 8),
  norm_num_groups: integer(32, channelBounds),
  attn_norm_num_groups: nullable(integer(32, channelBounds)),
  norm_eps: number(1e-5, { atLeast: 0, atMost: 1 }),
  resnet_time_scale_shift: oneOf('default', ['default', 'scale_shift']),
  add_attention: flag(true),
  class_embed_type: nullable(oneOf('timestep', ['timestep', 'identity'])),
  num_class_embeds: nullable(integer(1, { atLeast: 1, atMost: 10_000_000 })),
  num_train_timesteps: nullable(integer(1000, { atLeast: 1, atMost: 1_000_000 })),
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
    ...sizes.filter((_, i) => down[i]!.startsWith('Attn') || up[sizes.length - 1 - i]!.startsWith('Attn')),
    ...(config.midBlockType !== null && config.addAttention ? [sizes[sizes.length - 1]!] : []),
  ];
  const headless = head === null ? undefined : attending.find((size) => size % head !== 0);
  if (headless !== undefined)
    fail(
      `head size does not divide the channels of a block with attention: attention_head_dim=${head}, block_out_channels has ${headless}`,
      'Choose a divisor.',
    );
  checkSkipBlocks(config, fail);
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

/** The picture beside the features of NCSN++ has three channels, and the size of the features at every level. */
function checkSkipBlocks(config: Unet2dConfig, fail: (problem: string, remedy: string) => never): void {
  const { downBlockTypes: down, upBlockTypes: up, blockOutChannels: sizes, inChannels, outChannels } = config;
  const skips = [...down, ...up].filter((type) => type.includes('Skip'));
  if (skips.length === 0) return;
  const isSkip = (type: string): boolean => type.includes('Skip');
  if ((down.some(isSkip) && inChannels !== 3) || (up.some(isSkip) && outChannels !== 3))
    fail(
      `a picture beside the features has 3 channels: in_channels=${inChannels}, out_channels=${outChannels}`,
      'Set 3, or use other blocks.',
    );
  const lateDown = down.findIndex((type, i) => i > 0 && isSkip(type) && !isSkip(down[i - 1]!));
  if (lateDown !== -1 && lateDown !== down.length - 1)
    fail(
      `a picture is made smaller from the first level on: down_block_types[${lateDown}]=${down[lateDown]!} comes behind another kind`,
      'Begin with such blocks.',
    );
  const earlyUp = up.findIndex((type, i) => i > 0 && !isSkip(type) && isSkip(up[i - 1]!));
  if (earlyUp !== -1)
    fail(
      `a picture is made larger up to the last level: up_block_types[${earlyUp}]=${up[earlyUp]!} comes behind a block that makes one`,
      'End with such blocks.',
    );
  const groups = (channels: number): number => Math.min(Math.floor(channels / 4), 32);
  sizes.forEach((size, i) => {
    const types = [down[i]!, up[sizes.length - 1 - i]!].filter(isSkip);
    if (types.length > 0 && (size < 4 || size % groups(size) !== 0))
      fail(
        `groups do not divide the channels: ${types[0]!} has ${groups(size)} groups, block_out_channels has ${size}`,
        'Give multiples of 128, or of 4 below.',
      );
    if (types.some((type) => type.startsWith('Attn')) && size % 32 !== 0)
      fail(
        `groups do not divide the channels: attention of ${types[0]!} has 32 groups, block_out_channels has ${size}`,
        'Give multiples of 32.',
      );
  });
}
