import type { Autoencoder } from '@langevin/core';
import { scoped } from '@langevin/nn';
import { add, clamp, div, mul, sub, tanh, type Generator, type Tensor } from '@langevin/tensor';
import { checkLatents, checkPictures } from '../check-pictures.ts';
import { codePosterior } from '../code-posterior.ts';
import { tinyDecoder, tinyEncoder, type TinyCoderParams } from './coder.ts';
import { AUTOENCODER_TINY, completeAutoencoderTinyConfig, parseAutoencoderTinyConfig, type AutoencoderTinyConfig } from './config.ts';

/** Names of diffusers. */
export interface AutoencoderTinyParams {
  readonly encoder: TinyCoderParams;
  readonly decoder: TinyCoderParams;
}

/** An {@link autoencoderTiny}, and its latents as bytes hold them. */
export interface TinyAutoencoder extends Autoencoder<AutoencoderTinyParams> {
  /** Latents to [0, 1]: z / (2 magnitude) + shift, cut off beyond. */
  readonly toUnitRange: (z: Tensor) => Tensor;
  /** [0, 1] to latents, the inverse within the magnitude. */
  readonly fromUnitRange: (unit: Tensor) => Tensor;
}

/** Latents are squeezed smoothly into this distance from 0 before they are decoded: a constant of diffusers' decoder. */
const REACH = 3;

/**
 * A small distilled autoencoder for latents of a large one, TAESD, in the form of diffusers' `AutoencoderTiny`: same names of parameters,
 * same numbers. It decodes previews at a small part of the cost, and can stand in for the large one. It takes latents as they are diffused
 * over, and gives them so: `info` has scale 1 and shift 0. Pictures are [N, inChannels, H, W] in [-1, 1]; sides are halved by each level
 * but the first, an odd one to its larger half. There is no distribution: the mode is the latent, and a sample is the mode.
 *
 * @throws UserError when the configuration is inconsistent, or at `encode` and `decode` when shapes do not fit
 * @example const tiny = autoencoderTiny({
 *   encoderBlockOutChannels: [16, 16], numEncoderBlocks: [1, 1], decoderBlockOutChannels: [16, 16], numDecoderBlocks: [1, 1],
 * }); const params = tiny.init(torchGenerator(0));
 * const { mode } = tiny.encode(params, zeros([1, 3, 15, 16]));
 * [mode.shape, tiny.decode(params, mode).shape]; // => [[1, 4, 8, 8], [1, 3, 16, 16]]
 */
export function autoencoderTiny(config: Partial<AutoencoderTinyConfig> = {}): TinyAutoencoder {
  const complete = completeAutoencoderTinyConfig(config);
  const { inChannels, outChannels, latentChannels, latentMagnitude: magnitude, latentShift } = complete;
  const activation = complete.actFn === 'swish' ? ('silu' as const) : complete.actFn;
  const encode = scoped(
    'encoder',
    tinyEncoder({
      inputs: inChannels,
      outputs: latentChannels,
      channels: complete.encoderBlockOutChannels[0]!,
      blocks: complete.numEncoderBlocks,
      activation,
    }),
  );
  const decode = scoped(
    'decoder',
    tinyDecoder({
      inputs: latentChannels,
      outputs: outChannels,
      channels: complete.decoderBlockOutChannels[0]!,
      blocks: complete.numDecoderBlocks,
      activation,
      factor: complete.upsamplingScalingFactor,
      upsampling: complete.upsampleFn,
    }),
  );
  const factor = 2 ** (complete.encoderBlockOutChannels.length - 1);
  const { where } = AUTOENCODER_TINY;

  const latentShape = (shape: readonly number[]): readonly number[] => {
    checkPictures(shape, { where, channels: inChannels });
    return [shape[0]!, latentChannels, ...shape.slice(2).map((side) => Math.ceil(side / factor))];
  };
  return Object.freeze({
    info: Object.freeze({
      inputs: inChannels,
      channels: latentChannels,
      factor: [factor, factor],
      scale: complete.scalingFactor,
      shift: complete.shiftFactor,
    }),
    latentShape,
    init: (generator: Generator): AutoencoderTinyParams => ({ encoder: encode.init(generator), decoder: decode.init(generator) }),
    encode(params: AutoencoderTinyParams, x: Tensor) {
      latentShape(x.shape);
      return codePosterior(encode.apply(params.encoder, div(add(x, 1), 2)));
    },
    decode(params: AutoencoderTinyParams, z: Tensor) {
      checkLatents(z.shape, { where, channels: latentChannels });
      return sub(mul(decode.apply(params.decoder, mul(tanh(div(z, REACH)), REACH)), 2), 1);
    },
    toUnitRange: (z: Tensor) => clamp(add(div(z, 2 * magnitude), latentShift), { min: 0, max: 1 }),
    fromUnitRange: (unit: Tensor) => mul(sub(unit, latentShift), 2 * magnitude),
  });
}

/** {@link autoencoderTiny} from a parsed `config.json` of diffusers. @throws UserError naming the entry that is wrong */
export function autoencoderTinyFromConfig(json: unknown): TinyAutoencoder {
  return autoencoderTiny(parseAutoencoderTinyConfig(json));
}
