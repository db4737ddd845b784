import { UserError } from '@langevin/tensor';
import { flag, integer, nullable, number, oneOf, withFallback } from '@langevin/tensor/fields';
import { completeConfig, readJsonConfig, writeJsonConfig, type ConfigOf, type JsonConfigOptions } from '@langevin/nn';

export const DIT: JsonConfigOptions = { where: 'backbones/dit', className: 'DiTTransformer2DModel' };

/** Keys, defaults and bounds of diffusers' `DiTTransformer2DModel`, and one of ours. */
export const ditFields = {
  num_attention_heads: integer(16, { atLeast: 1, atMost: 256 }),
  attention_head_dim: integer(72, { atLeast: 1, atMost: 1024 }),
  in_channels: integer(4, { atLeast: 1, atMost: 4096 }),
  out_channels: nullable(integer(4, { atLeast: 1, atMost: 8192 })),
  num_layers: integer(28, { atLeast: 1, atMost: 256 }),
  dropout: number(0, { atLeast: 0, atMost: 1 }),
  norm_num_groups: integer(32, { atLeast: 1, atMost: 4096 }),
  attention_bias: flag(true),
  sample_size: integer(32, { atLeast: 1, atMost: 16384 }),
  patch_size: integer(2, { atLeast: 1, atMost: 256 }),
  activation_fn: oneOf('gelu-approximate', ['gelu', 'gelu-approximate']),
  num_embeds_ada_norm: withFallback(nullable(integer(1000, { atLeast: 1, atMost: 10_000_000 })), 1000),
  upcast_attention: flag(false),
  norm_type: oneOf('ada_norm_zero', ['ada_norm_zero']),
  norm_elementwise_affine: flag(false),
  norm_eps: number(1e-5, { atLeast: 0, atMost: 1 }),
  embedding: oneOf('per-block', ['per-block', 'shared']),
};

/**
 * The configuration of {@link dit}, the one of diffusers' `DiTTransformer2DModel` with keys in camelCase. Widths are
 * `numAttentionHeads * attentionHeadDim`.
 *
 * - `numEmbedsAdaNorm`: number of classes. The table has one row more, for the null class: its label is `numEmbedsAdaNorm`.
 * - `embedding`: `'shared'` embeds time and class once, as the paper does; `'per-block'` has a copy in each block, as diffusers does.
 *   Weights keep diffusers' names: the shared copy is that of block 0.
 */
export type DitConfig = ConfigOf<typeof ditFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeDitConfig(partial: Partial<DitConfig>): DitConfig {
  return checkTogether(completeConfig(partial, ditFields, DIT));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseDitConfig(json: unknown): DitConfig {
  return checkTogether(readJsonConfig(json, ditFields, DIT));
}

/** The content of `config.json`. */
export function ditToConfig(config: Partial<DitConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeDitConfig(config), ditFields, DIT.className);
}

function checkTogether(config: DitConfig): DitConfig {
  const width = config.numAttentionHeads * config.attentionHeadDim;
  if (width % 4 !== 0) {
    throw new UserError(
      `[${DIT.where}] width is not a multiple of 4: num_attention_heads=${config.numAttentionHeads}, `
        + `attention_head_dim=${config.attentionHeadDim}, width=${width}. Positions take a sine and a cosine for each of two axes.`,
    );
  }
  if (config.sampleSize % config.patchSize !== 0) {
    throw new UserError(
      `[${DIT.where}] patches do not tile the sample: sample_size=${config.sampleSize}, patch_size=${config.patchSize}. Choose a divisor.`,
    );
  }
  if (config.numEmbedsAdaNorm === null) {
    throw new UserError(`[${DIT.where}] number of classes is missing: num_embeds_ada_norm=null. Give 1 for data without classes.`);
  }
  return config;
}
