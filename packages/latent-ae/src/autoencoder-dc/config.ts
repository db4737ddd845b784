import {
  channelBounds,
  completeConfig,
  levelBounds,
  readJsonConfig,
  writeJsonConfig,
  type ConfigOf,
  type JsonConfigOptions,
} from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { flag, integer, list, number, oneOf, type Field } from '@langevin/tensor/fields';

export const AUTOENCODER_DC: JsonConfigOptions = { where: 'latent-ae/autoencoder-dc', className: 'AutoencoderDC' };

/** One name for all levels, or one for each. */
function perLevel<const Name extends string>(fallback: NoInfer<Name>, names: readonly Name[]): Field<Name | readonly Name[]> {
  const one = oneOf<Name>(fallback, names);
  const many = list<Name>([fallback], one, levelBounds);
  return { fallback, parse: (value) => (Array.isArray(value) ? many : one).parse(value), choices: names };
}

const blockTypes = perLevel('ResBlock', ['ResBlock', 'EfficientViTBlock']);
const sizes = list([128, 256, 512, 512, 1024, 1024], integer(1, channelBounds), levelBounds);
const counts = (fallback: readonly number[]) => list(fallback, integer(1, { atLeast: 0, atMost: 64 }), levelBounds);
const kernels = list([[], [], [], [5], [5], [5]], list([], integer(5, { atLeast: 1, atMost: 63 }), { atMost: 8 }), levelBounds);

/** Keys, defaults and bounds of diffusers' `AutoencoderDC`. */
export const autoencoderDcFields = {
  in_channels: integer(3, channelBounds),
  latent_channels: integer(32, channelBounds),
  attention_head_dim: integer(32, channelBounds),
  encoder_block_types: blockTypes,
  decoder_block_types: blockTypes,
  encoder_block_out_channels: sizes,
  decoder_block_out_channels: sizes,
  encoder_layers_per_block: counts([2, 2, 2, 3, 3, 3]),
  decoder_layers_per_block: counts([3, 3, 3, 3, 3, 3]),
  encoder_qkv_multiscales: kernels,
  decoder_qkv_multiscales: kernels,
  upsample_block_type: oneOf('pixel_shuffle', ['pixel_shuffle', 'interpolate']),
  downsample_block_type: oneOf('pixel_unshuffle', ['pixel_unshuffle', 'conv', 'Conv']),
  decoder_norm_types: perLevel('rms_norm', ['rms_norm', 'batch_norm']),
  decoder_act_fns: perLevel('silu', ['silu', 'relu', 'gelu', 'mish']),
  encoder_out_shortcut: flag(true),
  decoder_in_shortcut: flag(true),
  decoder_conv_act_fn: oneOf('relu', ['silu', 'relu', 'gelu', 'mish']),
  scaling_factor: number(1, { above: 0, atMost: 1e6 }),
};

/**
 * The configuration of {@link autoencoderDc}, the one of diffusers' `AutoencoderDC` with keys in camelCase. Lists go from the largest
 * picture to the smallest; a level of 0 layers can only be the first, whose work the change of size does then.
 */
export type AutoencoderDcConfig = ConfigOf<typeof autoencoderDcFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeAutoencoderDcConfig(partial: Partial<AutoencoderDcConfig>): AutoencoderDcConfig {
  return checkTogether(completeConfig(partial, autoencoderDcFields, AUTOENCODER_DC));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseAutoencoderDcConfig(json: unknown): AutoencoderDcConfig {
  return checkTogether(readJsonConfig(json, autoencoderDcFields, AUTOENCODER_DC));
}

/** The content of `config.json`, which diffusers reads as well. */
export function autoencoderDcToConfig(config: Partial<AutoencoderDcConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeAutoencoderDcConfig(config), autoencoderDcFields, AUTOENCODER_DC.className);
}

/** The entry of each level. */
export const spread = <T extends string>(given: T | readonly T[], levels: number): readonly T[] =>
  typeof given === 'string' ? new Array<T>(levels).fill(given) : given;

