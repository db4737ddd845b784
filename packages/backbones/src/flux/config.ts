import { completeConfig, readJsonConfig, writeJsonConfig, type ConfigOf, type JsonConfigOptions } from '@langevin/nn';
import { UserError } from '@langevin/tensor';
import { flag, integer, list, nullable } from '@langevin/tensor/fields';

export const FLUX: JsonConfigOptions = { where: 'backbones/flux', className: 'FluxTransformer2DModel' };

/** Positions of the latents that are one token. */
export const PACKED = 2;

/** Keys, defaults and bounds of diffusers' `FluxTransformer2DModel`. */
export const fluxFields = {
  patch_size: integer(1, { atLeast: 1, atMost: 1 }),
  in_channels: integer(64, { atLeast: 4, atMost: 16_384 }),
  out_channels: nullable(integer(64, { atLeast: 4, atMost: 32_768 })),
  num_layers: integer(19, { atLeast: 0, atMost: 256 }),
  num_single_layers: integer(38, { atLeast: 0, atMost: 256 }),
  attention_head_dim: integer(128, { atLeast: 2, atMost: 1024 }),
  num_attention_heads: integer(24, { atLeast: 1, atMost: 256 }),
  joint_attention_dim: integer(4096, { atLeast: 1, atMost: 65_536 }),
  pooled_projection_dim: integer(768, { atLeast: 1, atMost: 65_536 }),
  guidance_embeds: flag(false),
  axes_dims_rope: list([16, 56, 56], integer(16, { atLeast: 2, atMost: 1024 }), { atLeast: 3, atMost: 3 }),
};

/**
 * The configuration of {@link flux}, the one of diffusers' `FluxTransformer2DModel` with keys in camelCase. Widths are
 * `numAttentionHeads * attentionHeadDim`.
 *
 * - `inChannels`: of a token, which is a square of 2 x 2 positions of latents: 64 for latents of 16 channels.
 * - `axesDimsRope`: how many features of a head turn with which coordinate: one that is 0 everywhere, the row, the column.
 */
export type FluxConfig = ConfigOf<typeof fluxFields>;

/** Fill in defaults and check. @throws UserError naming the entry that is wrong */
export function completeFluxConfig(partial: Partial<FluxConfig>): FluxConfig {
  return checkTogether(completeConfig(partial, fluxFields, FLUX));
}

/** Check a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function parseFluxConfig(json: unknown): FluxConfig {
  return checkTogether(readJsonConfig(json, fluxFields, FLUX));
}

/** The content of `config.json`. */
export function fluxToConfig(config: Partial<FluxConfig>): Readonly<Record<string, unknown>> {
  return writeJsonConfig(completeFluxConfig(config), fluxFields, FLUX.className);
}

function checkTogether(config: FluxConfig): FluxConfig {
  const { attentionHeadDim: headSize, axesDimsRope: axes, inChannels, outChannels } = config;
  const turned = axes.reduce((a, b) => a + b, 0);
  if (turned !== headSize || axes.some((size) => size % 2 !== 0))
    throw new UserError(
      `[${FLUX.where}] features that turn are not those of a head: axes_dims_rope=[${axes.join(', ')}], `
        + `attention_head_dim=${headSize}. Give `
        + 'even numbers whose sum it is.',
    );
  for (const [name, channels] of Object.entries({ in_channels: inChannels, out_channels: outChannels ?? inChannels }))
    if (channels % PACKED ** 2 !== 0)
      throw new UserError(`[${FLUX.where}] tokens are squares of 2 x 2 positions: ${name}=${channels}. Give a multiple of 4.`);
  return config;
}
