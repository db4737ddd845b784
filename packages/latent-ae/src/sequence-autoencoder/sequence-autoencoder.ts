import type { Autoencoder } from '@langevin/core';
import { scoped } from '@langevin/nn';
import type { Generator, Tensor } from '@langevin/tensor';
import { checkLatents, checkPictures } from '../check-pictures.ts';
import { decoder, encoder, type DecoderParams, type EncoderParams } from '../convolutional/coder.ts';
import { gaussianPosterior } from '../gaussian-posterior.ts';
import {
  completeSequenceAutoencoderConfig,
  parseSequenceAutoencoderConfig,
  SEQUENCE_AUTOENCODER,
  type SequenceAutoencoderConfig,
} from './config.ts';

export interface SequenceAutoencoderParams {
  readonly encoder: EncoderParams;
  readonly decoder: DecoderParams;
}

/**
 * An autoencoder of sequences [N, inChannels, L] with a normal posterior: the residual convolutions of latent diffusion's autoencoder along
 * one axis (Rombach et al. 2022, arXiv:2112.10752, appendix G), with attention among the places in the middle. L is a multiple of
 * 2^(levels - 1).
 *
 * @throws UserError when the configuration is inconsistent, or at `encode` and `decode` when shapes do not fit
 * @example
 * const vae = sequenceAutoencoder({ inChannels: 2, latentChannels: 3, blockOutChannels: [8, 8, 8] });
 * const params = vae.init(torchGenerator(0));
 * const { mode } = vae.encode(params, zeros([1, 2, 32]));
 * [mode.shape, vae.decode(params, mode).shape]; // => [[1, 3, 8], [1, 2, 32]]
 */
export function sequenceAutoencoder(config: Partial<SequenceAutoencoderConfig> = {}): Autoencoder<SequenceAutoencoderParams> {
  const complete = completeSequenceAutoencoderConfig(config);
  const { inChannels, latentChannels, blockOutChannels: channels, scalingFactor, shiftFactor } = complete;
  const { where } = SEQUENCE_AUTOENCODER;
  const shared = {
    channels,
    axes: 1,
    layers: complete.layersPerBlock,
    groups: complete.normNumGroups,
    epsilon: 1e-6,
    activation: 'silu',
    attention: complete.midBlockAddAttention ? 'pixels' : 'none',
  } as const;
  const encode = scoped('encoder', encoder({ ...shared, inputs: inChannels, outputs: 2 * latentChannels }));
  const decode = scoped('decoder', decoder({ ...shared, inputs: latentChannels, outputs: inChannels }));
  const factor = 2 ** (channels.length - 1);
  const latentShape = (shape: readonly number[]): readonly number[] => {
    checkPictures(shape, { where, channels: inChannels, axes: ['L'], smallest: factor, multiple: factor });
    return [shape[0]!, latentChannels, shape[2]! / factor];
  };
  return Object.freeze({
    info: Object.freeze({ inputs: inChannels, channels: latentChannels, factor: [factor], scale: scalingFactor, shift: shiftFactor }),
    lastLayer: 'decoder.conv_out.weight',
    latentShape,
    init: (generator: Generator): SequenceAutoencoderParams => ({ encoder: encode.init(generator), decoder: decode.init(generator) }),
    encode(params: SequenceAutoencoderParams, x: Tensor) {
      latentShape(x.shape);
      return gaussianPosterior(encode.apply(params.encoder, x));
    },
    decode(params: SequenceAutoencoderParams, z: Tensor) {
      checkLatents(z.shape, { where, channels: latentChannels, axes: ['l'] });
      return decode.apply(params.decoder, z);
    },
  });
}

/** {@link sequenceAutoencoder} from a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function sequenceAutoencoderFromConfig(json: unknown): Autoencoder<SequenceAutoencoderParams> {
  return sequenceAutoencoder(parseSequenceAutoencoderConfig(json));
}
