import { add, cast, div, mul, reshape, silu, sub, UserError, type Generator, type Tensor } from '@langevin/tensor';
import {
  constant,
  conv,
  embeddingMlp,
  groupNorm,
  perItem,
  scoped,
  type ConvParams,
  type EmbeddingMlpParams,
  type NormParams,
} from '@langevin/nn';
import { checkConditionNames, defineNetwork, tapped, type ConditionSpec, type Network, type NetworkArguments } from '@langevin/core';
import type { DownBlockParams, UpBlockParams } from '../unet/blocks.ts';
import type { Flow } from '../unet/flow.ts';
import type { StagesParams } from '../unet/stages.ts';
import { body } from './body.ts';
import { completeUnet2dConfig, parseUnet2dConfig, UNET2D, type Unet2dConfig } from './config.ts';
import type { SkipDownBlockParams, SkipUpBlockParams } from './skip-blocks.ts';
import { classEmbedding, timeFeatures, type ClassEmbeddingParams, type TimeFeaturesParams } from './time-embedding.ts';

/** Names of diffusers. */
export interface Unet2dParams {
  readonly conv_in: ConvParams;
  readonly time_proj?: TimeFeaturesParams;
  readonly time_embedding: EmbeddingMlpParams;
  readonly class_embedding?: ClassEmbeddingParams;
  readonly down_blocks: readonly (DownBlockParams | SkipDownBlockParams)[];
  readonly mid_block?: StagesParams;
  readonly up_blocks: readonly (UpBlockParams | SkipUpBlockParams)[];
  readonly conv_norm_out: NormParams;
  readonly conv_out: ConvParams;
}

export interface Unet2dOptions {
  /**
   * `'torch'` starts as diffusers does; `'zero'` starts the last layer of the network, of every residual block and of every
   * attention at 0, as Ho et al. 2020 do: the fresh network gives exactly 0. @default 'torch'
   */
  readonly init?: 'torch' | 'zero';
}

/**
 * The U-Net of Ho et al. 2020 in the form of diffusers' `UNet2DModel`: same names of parameters, same numbers.
 *
 * `apply(params, x [N, inChannels, H, W], time, { conditions?, mode? })` gives [N, outChannels, H, W]; H and W are multiples of
 * 2^(levels - 1). A network that knows classes is told them as the condition `label`. Blocks whose names have `Skip` are those of NCSN++
 * (Song et al. 2021, arXiv:2011.13456): a picture runs beside the features, smaller on the way down and summed up on the way up.
 *
 * @throws UserError when the configuration is inconsistent, or at `apply` when sizes do not fit
 * @example
 * const net = unet2d({
 *   blockOutChannels: [32, 64],
 *   downBlockTypes: ['DownBlock2D', 'AttnDownBlock2D'],
 *   upBlockTypes: ['AttnUpBlock2D', 'UpBlock2D'],
 * });
 * const params = net.init(torchGenerator(0));
 * net.apply(params, zeros([1, 3, 32, 32]), scalar(500)).shape; // => [1, 3, 32, 32]
 */
