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
import { flag, integer, list, number } from '@langevin/tensor/fields';

export const SEQUENCE_AUTOENCODER: JsonConfigOptions = { where: 'latent-ae/sequence-autoencoder', className: 'SequenceAutoencoder' };

export const sequenceAutoencoderFields = {
  in_channels: integer(1, channelBounds),
  latent_channels: integer(4, channelBounds),
  block_out_channels: list([32, 64], integer(1, channelBounds), levelBounds),
  layers_per_block: integer(1, { atLeast: 1, atMost: 64 }),
  norm_num_groups: integer(8, channelBounds),
  mid_block_add_attention: flag(true),
  scaling_factor: number(1, { above: 0, atMost: 1e6 }),
  shift_factor: number(0, { atLeast: -1e6, atMost: 1e6 }),
};

/**
 * The configuration of {@link sequenceAutoencoder}.
 *
 * - `inChannels`: numbers at each place of a sequence.
 * - `blockOutChannels`: channels of each level; latents are 2^(levels - 1) times shorter.
 * - `scalingFactor`, `shiftFactor`: latents are diffused over as (z - shift) * scale.
 */
export type SequenceAutoencoderConfig = ConfigOf<typeof sequenceAutoencoderFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeSequenceAutoencoderConfig(partial: Partial<SequenceAutoencoderConfig>): SequenceAutoencoderConfig {
  return checkTogether(completeConfig(partial, sequenceAutoencoderFields, SEQUENCE_AUTOENCODER));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseSequenceAutoencoderConfig(json: unknown): SequenceAutoencoderConfig {
  return checkTogether(readJsonConfig(json, sequenceAutoencoderFields, SEQUENCE_AUTOENCODER));
}

/** The content of `config.json`. */
export function sequenceAutoencoderToConfig(config: Partial<SequenceAutoencoderConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeSequenceAutoencoderConfig(config), sequenceAutoencoderFields, SEQUENCE_AUTOENCODER.className);
}

function checkTogether(config: SequenceAutoencoderConfig): SequenceAutoencoderConfig {
  const ragged = config.blockOutChannels.find((size) => size % config.normNumGroups !== 0);
  if (ragged !== undefined)
    throw new UserError(
      `[${SEQUENCE_AUTOENCODER.where}] groups do not divide the channels: norm_num_groups=${config.normNumGroups}, block_out_channels has `
        + `${ragged}. Choose sizes that divide.`,
    );
  return config;
}
