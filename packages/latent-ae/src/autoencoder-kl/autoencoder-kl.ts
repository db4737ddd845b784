import type { Autoencoder } from '@langevin/core';
import { conv, inFloat32, scoped, type ConvParams } from '@langevin/nn';
import type { Generator, Tensor } from '@langevin/tensor';
import { checkLatents, checkPictures } from '../check-pictures.ts';
import { gaussianPosterior } from '../gaussian-posterior.ts';
import type { BandedAutoencoder } from '../banded-autoencoder.ts';
import { bandedCoder, type BandsOptions } from '../convolutional/bands/banded-coder.ts';
import { decoder, encoder, type DecoderParams, type EncoderParams } from '../convolutional/coder.ts';
import { AUTOENCODER_KL, completeAutoencoderKlConfig, parseAutoencoderKlConfig, type AutoencoderKlConfig } from './config.ts';

/** Names of diffusers. */
export interface AutoencoderKlParams {
  readonly encoder: EncoderParams;
  readonly decoder: DecoderParams;
  readonly quant_conv?: ConvParams;
  readonly post_quant_conv?: ConvParams;
}

/**
 * The autoencoder of latent diffusion with a normal posterior (Rombach et al. 2022, arXiv:2112.10752) in the form of diffusers'
 * `AutoencoderKL`: same names of parameters, same numbers. Pictures are [N, inChannels, H, W] in [-1, 1]; latents have sides 2^(levels - 1)
 * times smaller. An odd side loses its last row or column at each level that halves it.
 *
 * @throws UserError when the configuration is inconsistent, or at `encode` and `decode` when sizes do not fit
 * @example const vae = autoencoderKl({
 *   blockOutChannels: [32, 64],
 *   downBlockTypes: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
 *   upBlockTypes: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
 * });
 * const params = vae.init(torchGenerator(0));
 * const { mode } = vae.encode(params, zeros([1, 3, 16, 16]));
 * [mode.shape, vae.decode(params, mode).shape]; // => [[1, 4, 8, 8], [1, 3, 16, 16]]
 */
export function autoencoderKl(config: Partial<AutoencoderKlConfig> = {}): BandedAutoencoder<AutoencoderKlParams> {
  const complete = completeAutoencoderKlConfig(config);
  const { inChannels, outChannels, latentChannels, blockOutChannels: channels } = complete;
  const shared = {
    channels,
    layers: complete.layersPerBlock,
    groups: complete.normNumGroups,
    epsilon: 1e-6,
    activation: complete.actFn === 'swish' ? ('silu' as const) : complete.actFn,
    attention: complete.midBlockAddAttention ? ('pixels' as const) : ('none' as const),
  };
  const moments = 2 * latentChannels;
  const encode = scoped('encoder', encoder({ ...shared, inputs: inChannels, outputs: moments }));
  const decode = scoped('decoder', decoder({ ...shared, inputs: latentChannels, outputs: outChannels }));
  const pointwise = (name: string, size: number) => scoped(name, conv({ inputs: size, outputs: size, kernel: 1 }));
  const quant = complete.useQuantConv ? pointwise('quant_conv', moments) : undefined;
  const postQuant = complete.usePostQuantConv ? pointwise('post_quant_conv', latentChannels) : undefined;
  const halvings = channels.length - 1;
  const { where } = AUTOENCODER_KL;

  const latentShape = (shape: readonly number[]): readonly number[] => {
    const smallest = 2 ** halvings;
    checkPictures(shape, { where, channels: inChannels, smallest });
    return [shape[0]!, latentChannels, ...shape.slice(2).map((side) => Math.floor(side / smallest))];
  };

  const afterEncoder = (params: AutoencoderKlParams, h: Tensor): Tensor => (quant ? quant.apply(params.quant_conv!, h) : h);
  const beforeDecoder = (params: AutoencoderKlParams, z: Tensor): Tensor => (postQuant ? postQuant.apply(params.post_quant_conv!, z) : z);

  return Object.freeze({
    info: infoOf(complete),
    lastLayer: 'decoder.conv_out.weight',
    latentShape,
    init(generator: Generator): AutoencoderKlParams {
      return {
        encoder: encode.init(generator),
        decoder: decode.init(generator),
        ...(quant && { quant_conv: quant.init(generator) }),
        ...(postQuant && { post_quant_conv: postQuant.init(generator) }),
      };
    },
    encode(params: AutoencoderKlParams, x: Tensor) {
      latentShape(x.shape);
      return gaussianPosterior(afterEncoder(params, encode.apply(params.encoder, x)));
    },
    decode(params: AutoencoderKlParams, z: Tensor) {
      checkLatents(z.shape, { where, channels: latentChannels });
      return decode.apply(params.decoder, beforeDecoder(params, z));
    },
    inBands: (options?: BandsOptions) =>
      bandedCoder<AutoencoderKlParams>(
        {
          where,
          ...shared,
          encoder: (params) => params.encoder,
          decoder: (params) => params.decoder,
          afterEncoder: (params, h) => afterEncoder(inFloat32(params), h),
          beforeDecoder: (params, z) => beforeDecoder(inFloat32(params), z),
          checkPictures: latentShape,
          checkLatents: (shape) => {
            checkLatents(shape, { where, channels: latentChannels });
          },
        },
        options,
      ),
  });
}

function infoOf({ inChannels, latentChannels, blockOutChannels, ...config }: AutoencoderKlConfig): Autoencoder<unknown>['info'] {
  const { scalingFactor, shiftFactor, latentsMean, latentsStd } = config;
  const factor = 2 ** (blockOutChannels.length - 1);
  return Object.freeze({
    inputs: inChannels,
    channels: latentChannels,
    factor: [factor, factor],
    scale: latentsStd === null ? scalingFactor : latentsStd.map((std) => scalingFactor / std),
    shift: latentsMean ?? shiftFactor ?? 0,
  });
}

/** {@link autoencoderKl} from a parsed `config.json` of diffusers. @throws UserError naming the entry that is wrong */
export function autoencoderKlFromConfig(json: unknown): BandedAutoencoder<AutoencoderKlParams> {
  return autoencoderKl(parseAutoencoderKlConfig(json));
}
