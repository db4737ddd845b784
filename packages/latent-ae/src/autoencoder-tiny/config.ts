import { channelBounds, completeConfig, readJsonConfig, writeJsonConfig, type ConfigOf, type JsonConfigOptions } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { flag, integer, list, nullable, number, oneOf, withFallback } from '@langevin/tensor/fields';

export const AUTOENCODER_TINY: JsonConfigOptions = { where: 'latent-ae/autoencoder-tiny', className: 'AutoencoderTiny' };

const levels = { atLeast: 1, atMost: 12 };
const blocks = integer(1, { atLeast: 0, atMost: 64 });

/** Keys, defaults and bounds of diffusers' `AutoencoderTiny`. */
export const autoencoderTinyFields = {
  in_channels: integer(3, channelBounds),
  out_channels: integer(3, channelBounds),
  encoder_block_out_channels: list([64, 64, 64, 64], integer(1, channelBounds), levels),
  decoder_block_out_channels: list([64, 64, 64, 64], integer(1, channelBounds), levels),
  act_fn: oneOf('relu', ['relu', 'gelu', 'mish', 'silu', 'swish']),
  upsample_fn: oneOf('nearest', ['nearest', 'bilinear']),
  latent_channels: integer(4, channelBounds),
  upsampling_scaling_factor: integer(2, { atLeast: 1, atMost: 16 }),
  num_encoder_blocks: list([1, 3, 3, 3], blocks, levels),
  num_decoder_blocks: list([3, 3, 3, 1], blocks, levels),
  latent_magnitude: number(3, { above: 0, atMost: 1e6 }),
  latent_shift: number(0.5, { atLeast: -1e6, atMost: 1e6 }),
  force_upcast: flag(false),
  scaling_factor: number(1, { above: 0, atMost: 1e6 }),
  shift_factor: number(0, { atLeast: -1e6, atMost: 1e6 }),
  // A copy of decoder_block_out_channels that diffusers writes.
  block_out_channels: withFallback(nullable(list([64], integer(1, channelBounds), levels)), null),
};

/**
 * The configuration of {@link autoencoderTiny}, the one of diffusers' `AutoencoderTiny` with keys in camelCase.
 *
 * - `latentMagnitude`, `latentShift`: latents within this distance from 0 fill [0, 1], to be stored in bytes.
 * - `scalingFactor`, `shiftFactor`: latents are diffused over as (z - shift) * scale; they are trained to be those of the large autoencoder
 *   after its own scale, hence 1 and 0.
 */
export type AutoencoderTinyConfig = ConfigOf<typeof autoencoderTinyFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeAutoencoderTinyConfig(partial: Partial<AutoencoderTinyConfig>): AutoencoderTinyConfig {
  return checkTogether(completeConfig(partial, autoencoderTinyFields, AUTOENCODER_TINY));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseAutoencoderTinyConfig(json: unknown): AutoencoderTinyConfig {
  return checkTogether(readJsonConfig(json, autoencoderTinyFields, AUTOENCODER_TINY));
}

/** The content of `config.json`, which diffusers reads as well. */
export function autoencoderTinyToConfig(config: Partial<AutoencoderTinyConfig>): Readonly<Record<string, unknown>> {
  const { block_out_channels: _copy, ...fields } = autoencoderTinyFields;
  return writeJsonConfig(completeAutoencoderTinyConfig(config), fields, AUTOENCODER_TINY.className);
}

/** What one entry demands of another. */
function checkTogether(config: AutoencoderTinyConfig): AutoencoderTinyConfig {
  for (const [side, sizes, counts] of [
    ['encoder', config.encoderBlockOutChannels, config.numEncoderBlocks],
    ['decoder', config.decoderBlockOutChannels, config.numDecoderBlocks],
  ] as const) {
    if (sizes.length !== counts.length)
      throw new UserError(
        `[${AUTOENCODER_TINY.where}] levels disagree: ${side}_block_out_channels=${sizes.length}, `
          + `num_${side}_blocks=${counts.length} `
          + 'entries. Give each one entry for '
          + 'each level.',
      );
    // The convolution between two levels has as many channels in as out.
    if (sizes.some((size) => size !== sizes[0]))
      throw new UserError(
        `[${AUTOENCODER_TINY.where}] levels have different sizes: ${side}_block_out_channels=[${sizes.join(', ')}]. This class has `
          + 'one size for all levels.',
      );
  }
  const [down, up] = [2 ** (config.encoderBlockOutChannels.length - 1), growthOf(config)];
  if (down !== up)
    throw new UserError(
      `[${AUTOENCODER_TINY.where}] pictures do not come back in their size: the encoder divides sides by ${down}, the decoder multiplies `
        + `them by ${up}. Give both as many levels, and upsampling_scaling_factor=2.`,
    );
  return config;
}

const growthOf = ({ upsamplingScalingFactor: factor, decoderBlockOutChannels: { length } }: AutoencoderTinyConfig): number =>
  factor ** (length - 1);
