import {
  activations,
  channelBounds,
  levelBounds,
  sampleSize,
  completeConfig,
  readJsonConfig,
  writeJsonConfig,
  type ActivationName,
  type ConfigOf,
  type JsonConfigOptions,
} from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { flag, integer, list, nullable, number, oneOf, withFallback } from '@langevin/tensor/fields';
import { checkLevels } from '../convolutional/check-levels.ts';

export const AUTOENCODER_KL: JsonConfigOptions = { where: 'latent-ae/autoencoder-kl', className: 'AutoencoderKL' };

const perChannel = nullable(list([], number(0), { atLeast: 1, atMost: 16384 }));

/** Keys, defaults and bounds of diffusers' `AutoencoderKL`. */
export const autoencoderKlFields = {
  in_channels: integer(3, channelBounds),
  out_channels: integer(3, channelBounds),
  down_block_types: list(['DownEncoderBlock2D'], oneOf('DownEncoderBlock2D', ['DownEncoderBlock2D']), levelBounds),
  up_block_types: list(['UpDecoderBlock2D'], oneOf('UpDecoderBlock2D', ['UpDecoderBlock2D']), levelBounds),
  block_out_channels: list([64], integer(1, channelBounds), levelBounds),
  layers_per_block: integer(1, { atLeast: 1, atMost: 64 }),
  act_fn: oneOf('silu', [...(Object.keys(activations) as ActivationName[]), 'swish']),
  latent_channels: integer(4, channelBounds),
  norm_num_groups: integer(32, channelBounds),
  sample_size: sampleSize,
  scaling_factor: number(0.18215, { above: 0, atMost: 1e6 }),
  shift_factor: nullable(number(0, { atLeast: -1e6, atMost: 1e6 })),
  latents_mean: perChannel,
  latents_std: perChannel,
  force_upcast: flag(true),
  use_quant_conv: flag(true),
  use_post_quant_conv: flag(true),
  mid_block_add_attention: flag(true),
  // Of older files; both are what the class does.
  attention_head_dim: withFallback(nullable(integer(8, channelBounds)), null),
  decoder_norm_type: nullable(oneOf('group', ['group'])),
};

/**
 * The configuration of {@link autoencoderKl}, the one of diffusers' `AutoencoderKL` with keys in camelCase.
 *
 * - `scalingFactor`, `shiftFactor`: latents are diffused over as (z - shift) * scale.
 * - `latentsMean`, `latentsStd`: of each channel; where they are given, latents are diffused over as (z - mean) / std * scale.
 * - `forceUpcast`: decoders that overflow in 16 bits; here all are computed in 32.
 */
export type AutoencoderKlConfig = ConfigOf<typeof autoencoderKlFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeAutoencoderKlConfig(partial: Partial<AutoencoderKlConfig>): AutoencoderKlConfig {
  return checkTogether(completeConfig(partial, autoencoderKlFields, AUTOENCODER_KL));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseAutoencoderKlConfig(json: unknown): AutoencoderKlConfig {
  return checkTogether(readJsonConfig(json, autoencoderKlFields, AUTOENCODER_KL));
}

/** The content of `config.json`, which diffusers reads as well. */
export function autoencoderKlToConfig(config: Partial<AutoencoderKlConfig>): Readonly<Record<string, unknown>> {
  const { attention_head_dim: _head, decoder_norm_type: _norm, ...fields } = autoencoderKlFields;
  const complete = completeAutoencoderKlConfig(config);
  return writeJsonConfig(complete, fields, AUTOENCODER_KL.className);
}

/** What one entry demands of another. */
function checkTogether(config: AutoencoderKlConfig): AutoencoderKlConfig {
  const { latentChannels } = config;
  const fail = (problem: string, remedy: string): never => {
    throw new UserError(`[${AUTOENCODER_KL.where}] ${problem}. ${remedy}`);
  };
  checkLevels(config, AUTOENCODER_KL.where);
  for (const [name, values] of [
    ['latents_mean', config.latentsMean],
    ['latents_std', config.latentsStd],
  ] as const)
    if (values !== null && values.length !== latentChannels)
      fail(`statistics are not of every channel: ${name}=${values.length} entries, latent_channels=${latentChannels}`, 'Give as many.');
  if ((config.latentsMean === null) !== (config.latentsStd === null))
    fail('statistics of the latents are incomplete: one of latents_mean and latents_std is null', 'Give both, or none.');
  const flat = config.latentsStd?.find((std) => !(std > 0));
  if (flat !== undefined) fail(`deviation of a channel is not above 0: latents_std has ${flat}`, 'Give that of the latents.');
  return config;
}