export function unet2d(config: Partial<Unet2dConfig>, options: Unet2dOptions = {}): Network<Unet2dParams> {
  const complete = completeUnet2dConfig(config);
  const { inChannels, outChannels, blockOutChannels: sizes, normNumGroups: groups, normEps: epsilon, timeEmbeddingType } = complete;
  const first = sizes[0]!;
  const embeddingSize = complete.timeEmbeddingDim ?? 4 * first;
  const zeroInit = options.init === 'zero' ? { weightInit: constant(0), biasInit: constant(0) } : {};

  const convIn = scoped('conv_in', conv({ inputs: inChannels, outputs: first, kernel: 3, padding: 1 }));
  const features = timeFeatures(complete);
  const embedTime = scoped('time_embedding', embeddingMlp({ inputs: features.size, outputs: embeddingSize }));
  const classes = classEmbedding(complete, { features: features.size, embedding: embeddingSize });
  const embedClass = classes && scoped('class_embedding', classes);
  const { down, middle, up } = body(complete, embeddingSize, options);
  const normOut = scoped('conv_norm_out', groupNorm({ channels: first, groups, epsilon }));
  const convOut = scoped('conv_out', conv({ inputs: first, outputs: outChannels, kernel: 3, padding: 1, ...zeroInit }));

  const embed = (params: Unet2dParams, time: Tensor, labels: Tensor | undefined): Tensor => {
    const toFeatures = (t: Tensor): Tensor => cast(features.apply(params.time_proj ?? {}, t), params.conv_in.weight.dtype);
    const embedded = embedTime.apply(params.time_embedding, toFeatures(time));
    if (!embedClass && !labels) return embedded;
    if (!embedClass)
      throw new UserError('[backbones/unet2d] network knows no classes: conditions.label is given. Leave it out, or set num_class_embeds.');
    if (!labels)
      throw new UserError(
        `[backbones/unet2d] class labels are missing: num_class_embeds=${complete.numClassEmbeds}. Give conditions.label, int32 [N]; `
          + 'the null class for none.',
      );
    return add(embedded, embedClass.apply(params.class_embedding ?? {}, labels, toFeatures));
  };

  const info = infoOf(complete, embeddingSize);
  return defineNetwork({
    info,
    init(generator: Generator): Unet2dParams {
      return {
        conv_in: convIn.init(generator),
        ...(timeEmbeddingType !== 'positional' && { time_proj: features.init(generator) }),
        time_embedding: embedTime.init(generator),
        ...(embedClass && { class_embedding: embedClass.init(generator) }),
        down_blocks: down.map((block) => block.init(generator)),
        ...(middle && { mid_block: middle.init(generator) }),
        up_blocks: up.map((block) => block.init(generator)),
        conv_norm_out: normOut.init(generator),
        conv_out: convOut.init(generator),
      };
    },
    apply(params: Unet2dParams, ...[x, time, { conditions = {}, mode, taps } = {}]: NetworkArguments) {
      checkSample(x, complete);
      const times = perItem(time, x.shape[0]!, 'time');
      const embedding = embed(params, times, conditions['label']);
      checkConditionNames(UNET2D.where, conditions, info.conditions);
      const centred = complete.centerInputSample ? sub(mul(x, 2), 1) : x;
      let h = convIn.apply(params.conv_in, centred);
      const skips = [h];
      const at = (features: Tensor): Flow => ({ x: features, embedding, mode });
      let smaller = centred;
      down.forEach((block, i) => {
        const result = block.apply(params.down_blocks[i]!, at(h), smaller);
        skips.push(...result.skips);
        smaller = result.picture;
        h = tapped(taps, `down_blocks.${i}`, result.x);
      });
      if (middle) h = tapped(taps, 'mid_block', middle.apply(params.mid_block!, at(h)));
      let picture: Tensor | undefined;
      up.forEach((block, i) => {
        const result = block.apply(params.up_blocks[i]!, at(h), { skips: skips.splice(-block.skipCount), picture });
        picture = result.picture;
        h = tapped(taps, `up_blocks.${i}`, result.x);
      });
      // Whatever the configuration says of activations, diffusers ends with this one.
      const last = convOut.apply(params.conv_out, silu(normOut.apply(params.conv_norm_out, h)));
      const y = picture ? add(last, picture) : last;
      return timeEmbeddingType === 'fourier' ? div(y, reshape(cast(times, y.dtype), [-1, 1, 1, 1])) : y;
    },
  });
}

const TIMES = { positional: 'timestep', learned: 'index', fourier: 'sigma' } as const;

function infoOf(config: Unet2dConfig, embedding: number): Network<Unet2dParams>['info'] {
  const { inChannels, outChannels, sampleSize: size } = config;
  const label = labelSpec(config, embedding);
  return {
    channels: inChannels,
    outChannels,
    outputs: outChannels === 2 * inChannels ? ['prediction', 'variance'] : ['prediction'],
    axes: 'hw',
    size: size === null ? null : typeof size === 'number' ? [size, size] : [size[0]!, size[1]!],
    multiple: 2 ** (config.blockOutChannels.length - 1),
    time: TIMES[config.timeEmbeddingType],
    conditions: label === undefined ? {} : { label },
  };
}

function labelSpec({ classEmbedType, numClassEmbeds }: Unet2dConfig, embedding: number): ConditionSpec | undefined {
  if (classEmbedType === 'identity') return { kind: 'vector', size: embedding };
  if (classEmbedType === 'timestep') return { kind: 'scalar' };
  return numClassEmbeds === null ? undefined : { kind: 'label', count: numClassEmbeds, none: null };
}

/** {@link unet2d} from a parsed `config.json` of diffusers. @throws UserError naming the entry that is wrong */
export function unet2dFromConfig(json: unknown, options: Unet2dOptions = {}): Network<Unet2dParams> {
  return unet2d(parseUnet2dConfig(json), options);
}

function checkSample(x: Tensor, config: Unet2dConfig): void {
  const multiple = 2 ** (config.blockOutChannels.length - 1);
  const shape = `x=[${x.shape.join(', ')}]`;
  if (x.rank !== 4 || x.shape[1] !== config.inChannels) {
    throw new UserError(`[backbones/unet2d] sample does not fit: ${shape}. Give [N, ${config.inChannels}, H, W].`);
  }
  if (x.shape.slice(2).some((n) => n === 0 || n % multiple !== 0)) {
    throw new UserError(
      `[backbones/unet2d] image sides are not multiples of ${multiple}: ${shape}, levels=${config.blockOutChannels.length}. Each `
        + 'level but the last halves them: pad or resize the image.',
    );
  }
}