function checkTogether(config: AutoencoderDcConfig): AutoencoderDcConfig {
  const levels = config.encoderBlockOutChannels.length;
  const lists = {
    decoder_block_out_channels: config.decoderBlockOutChannels,
    encoder_layers_per_block: config.encoderLayersPerBlock,
    decoder_layers_per_block: config.decoderLayersPerBlock,
    encoder_block_types: spread(config.encoderBlockTypes, levels),
    decoder_block_types: spread(config.decoderBlockTypes, levels),
    encoder_qkv_multiscales: config.encoderQkvMultiscales,
    decoder_qkv_multiscales: config.decoderQkvMultiscales,
    decoder_norm_types: spread(config.decoderNormTypes, levels),
    decoder_act_fns: spread(config.decoderActFns, levels),
  };
  for (const [name, entries] of Object.entries(lists))
    if (entries.length !== levels)
      fail(
        `levels disagree: ${name}=${entries.length}, encoder_block_out_channels=${levels} entries`,
        'Give each one entry for each level.',
      );
  checkSide(config, {
    side: 'encoder',
    channels: config.encoderBlockOutChannels,
    layers: config.encoderLayersPerBlock,
    types: lists.encoder_block_types,
    scales: config.encoderQkvMultiscales,
  });
  checkSide(config, {
    side: 'decoder',
    channels: config.decoderBlockOutChannels,
    layers: config.decoderLayersPerBlock,
    types: lists.decoder_block_types,
    scales: config.decoderQkvMultiscales,
  });
  for (const [flagName, used, sizesOf] of [
    ['encoder_out_shortcut', config.encoderOutShortcut, config.encoderBlockOutChannels],
    ['decoder_in_shortcut', config.decoderInShortcut, config.decoderBlockOutChannels],
  ] as const) {
    const deepest = sizesOf.at(-1)!;
    if (used && deepest % config.latentChannels !== 0)
      fail(
        `shortcut does not divide: ${flagName}=true, latent_channels=${config.latentChannels}, deepest level has ${deepest}`,
        'Choose a divisor.',
      );
  }
  return config;
}

interface Side {
  readonly side: 'encoder' | 'decoder';
  readonly channels: readonly number[];
  readonly layers: readonly number[];
  readonly types: readonly string[];
  readonly scales: readonly (readonly number[])[];
}

function checkSide(config: AutoencoderDcConfig, { side, channels, layers, types, scales }: Side): void {
  const empty = layers.findIndex((count, i) => count === 0 && i > 0);
  if (empty > 0 || (layers.length === 1 && layers[0] === 0))
    fail(`level has no layers: ${side}_layers_per_block[${Math.max(0, empty)}]=0`, 'Only the first of several levels can be empty.');
  channels.forEach((size, i) => {
    const next = channels[i + 1];
    if (next === undefined || layers[i] === 0) return;
    const divides = (size * 4) % next === 0 && (next % 4 === 0 || side === 'decoder' || config.downsampleBlockType !== 'pixel_unshuffle');
    if (!divides)
      fail(
        `shortcut between levels does not divide: ${side}_block_out_channels=[${channels.join(', ')}]`,
        'Each divides four times the one before.',
      );
  });
  if (side === 'encoder' && layers[0] === 0 && config.downsampleBlockType === 'pixel_unshuffle' && channels[1]! % 4 !== 0)
    fail(`first change of size does not divide: encoder_block_out_channels[1]=${channels[1]}`, 'Give a multiple of 4.');
  types.forEach((type, i) => {
    if (type === 'EfficientViTBlock' && channels[i]! < config.attentionHeadDim)
      fail(
        `level is smaller than a head: ${side}_block_out_channels[${i}]=${channels[i]}, attention_head_dim=${config.attentionHeadDim}`,
        'Give it a head at least.',
      );
  });
  const even = scales.flat().find((kernel) => kernel % 2 === 0);
  if (even !== undefined) fail(`window of a scale has no middle: ${side}_qkv_multiscales has ${even}`, 'Give odd sizes.');
}

function fail(problem: string, remedy: string): never {
  throw new UserError(`[${AUTOENCODER_DC.where}] ${problem}. ${remedy}`);
}
