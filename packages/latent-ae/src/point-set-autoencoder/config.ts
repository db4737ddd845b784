import { channelBounds, completeConfig, readJsonConfig, writeJsonConfig, type ConfigOf, type JsonConfigOptions } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { integer, number } from '@langevin/tensor/fields';

export const POINT_SET_AUTOENCODER: JsonConfigOptions = { where: 'latent-ae/point-set-autoencoder', className: 'PointSetAutoencoder' };

export const pointSetAutoencoderFields = {
  in_channels: integer(3, channelBounds),
  latent_channels: integer(8, channelBounds),
  num_points: integer(256, { atLeast: 1, atMost: 2 ** 16 }),
  num_latents: integer(8, { atLeast: 1, atMost: 4096 }),
  num_attention_heads: integer(4, channelBounds),
  attention_head_dim: integer(16, channelBounds),
  num_layers: integer(2, { atLeast: 0, atMost: 64 }),
  scaling_factor: number(1, { above: 0, atMost: 1e6 }),
  shift_factor: number(0, { atLeast: -1e6, atMost: 1e6 }),
};

/**
 * The configuration of {@link pointSetAutoencoder}.
 *
 * - `inChannels`: coordinates of a point, and what else it has.
 * - `numPoints`: points that are decoded; any number is encoded. A multiple of `numLatents`.
 * - `numLatents`, `latentChannels`: tokens of a latent, and numbers of each.
 * - `numLayers`: transformer blocks among the tokens, in the encoder and in the decoder.
 * - `scalingFactor`, `shiftFactor`: latents are diffused over as (z - shift) * scale.
 */
export type PointSetAutoencoderConfig = ConfigOf<typeof pointSetAutoencoderFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completePointSetAutoencoderConfig(partial: Partial<PointSetAutoencoderConfig>): PointSetAutoencoderConfig {
  return checkTogether(completeConfig(partial, pointSetAutoencoderFields, POINT_SET_AUTOENCODER));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parsePointSetAutoencoderConfig(json: unknown): PointSetAutoencoderConfig {
  return checkTogether(readJsonConfig(json, pointSetAutoencoderFields, POINT_SET_AUTOENCODER));
}

/** The content of `config.json`. */
export function pointSetAutoencoderToConfig(config: Partial<PointSetAutoencoderConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completePointSetAutoencoderConfig(config), pointSetAutoencoderFields, POINT_SET_AUTOENCODER.className);
}

function checkTogether(config: PointSetAutoencoderConfig): PointSetAutoencoderConfig {
  if (config.numPoints % config.numLatents !== 0)
    throw new UserError(
      `[${POINT_SET_AUTOENCODER.where}] points are no multiple of the tokens of a latent: num_points=${config.numPoints}, `
        + `num_latents=${config.numLatents}. Choose numbers that divide.`,
    );
  return config;
}
