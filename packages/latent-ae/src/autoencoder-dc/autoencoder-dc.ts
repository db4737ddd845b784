import type { Autoencoder } from '@langevin/core';
import { scoped } from '@langevin/nn';
import type { Generator, Tensor } from '@langevin/tensor';
import { checkLatents, checkPictures } from '../check-pictures.ts';
import { codePosterior } from '../code-posterior.ts';
import { dcDecoder, dcEncoder, type DcDecoderParams, type DcEncoderParams, type DcLevel } from './coder.ts';
import { AUTOENCODER_DC, completeAutoencoderDcConfig, parseAutoencoderDcConfig, spread, type AutoencoderDcConfig } from './config.ts';

/** Names of diffusers. */
export interface AutoencoderDcParams {
  readonly encoder: DcEncoderParams;
  readonly decoder: DcDecoderParams;
}

/**
 * The deep compression autoencoder (Chen et al. 2024, arXiv:2410.10733), SANA's, in the form of diffusers' `AutoencoderDC`: same names of
 * parameters, same numbers. Residual blocks above and EfficientViT's linear attention below, with shortcuts that only rearrange pixels.
 * Pictures are
 * [N, inChannels, H, W] in [-1, 1], sides multiples of 2^(levels - 1), which is what latents are smaller by (32 by default). There is no
 * distribution: the mode is the latent, and a sample is the mode.
 *
 * Batch norm of a decoder is computed with its stored statistics, which training here does not change.
 *
 * @throws UserError when the configuration is inconsistent, or at `encode` and `decode` when shapes do not fit
 * @example const half = ['encoder', 'decoder'].map((side) => ({
 *   [`${side}BlockOutChannels`]: [8, 16], [`${side}LayersPerBlock`]: [1, 1], [`${side}QkvMultiscales`]: [[], [5]],
 *   [`${side}BlockTypes`]: ['ResBlock', 'EfficientViTBlock'],
 * }));
 * const dc = autoencoderDc({ ...half[0], ...half[1], latentChannels: 4, attentionHeadDim: 8 });
 * const params = dc.init(torchGenerator(0));
 * const { mode } = dc.encode(params, zeros([1, 3, 8, 6]));
 * [mode.shape, dc.decode(params, mode).shape]; // => [[1, 4, 4, 3], [1, 3, 8, 6]]
 */
export function autoencoderDc(config: Partial<AutoencoderDcConfig> = {}): Autoencoder<AutoencoderDcParams> {
  const complete = completeAutoencoderDcConfig(config);
  const { inChannels: pixels, latentChannels: latents, attentionHeadDim: headSize } = complete;
  const { where } = AUTOENCODER_DC;
  const depth = complete.encoderBlockOutChannels.length;
  const factor = 2 ** (depth - 1);
  const [encoderTypes, decoderTypes] = [spread(complete.encoderBlockTypes, depth), spread(complete.decoderBlockTypes, depth)];
  const [norms, activations] = [spread(complete.decoderNormTypes, depth), spread(complete.decoderActFns, depth)];
  const encode = scoped(
    'encoder',
    dcEncoder({
      pixels,
      latents,
      shortcut: complete.encoderOutShortcut ? 'rearranged' : 'none',
      by: complete.downsampleBlockType === 'pixel_unshuffle' ? 'rearranging' : 'stride',
      levels: complete.encoderBlockOutChannels.map((channels, i): DcLevel => ({
        channels,
        headSize,
        layers: complete.encoderLayersPerBlock[i]!,
        type: encoderTypes[i]!,
        scales: complete.encoderQkvMultiscales[i]!,
        norm: 'rms_norm',
        activation: 'silu',
      })),
    }),
  );
  const decode = scoped(
    'decoder',
    dcDecoder({
      pixels,
      latents,
      shortcut: complete.decoderInShortcut ? 'rearranged' : 'none',
      by: complete.upsampleBlockType === 'pixel_shuffle' ? 'rearranging' : 'copies',
      lastActivation: complete.decoderConvActFn,
      levels: complete.decoderBlockOutChannels.map((channels, i): DcLevel => ({
        channels,
        headSize,
        layers: complete.decoderLayersPerBlock[i]!,
        type: decoderTypes[i]!,
        scales: complete.decoderQkvMultiscales[i]!,
        norm: norms[i]!,
        activation: activations[i]!,
      })),
    }),
  );
  const latentShape = (shape: readonly number[]): readonly number[] => {
    checkPictures(shape, { where, channels: pixels, smallest: factor, multiple: factor });
    return [shape[0]!, latents, ...shape.slice(2).map((side) => side / factor)];
  };
  return Object.freeze({
    info: Object.freeze({ inputs: pixels, channels: latents, factor: [factor, factor], scale: complete.scalingFactor, shift: 0 }),
    latentShape,
    init: (generator: Generator): AutoencoderDcParams => ({ encoder: encode.init(generator), decoder: decode.init(generator) }),
    encode(params: AutoencoderDcParams, x: Tensor) {
      latentShape(x.shape);
      return codePosterior(encode.apply(params.encoder, x));
    },
    decode(params: AutoencoderDcParams, z: Tensor) {
      checkLatents(z.shape, { where, channels: latents });
      return decode.apply(params.decoder, z);
    },
  });
}

/** {@link autoencoderDc} from a parsed `config.json` of diffusers. @throws UserError naming the entry that is wrong */
export function autoencoderDcFromConfig(json: unknown): Autoencoder<AutoencoderDcParams> {
  return autoencoderDc(parseAutoencoderDcConfig(json));
}
