import {
  activations,
  channelBounds,
  completeConfig,
  levelBounds,
  readJsonConfig,
  sampleSize,
  writeJsonConfig,
  type ActivationName,
  type ConfigOf,
  type JsonConfigOptions,
} from '@langevin/nn';
import { UnsupportedError } from '@langevin/tensor';
import { flag, integer, list, nullable, number, oneOf } from '@langevin/tensor/fields';
import { checkLevels } from '../convolutional/check-levels.ts';

export const VQ_MODEL: JsonConfigOptions = { where: 'latent-ae/vq-model', className: 'VQModel' };

/** Keys, defaults and bounds of diffusers' `VQModel`. */
export const vqModelFields = {
  in_channels: integer(3, channelBounds),
  out_channels: integer(3, channelBounds),
  down_block_types: list(['DownEncoderBlock2D'], oneOf('DownEncoderBlock2D', ['DownEncoderBlock2D']), levelBounds),
  up_block_types: list(['UpDecoderBlock2D'], oneOf('UpDecoderBlock2D', ['UpDecoderBlock2D', 'AttnUpDecoderBlock2D']), levelBounds),
  block_out_channels: list([64], integer(1, channelBounds), levelBounds),
  layers_per_block: integer(1, { atLeast: 1, atMost: 64 }),
  act_fn: oneOf('silu', [...(Object.keys(activations) as ActivationName[]), 'swish']),
  latent_channels: integer(3, channelBounds),
  sample_size: sampleSize,
  num_vq_embeddings: integer(256, { atLeast: 1, atMost: 2 ** 20 }),
  norm_num_groups: integer(32, channelBounds),
  vq_embed_dim: nullable(integer(3, channelBounds)),
  scaling_factor: number(0.18215, { above: 0, atMost: 1e6 }),
  norm_type: oneOf('group', ['group', 'spatial']),
  mid_block_add_attention: flag(true),
  lookup_from_codebook: flag(false),
  force_upcast: flag(false),
};

/**
 * The configuration of {@link vqModel}, the one of diffusers' `VQModel` with keys in camelCase.
 *
 * - `numVqEmbeddings`, `vqEmbedDim`: codes of the book and numbers of each; null for as many numbers as `latentChannels`.
 * - `lookupFromCodebook`: that what is generated are indices of codes, which `decodeCodes` takes.
 */
export type VqModelConfig = ConfigOf<typeof vqModelFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong; UnsupportedError for what is not built */
export function completeVqModelConfig(partial: Partial<VqModelConfig>): VqModelConfig {
  return checkTogether(completeConfig(partial, vqModelFields, VQ_MODEL));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong; UnsupportedError for what is not built */
export function parseVqModelConfig(json: unknown): VqModelConfig {
  return checkTogether(readJsonConfig(json, vqModelFields, VQ_MODEL));
}

/** The content of `config.json`, which diffusers reads as well. */
export function vqModelToConfig(config: Partial<VqModelConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeVqModelConfig(config), vqModelFields, VQ_MODEL.className);
}

function checkTogether(config: VqModelConfig): VqModelConfig {
  const spatial = config.normType === 'spatial' || config.upBlockTypes.includes('AttnUpDecoderBlock2D');
  if (spatial)
    throw new UnsupportedError(
      `[${VQ_MODEL.where}] decoder is not supported: norm_type=${config.normType}, up_block_types=${config.upBlockTypes.join(', ')}. Norms `
        + 'that are told the codes (MoVQ, of Kandinsky) are not built; take an autoencoder with norm_type "group".',
    );
  checkLevels(config, VQ_MODEL.where);
  return config;
}
