import { conv, inFloat32, scoped, type ConvParams } from '@langevin/nn';
import { UserError, type Generator, type Tensor } from '@langevin/tensor';
import type { BandedAutoencoder } from '../banded-autoencoder.ts';
import { checkLatents, checkPictures } from '../check-pictures.ts';
import type { CodedAutoencoder, Quantized } from '../coded-autoencoder.ts';
import { codePosterior } from '../code-posterior.ts';
import { bandedCoder, type BandsOptions } from '../convolutional/bands/banded-coder.ts';
import { decoder, encoder, type DecoderParams, type EncoderParams } from '../convolutional/coder.ts';
import { codebook, type CodebookParams, type QuantizeOptions } from './codebook.ts';
import { completeVqModelConfig, parseVqModelConfig, VQ_MODEL, type VqModelConfig } from './config.ts';

/** Names of diffusers. */
export interface VqModelParams {
  readonly encoder: EncoderParams;
  readonly quant_conv: ConvParams;
  readonly quantize: CodebookParams;
  readonly post_quant_conv: ConvParams;
  readonly decoder: DecoderParams;
}

/** A {@link vqModel}: an autoencoder, and its codes. */
export interface VqAutoencoder extends BandedAutoencoder<VqModelParams>, CodedAutoencoder<VqModelParams> {}

/**
 * The autoencoder of latent diffusion with a book of codes (Esser et al. 2021, arXiv:2012.09841; Rombach et al. 2022, arXiv:2112.10752) in
 * the
 * form of diffusers' `VQModel`: same names of parameters, same numbers. `encode` gives the latent before it is quantised, which is what is
 * diffused over; `decode` begins with the nearest codes, whose gradient goes to the latent as it is.
 *
 * @throws UserError when the configuration is inconsistent, or at `encode` and `decode` when shapes do not fit; UnsupportedError for MoVQ
 * @example const vq = vqModel({ blockOutChannels: [32], numVqEmbeddings: 16 });
 * const params = vq.init(torchGenerator(0));
 * const { indices } = vq.quantize(params, vq.encode(params, zeros([1, 3, 4, 6])).mode);
 * [indices.shape, vq.decodeIndices(params, indices).shape]; // => [[1, 4, 6], [1, 3, 4, 6]]
 */
export function vqModel(config: Partial<VqModelConfig> = {}): VqAutoencoder {
  const complete = completeVqModelConfig(config);
  const { inChannels, latentChannels, blockOutChannels: channels } = complete;
  const { where } = VQ_MODEL;
  const shared = {
    channels,
    layers: complete.layersPerBlock,
    groups: complete.normNumGroups,
    epsilon: 1e-6,
    activation: complete.actFn === 'swish' ? ('silu' as const) : complete.actFn,
    attention: complete.midBlockAddAttention ? ('pixels' as const) : ('none' as const),
  };
  const size = complete.vqEmbedDim ?? latentChannels;
  const encode = scoped('encoder', encoder({ ...shared, inputs: inChannels, outputs: latentChannels }));
  const decode = scoped('decoder', decoder({ ...shared, inputs: latentChannels, outputs: complete.outChannels }));
  const quant = scoped('quant_conv', conv({ inputs: latentChannels, outputs: size, kernel: 1 }));
  const postQuant = scoped('post_quant_conv', conv({ inputs: size, outputs: latentChannels, kernel: 1 }));
  const book = codebook({ count: complete.numVqEmbeddings, size });
  const factor = 2 ** (channels.length - 1);

  const latentShape = (shape: readonly number[]): readonly number[] => {
    checkPictures(shape, { where, channels: inChannels, smallest: factor });
    return [shape[0]!, size, ...shape.slice(2).map((side) => Math.floor(side / factor))];
  };
  const decodeQuantized = (params: VqModelParams, code: Tensor): Tensor => {
    checkLatents(code.shape, { where, channels: size });
    return decode.apply(params.decoder, postQuant.apply(params.post_quant_conv, code));
  };
  const quantize = (params: VqModelParams, z: Tensor, options?: QuantizeOptions): Quantized => {
    checkLatents(z.shape, { where, channels: size });
    return book.quantize(params.quantize, z, options);
  };
  return Object.freeze({
    info: Object.freeze({ inputs: inChannels, channels: size, factor: [factor, factor], scale: complete.scalingFactor, shift: 0 }),
    codes: complete.numVqEmbeddings,
    book: {
      of: (params: VqModelParams) => params.quantize.embedding.weight,
      with: (params: VqModelParams, weight: Tensor) => ({ ...params, quantize: { embedding: { weight } } }),
    },
    lastLayer: 'decoder.conv_out.weight',
    latentShape,
    init: (generator: Generator): VqModelParams => ({
      encoder: encode.init(generator),
      quant_conv: quant.init(generator),
      quantize: book.init(generator),
      post_quant_conv: postQuant.init(generator),
      decoder: decode.init(generator),
    }),
    encode(params: VqModelParams, x: Tensor) {
      latentShape(x.shape);
      return codePosterior(quant.apply(params.quant_conv, encode.apply(params.encoder, x)));
    },
    decode: (params: VqModelParams, z: Tensor) => decodeQuantized(params, quantize(params, z).latent),
    inBands: (options?: BandsOptions) =>
      bandedCoder<VqModelParams>(
        {
          where,
          ...shared,
          encoder: (params) => params.encoder,
          decoder: (params) => params.decoder,
          afterEncoder: (params, h) => quant.apply(inFloat32(params).quant_conv, h),
          beforeDecoder: (given, z) => {
            const params = inFloat32(given);
            return postQuant.apply(params.post_quant_conv, quantize(params, z).latent);
          },
          checkPictures: latentShape,
          checkLatents: (shape) => {
            checkLatents(shape, { where, channels: size });
          },
        },
        options,
      ),
    quantize,
    decodeQuantized,
    decodeIndices(params: VqModelParams, indices: Tensor) {
      if (indices.rank !== 3 || indices.size === 0)
        throw new UserError(`[${where}] indices do not fit: indices=[${indices.shape.join(', ')}]. Give int32 [N, h, w].`);
      return decodeQuantized(params, book.look(params.quantize, indices));
    },
  });
}

/** {@link vqModel} from a parsed `config.json` of diffusers. @throws UserError naming the entry that is wrong; UnsupportedError for MoVQ */
export function vqModelFromConfig(json: unknown): VqAutoencoder {
  return vqModel(parseVqModelConfig(json));
}
