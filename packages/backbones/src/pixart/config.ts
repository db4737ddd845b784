import { UserError } from '@langevin/tensor';
import { flag, integer, nullable, number, oneOf, withFallback } from '@langevin/tensor/fields';
import {
  completeConfig,
  feedForwardActivations,
  readJsonConfig,
  writeJsonConfig,
  type ConfigOf,
  type FeedForwardActivation,
  type JsonConfigOptions,
} from '@langevin/nn';

export const PIXART: JsonConfigOptions = { where: 'backbones/pixart', className: 'PixArtTransformer2DModel' };

/** Keys, defaults and bounds of diffusers' `PixArtTransformer2DModel`. */
export const pixartFields = {
  num_attention_heads: integer(16, { atLeast: 1, atMost: 256 }),
  attention_head_dim: integer(72, { atLeast: 1, atMost: 1024 }),
  in_channels: integer(4, { atLeast: 1, atMost: 4096 }),
  out_channels: withFallback(nullable(integer(8, { atLeast: 1, atMost: 8192 })), 8),
  num_layers: integer(28, { atLeast: 1, atMost: 256 }),
  dropout: number(0, { atLeast: 0, atMost: 1 }),
  norm_num_groups: integer(32, { atLeast: 1, atMost: 4096 }),
  cross_attention_dim: withFallback(nullable(integer(1152, { atLeast: 1, atMost: 65536 })), 1152),
  attention_bias: flag(true),
  sample_size: integer(128, { atLeast: 1, atMost: 16384 }),
  patch_size: integer(2, { atLeast: 1, atMost: 256 }),
  activation_fn: oneOf<FeedForwardActivation>('gelu-approximate', feedForwardActivations),
  num_embeds_ada_norm: nullable(integer(1000, { atLeast: 1, atMost: 10_000_000 })),
  upcast_attention: flag(false),
  norm_type: oneOf('ada_norm_single', ['ada_norm_single']),
  norm_elementwise_affine: flag(false),
  norm_eps: number(1e-6, { atLeast: 0, atMost: 1 }),
  interpolation_scale: nullable(number(1, { above: 0, atMost: 1024 })),
  use_additional_conditions: nullable(flag(false)),
  caption_channels: nullable(integer(4096, { atLeast: 1, atMost: 65536 })),
  attention_type: withFallback(nullable(oneOf('default', ['default'])), 'default'),
};

/**
 * The configuration of {@link pixart}, the one of diffusers' `PixArtTransformer2DModel` with keys in camelCase. Widths are
 * `numAttentionHeads * attentionHeadDim`.
 *
 * - `crossAttentionDim`: features of the text that the blocks read; null for blocks that read none.
 * - `captionChannels`: features of the text that the network is given, which it projects to its width first; null where it is given the
 *   features that the blocks read.
 * - `interpolationScale`: what positions are divided by; null takes `sampleSize / 64`, rounded down, and at least 1.
 * - `useAdditionalConditions`: whether the network is told size and aspect ratio of the picture; null tells those whose `sampleSize` is
 *   128.
 * - `numEmbedsAdaNorm`, `normNumGroups`: have no effect here; files have them.
 */
export type PixartConfig = ConfigOf<typeof pixartFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completePixartConfig(partial: Partial<PixartConfig>): PixartConfig {
  return checkTogether(completeConfig(partial, pixartFields, PIXART));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parsePixartConfig(json: unknown): PixartConfig {
  return checkTogether(readJsonConfig(json, pixartFields, PIXART));
}

/** The content of `config.json`. */
export function pixartToConfig(config: Partial<PixartConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completePixartConfig(config), pixartFields, PIXART.className);
}

/** Whether the network is told size and aspect ratio. */
export function takesSizes({ useAdditionalConditions, sampleSize }: PixartConfig): boolean {
  return useAdditionalConditions ?? sampleSize === 128;
}

function checkTogether(config: PixartConfig): PixartConfig {
  const width = config.numAttentionHeads * config.attentionHeadDim;
  const sizes = `num_attention_heads=${config.numAttentionHeads}, attention_head_dim=${config.attentionHeadDim}, width=${width}`;
  if (width % 4 !== 0)
    throw new UserError(
      `[${PIXART.where}] width is not a multiple of 4: ${sizes}. Positions take a sine and a cosine for each of two axes.`,
    );
  if (takesSizes(config) && width % 3 !== 0)
    throw new UserError(
      `[${PIXART.where}] width is not a multiple of 3: ${sizes}. Height, width and aspect ratio are embedded with a third each; set `
        + 'use_additional_conditions to false otherwise.',
    );
  if (config.sampleSize % config.patchSize !== 0)
    throw new UserError(
      `[${PIXART.where}] patches do not tile the sample: sample_size=${config.sampleSize}, patch_size=${config.patchSize}. Choose `
        + 'a divisor.',
    );
  if (config.captionChannels !== null && config.crossAttentionDim !== width)
    throw new UserError(
      `[${PIXART.where}] blocks do not read what the caption is projected to: cross_attention_dim=${config.crossAttentionDim}, `
        + `width=${width}. Make them equal, or set caption_channels to null.`,
    );
  return config;
}
