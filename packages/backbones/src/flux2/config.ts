import { completeConfig, readJsonConfig, writeJsonConfig, type ConfigOf, type JsonConfigOptions } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { flag, integer, list, nullable, number } from '@langevin/tensor/fields';

export const FLUX2: JsonConfigOptions = { where: 'backbones/flux2', className: 'Flux2Transformer2DModel' };

/** Keys, defaults and bounds of diffusers' `Flux2Transformer2DModel`. */
export const flux2Fields = {
  patch_size: integer(1, { atLeast: 1, atMost: 1 }),
  in_channels: integer(128, { atLeast: 1, atMost: 16_384 }),
  out_channels: nullable(integer(128, { atLeast: 1, atMost: 32_768 })),
  num_layers: integer(8, { atLeast: 0, atMost: 256 }),
  num_single_layers: integer(48, { atLeast: 0, atMost: 256 }),
  attention_head_dim: integer(128, { atLeast: 2, atMost: 1024 }),
  num_attention_heads: integer(48, { atLeast: 1, atMost: 256 }),
  joint_attention_dim: integer(15_360, { atLeast: 1, atMost: 65_536 }),
  timestep_guidance_channels: integer(256, { atLeast: 2, atMost: 16_384 }),
  mlp_ratio: number(3, { above: 0, atMost: 64 }),
  axes_dims_rope: list([32, 32, 32, 32], integer(32, { atLeast: 2, atMost: 1024 }), { atLeast: 4, atMost: 4 }),
  rope_theta: integer(2000, { atLeast: 1, atMost: 1e9 }),
  eps: number(1e-6, { above: 0, atMost: 1 }),
  guidance_embeds: flag(true),
};

/**
 * The configuration of {@link flux2}, the one of diffusers' `Flux2Transformer2DModel` with keys in camelCase. Widths are
 * `numAttentionHeads * attentionHeadDim`.
 *
 * - `inChannels`: of a token, which is one position: 128 where the latents' squares of 2 x 2 positions are channels already.
 * - `outChannels`: null for as many as come in.
 * - `axesDimsRope`: how many features of a head turn with which coordinate: picture, row, column, word.
 */
export type Flux2Config = ConfigOf<typeof flux2Fields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeFlux2Config(partial: Partial<Flux2Config>): Flux2Config {
  return checkTogether(completeConfig(partial, flux2Fields, FLUX2));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseFlux2Config(json: unknown): Flux2Config {
  return checkTogether(readJsonConfig(json, flux2Fields, FLUX2));
}

/** The content of `config.json`. */
export function flux2ToConfig(config: Partial<Flux2Config>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeFlux2Config(config), flux2Fields, FLUX2.className);
}

function checkTogether(config: Flux2Config): Flux2Config {
  const { attentionHeadDim: headSize, numAttentionHeads: heads, axesDimsRope: axes, mlpRatio } = config;
  const turned = axes.reduce((a, b) => a + b, 0);
  if (turned !== headSize || axes.some((size) => size % 2 !== 0))
    throw new UserError(
      `[${FLUX2.where}] features that turn are not those of a head: axes_dims_rope=[${axes.join(', ')}], `
        + `attention_head_dim=${headSize}. Give even numbers whose sum it is.`,
    );
  if (config.timestepGuidanceChannels % 2 !== 0)
    throw new UserError(
      `[${FLUX2.where}] features of time are pairs: timestep_guidance_channels=${config.timestepGuidanceChannels}. Give an even number.`,
    );
  if (Math.trunc(heads * headSize * mlpRatio) < 1)
    throw new UserError(`[${FLUX2.where}] feed-forward has no features: mlp_ratio=${mlpRatio}, width=${heads * headSize}. Give more.`);
  return config;
}
