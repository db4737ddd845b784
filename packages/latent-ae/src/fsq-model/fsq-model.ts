import { scoped } from '@langevin/nn';
import { UserError, type Generator, type Tensor } from '@langevin/tensor';
import { checkLatents, checkPictures } from '../check-pictures.ts';
import { codePosterior } from '../code-posterior.ts';
import type { CodedAutoencoder } from '../coded-autoencoder.ts';
import { decoder, encoder, type DecoderParams, type EncoderParams } from '../convolutional/coder.ts';
import { completeFsqModelConfig, FSQ_MODEL, parseFsqModelConfig, type FsqModelConfig } from './config.ts';
import { scalarQuantizer } from './scalar-quantizer.ts';

/** Names of diffusers' coders. */
export interface FsqModelParams {
  readonly encoder: EncoderParams;
  readonly decoder: DecoderParams;
}

/**
 * An autoencoder of pictures [N, inChannels, H, W] whose codes are no book but a grid: each channel is rounded to one of a few levels
 * (Mentzer et al. 2023, arXiv:2309.15505). It has nothing to learn of codes, and uses nearly all. As with `vqModel`, `encode` gives the
 * latent before it is quantised, and `decode` begins with its code.
 *
 * @throws UserError when the configuration is inconsistent, or at `encode` and `decode` when shapes do not fit
 * @example
 * const fsq = fsqModel({ blockOutChannels: [32], levels: [4, 3] });
 * const params = fsq.init(torchGenerator(0));
 * const { indices } = fsq.quantize(params, fsq.encode(params, zeros([1, 3, 4, 6])).mode);
 * [fsq.codes, indices.shape, fsq.decodeIndices(params, indices).shape]; // => [12, [1, 4, 6], [1, 3, 4, 6]]
 */
export function fsqModel(config: Partial<FsqModelConfig> = {}): CodedAutoencoder<FsqModelParams> {
  const complete = completeFsqModelConfig(config);
  const { inChannels, outChannels, levels, blockOutChannels: channels, scalingFactor, shiftFactor } = complete;
  const { where } = FSQ_MODEL;
  const shared = {
    channels,
    layers: complete.layersPerBlock,
    groups: complete.normNumGroups,
    epsilon: 1e-6,
    activation: complete.actFn,
    attention: complete.midBlockAddAttention ? ('pixels' as const) : ('none' as const),
  };
  const size = levels.length;
  const encode = scoped('encoder', encoder({ ...shared, inputs: inChannels, outputs: size }));
  const decode = scoped('decoder', decoder({ ...shared, inputs: size, outputs: outChannels }));
  const grid = scalarQuantizer(levels);
  const factor = 2 ** (channels.length - 1);
  const latentShape = (shape: readonly number[]): readonly number[] => {
    checkPictures(shape, { where, channels: inChannels, smallest: factor });
    return [shape[0]!, size, ...shape.slice(2).map((side) => Math.floor(side / factor))];
  };
  const quantize = (_params: FsqModelParams, z: Tensor) => {
    checkLatents(z.shape, { where, channels: size });
    return grid.quantize(z);
  };
  const decodeQuantized = (params: FsqModelParams, code: Tensor): Tensor => {
    checkLatents(code.shape, { where, channels: size });
    return decode.apply(params.decoder, code);
  };
  return Object.freeze({
    info: Object.freeze({ inputs: inChannels, channels: size, factor: [factor, factor], scale: scalingFactor, shift: shiftFactor }),
    codes: grid.count,
    lastLayer: 'decoder.conv_out.weight',
    latentShape,
    init: (generator: Generator): FsqModelParams => ({ encoder: encode.init(generator), decoder: decode.init(generator) }),
    encode(params: FsqModelParams, x: Tensor) {
      latentShape(x.shape);
      return codePosterior(encode.apply(params.encoder, x));
    },
    decode: (params: FsqModelParams, z: Tensor) => decodeQuantized(params, quantize(params, z).latent),
    quantize,
    decodeQuantized,
    decodeIndices(params: FsqModelParams, indices: Tensor) {
      if (indices.rank !== 3 || indices.size === 0)
        throw new UserError(`[${where}] indices do not fit: indices=[${indices.shape.join(', ')}]. Give int32 [N, h, w].`);
      return decodeQuantized(params, grid.look(indices));
    },
  });
}

/** {@link fsqModel} from a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function fsqModelFromConfig(json: unknown): CodedAutoencoder<FsqModelParams> {
  return fsqModel(parseFsqModelConfig(json));
}
