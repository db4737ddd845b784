import { defineModule, scoped, type ActivationName, type PixelAttentionConfig } from '@langevin/nn';
import {
  downBlock,
  upBlock,
  type DownBlockConfig,
  type DownBlockParams,
  type ResampleKind,
  type SharedResnet,
  type UpBlockConfig,
  type UpBlockParams,
} from '../unet/blocks.ts';
import type { Flow } from '../unet/flow.ts';
import { pixelPart, stages, type StagesParams } from '../unet/stages.ts';
import type { Unet2dConfig } from './config.ts';
import {
  skipDownBlock,
  skipUpBlock,
  type PicturedDownBlock,
  type PicturedUpBlock,
  type SkipDownBlockParams,
  type SkipUpBlockParams,
} from './skip-blocks.ts';
import type { Unet2dOptions } from './unet2d.ts';

type AnyDown = PicturedDownBlock<DownBlockParams | SkipDownBlockParams>;
type AnyUp = PicturedUpBlock<UpBlockParams | SkipUpBlockParams>;

/** A block that leaves the picture beside the features alone. */
function plainDown<A>(config: DownBlockConfig<A>): AnyDown {
  const block = downBlock(config);
  return defineModule({
    init: block.init,
    apply: (params, flow, picture) => ({ ...block.apply(params, flow), picture }),
  } satisfies PicturedDownBlock<DownBlockParams<A>>) as unknown as AnyDown;
}

function plainUp<A>(config: UpBlockConfig<A>): AnyUp {
  const block = upBlock(config);
  const module = {
    init: block.init,
    apply: (params, flow, { skips, picture }) => ({ x: block.apply(params, flow, skips), picture }),
    skipCount: block.skipCount,
  } satisfies PicturedUpBlock<UpBlockParams<A>>;
  return Object.freeze(module) as unknown as AnyUp;
}

/** Down, middle and up, which differ from level to level only in channels, attention and whether they resample. */
export function body(config: Unet2dConfig, embeddingSize: number, options: Unet2dOptions) {
  const { blockOutChannels: sizes, layersPerBlock: layers, normNumGroups: groups, normEps: epsilon, attentionHeadDim: head } = config;
  const lastInit = options.init === 'zero' ? 'zero' : 'uniform';
  const resnet: SharedResnet = {
    embedding: embeddingSize,
    groups,
    epsilon,
    conditioning: config.resnetTimeScaleShift === 'default' ? 'add' : 'scale-shift',
    dropout: config.dropout,
    activation: activationOf(config),
    lastInit,
  };
  const attention = { groups, epsilon, lastInit, ...(head !== null && { headSize: head }) } as const;
  const among = (channels: number) => () => pixelPart({ ...attention, channels });
  const last = sizes.length - 1;
  const ofHeads = (channels: number): number => head ?? channels;
  const down = config.downBlockTypes.map((type, i) => {
    const [inputs, outputs] = [sizes[Math.max(i - 1, 0)]!, sizes[i]!];
    const ends = i === last ? 'here' : 'resampled';
    const attends = type.startsWith('Attn');
    const block = type.includes('Skip')
      ? (skipDownBlock({ inputs, outputs, layers, resnet, headSize: attends ? ofHeads(outputs) : undefined, ends }) as AnyDown)
      : plainDown({
          inputs,
          outputs,
          layers,
          resnet,
          attention: attends ? among(outputs) : undefined,
          resample: i === last ? 'none' : resampling(type, config.downsampleType),
          padding: config.downsamplePadding === 0 ? 0 : 1,
        });
    return scoped(`down_blocks.${i}`, block);
  });
  const up = config.upBlockTypes.map((type, i) => {
    const outputs = sizes[last - i]!;
    const inputs = sizes[Math.min(last - i + 1, last)]!;
    const skips = [...new Array<number>(layers).fill(outputs), sizes[Math.max(last - i - 1, 0)]!];
    const ends = i === last ? 'here' : 'resampled';
    const attends = type.startsWith('Attn');
    const block = type.includes('Skip')
      ? (skipUpBlock({ inputs, outputs, skips, resnet, headSize: attends ? ofHeads(outputs) : undefined, ends }) as AnyUp)
      : plainUp({
          inputs,
          skips,
          outputs,
          resnet,
          attention: attends ? among(outputs) : undefined,
          resample: i === last ? 'none' : resampling(type, config.upsampleType),
        });
    return Object.freeze({ ...scoped(`up_blocks.${i}`, block), skipCount: block.skipCount });
  });
  return { down, middle: config.midBlockType === null ? undefined : scoped('mid_block', midBlock(config, { resnet, attention })), up };
}

/** diffusers consults the type of resampling in blocks with attention only; some say it by their name. */
function resampling(type: string, asked: 'conv' | 'resnet'): ResampleKind {
  if (type.startsWith('Resnet')) return 'resnet';
  return type.startsWith('Attn') ? asked : 'conv';
}

/** `UNetMidBlock2D` of diffusers: a residual block, attention, another residual block. */
function midBlock(
  config: Unet2dConfig,
  shared: { readonly resnet: SharedResnet; readonly attention: Omit<PixelAttentionConfig, 'channels'> },
) {
  const channels = config.blockOutChannels[config.blockOutChannels.length - 1]!;
  const outputScale = config.midBlockScaleFactor;
  const resnet = { ...shared.resnet, inputs: channels, outputScale };
  const groups = config.attnNormNumGroups ?? (config.resnetTimeScaleShift === 'default' ? config.normNumGroups : null);
  const attention = pixelPart({ ...shared.attention, channels, groups, outputScale });
  const inner = stages([{ resnet, ...(config.addAttention && { attention }) }, { resnet }]);
  return defineModule({
    init: inner.init,
    apply(params: StagesParams, flow: Flow) {
      let x = flow.x;
      for (let i = 0; i < inner.count; i++) x = inner.run(params, i, { ...flow, x });
      return x;
    },
  });
}

function activationOf(config: Unet2dConfig): ActivationName {
  return config.actFn === 'swish' ? 'silu' : config.actFn;
}
