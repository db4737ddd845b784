import { completeConfig, readJsonConfig, writeJsonConfig, type ConfigOf, type JsonConfigOptions } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { flag, integer, nullable, number } from '@langevin/tensor/fields';

export const UVIT: JsonConfigOptions = { where: 'backbones/u-vit', className: 'UViT' };

/** Tokens that one attention may see: a bound on what a configuration asks to be allocated for positions. */
const MOST_TOKENS = 1_048_576;

/** Keys and defaults of the paper's code, and one of ours. */
export const uvitFields = {
  img_size: integer(224, { atLeast: 1, atMost: 16_384 }),
  patch_size: integer(16, { atLeast: 1, atMost: 256 }),
  in_chans: integer(3, { atLeast: 1, atMost: 4096 }),
  embed_dim: integer(768, { atLeast: 2, atMost: 65_536 }),
  depth: integer(12, { atLeast: 0, atMost: 256 }),
  num_heads: integer(12, { atLeast: 1, atMost: 256 }),
  mlp_ratio: number(4, { above: 0, atMost: 64 }),
  qkv_bias: flag(false),
  mlp_time_embed: flag(false),
  num_classes: integer(-1, { atLeast: -1, atMost: 10_000_000 }),
  none_label: nullable(integer(0, { atLeast: 0, atMost: 10_000_000 })),
  clip_dim: nullable(integer(768, { atLeast: 1, atMost: 65_536 })),
  num_clip_token: integer(77, { atLeast: 1, atMost: 4096 }),
  conv: flag(true),
  skip: flag(true),
};

/**
 * The configuration of {@link uvit}, that of the paper's code with keys in camelCase.
 *
 * - `depth`: blocks beside the middle one; half of them before it and half behind it.
 * - `numClasses`: rows of the table of labels; below 1 there is no label.
 * - `noneLabel`: which of them stands for no label, null where none does: 1000 of 1001 in the paper's ImageNet models.
 * - `clipDim`: features of a text's tokens, of which there are `numClipToken`; null where there is no text.
 * - `conv`: a convolution of 3 x 3 over the picture at the end. `skip`: long skips.
 */
export type UvitConfig = ConfigOf<typeof uvitFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeUvitConfig(partial: Partial<UvitConfig>): UvitConfig {
  return checkTogether(completeConfig(partial, uvitFields, UVIT));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseUvitConfig(json: unknown): UvitConfig {
  return checkTogether(readJsonConfig(json, uvitFields, UVIT));
}

/** The content of `config.json`. */
export function uvitToConfig(config: Partial<UvitConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeUvitConfig(config), uvitFields, UVIT.className);
}

function checkTogether(config: UvitConfig): UvitConfig {
  const { embedDim: width, numHeads, imgSize, patchSize, numClasses, noneLabel } = config;
  if (width % numHeads !== 0 || width % 2 !== 0) {
    throw new UserError(
      `[${UVIT.where}] features do not divide among heads, or are not pairs of a sine and a cosine: embed_dim=${width}, `
        + `num_heads=${numHeads}. Choose an even multiple.`,
    );
  }
  if (imgSize % patchSize !== 0 || (imgSize / patchSize) ** 2 > MOST_TOKENS) {
    throw new UserError(
      `[${UVIT.where}] patches do not tile the sample, or are more than ${MOST_TOKENS}: img_size=${imgSize}, patch_size=${patchSize}. `
        + 'Choose another patch.',
    );
  }
  if (noneLabel !== null && noneLabel >= numClasses) {
    throw new UserError(
      `[${UVIT.where}] label that stands for none is not in the table: none_label=${noneLabel}, num_classes=${numClasses}. `
        + 'Give one that is.',
    );
  }
  if (numClasses > 0 && config.clipDim !== null)
    throw new UserError(`[${UVIT.where}] labels and a text at once: num_classes=${numClasses}, clip_dim=${config.clipDim}. Choose one.`);
  if (Math.trunc(width * config.mlpRatio) < 1)
    throw new UserError(`[${UVIT.where}] perceptron has no features: mlp_ratio=${config.mlpRatio}, embed_dim=${width}. Give more.`);
  return config;
}
