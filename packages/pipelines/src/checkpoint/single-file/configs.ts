import { UnsupportedError, UserError } from '@langevin/tensor';
import { FACTS, type Architecture } from './architecture.ts';
import type { ClipLayout } from './clip-names.ts';
import type { Part } from './parts.ts';
import type { UnetLayout } from './unet-names.ts';
import type { VaeLayout } from './vae-names.ts';

type Config = Readonly<Record<string, unknown>>;

/** Features of a head, in all products but the first, which has eight heads everywhere. */
const HEAD = 64;

function headsOf(width: number, of: string): number {
  if (width % HEAD === 0) return width / HEAD;
  throw new UnsupportedError(
    `[pipelines/single-file] heads cannot be told from shapes: component=${of}, features=${width}, no multiple of ${HEAD}. Give a folder `
      + 'of configurations with the option config.',
  );
}

/** The `config.json` that diffusers has for such a U-Net. */
export function unetConfig(
  { inChannels, outChannels, channels, layers, depths, middleDepth, context, projections, added }: UnetLayout,
  { architecture, pixels }: { readonly architecture: Architecture; readonly pixels: number },
): Config {
  const attends = depths.map((depth) => depth > 0);
  const depthEach = depths.map((depth, level) => (level === depths.length - 1 ? middleDepth : depth) || 1);
  return {
    _class_name: 'UNet2DConditionModel',
    sample_size: pixels / 8,
    in_channels: inChannels,
    out_channels: outChannels,
    block_out_channels: channels,
    layers_per_block: layers,
    down_block_types: attends.map((yes) => (yes ? 'CrossAttnDownBlock2D' : 'DownBlock2D')),
    up_block_types: attends.toReversed().map((yes) => (yes ? 'CrossAttnUpBlock2D' : 'UpBlock2D')),
    transformer_layers_per_block: depthEach.every((depth) => depth === depthEach[0]) ? depthEach[0] : depthEach,
    cross_attention_dim: context,
    // Despite its name, the number of heads.
    attention_head_dim: architecture === 'sd1' ? 8 : channels.map((width) => headsOf(width, 'unet')),
    use_linear_projection: projections === 'linear',
    ...(architecture === 'sd2' && { upcast_attention: true }),
    ...(added !== undefined && {
      addition_embed_type: 'text_time',
      addition_time_embed_dim: 256,
      projection_class_embeddings_input_dim: added,
    }),
  };
}

/** The `config.json` of an autoencoder. @throws UserError where nothing says how its latents are scaled */
export function vaeConfig(
  { inChannels, outChannels, channels, layers, latentChannels, quantConvolutions }: VaeLayout,
  { architecture, from }: { readonly architecture: Architecture | undefined; readonly from: string },
): Config {
  if (architecture === undefined)
    throw new UserError(
      `[pipelines/single-file] nothing in the file says how latents are scaled: file=${from}, an autoencoder of ${latentChannels} channels `
        + 'alone. Say whose it is with the option architecture, such as sd1 or sdxl.',
    );
  const { latents, pixels } = FACTS[architecture];
  return {
    _class_name: 'AutoencoderKL',
    sample_size: pixels,
    in_channels: inChannels,
    out_channels: outChannels,
    block_out_channels: channels,
    down_block_types: channels.map(() => 'DownEncoderBlock2D'),
    up_block_types: channels.map(() => 'UpDecoderBlock2D'),
    layers_per_block: layers,
    latent_channels: latentChannels,
    ...latents,
    ...(quantConvolutions === 'none' && { use_quant_conv: false, use_post_quant_conv: false }),
  };
}

/** The `config.json` of a text encoder. */
export function clipConfig(
  { vocabulary, features, inner, layers, positions, projection }: ClipLayout,
  { className, activation }: { readonly className: string; readonly activation: 'quick_gelu' | 'gelu' },
): Config {
  return {
    architectures: [className],
    model_type: 'clip_text_model',
    vocab_size: vocabulary,
    hidden_size: features,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: headsOf(features, 'text_encoder'),
    max_position_embeddings: positions,
    hidden_act: activation,
    layer_norm_eps: 1e-5,
    projection_dim: projection ?? features,
    bos_token_id: 49406,
    eos_token_id: 49407,
    pad_token_id: 1,
  };
}

/** The pipeline of a denoiser, by the channels that it takes. @throws UnsupportedError for channels that no pipeline is for */
export function pipelineOf(architecture: Architecture, denoiser: Part): string {
  const channels =
    denoiser.kind === 'unet' ? denoiser.layout.inChannels : 'config' in denoiser.layout ? Number(denoiser.layout.config['in_channels']) : 0;
  const { pipelines, title } = FACTS[architecture];
  const found = pipelines[channels];
  if (found !== undefined) return found;
  throw new UnsupportedError(
    `[pipelines/single-file] denoiser takes channels that no pipeline gives: model=${title}, channels=${channels}, known: `
      + `${Object.keys(pipelines).join(', ')}. Open it as a folder of diffusers.`,
  );
}
