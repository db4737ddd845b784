import {
  defineModule,
  scoped,
  type Module,
  type PixelAttentionParams,
  type ResnetBlockConfig,
  type Transformer2dConfig,
  type Transformer2dParams,
} from '@langevin/nn';
import type { Tensor } from '@langevin/tensor';
import { addedAttention, type AddedAttentionParams } from '../unet/added-attention.ts';
import { downBlock, upBlock, type DownBlock, type ResampleKind, type SharedResnet, type UpBlock } from '../unet/blocks.ts';
import { dualTransformerPart, type DualTransformerParams } from '../unet/dual-transformer.ts';
import type { Flow } from '../unet/flow.ts';
import { pixelPart, stages, transformerPart, type AttentionPart, type StagesParams } from '../unet/stages.ts';
import type { Unet2dConditionConfig } from './config.ts';
import { activationOf } from './embeddings.ts';
import { levelsOf, middleReadsOnlyContext, type Level } from './levels.ts';

/** Parameters of the attention of a block, by its kind. */
export type BlockAttentionParams = Transformer2dParams | PixelAttentionParams | AddedAttentionParams | DualTransformerParams;

/** What a block of a kind has behind its residual blocks, and how it resamples. */
type BlockKind = 'plain' | 'pixels' | 'transformer' | 'added' | 'resnet';

function kindOf(type: string): BlockKind {
  if (type.startsWith('CrossAttn')) return 'transformer';
  if (type.startsWith('SimpleCrossAttn')) return 'added';
  if (type.startsWith('Attn')) return 'pixels';
  return type.startsWith('Resnet') ? 'resnet' : 'plain';
}

/** Blocks that resample by a residual block scale and condition it in their own way. */
const isResampledByResnet = (kind: BlockKind): boolean => kind === 'added' || kind === 'resnet';

/** Where attention of a level stands. */
interface Place {
  readonly level: Level;
  /** Transformer blocks behind the residual block at an index. */
  readonly depth: (index: number) => number;
  readonly onlyContext: boolean;
}

/** What makes the blocks of one network. */
interface Makers {
  readonly resnet: (kind: BlockKind) => SharedResnet;
  readonly attention: (kind: BlockKind, place: Place) => ((index: number) => AttentionPart<BlockAttentionParams>) | undefined;
}

type AnyPart = AttentionPart<BlockAttentionParams>;

function makers(config: Unet2dConditionConfig, embedding: number): Makers {
  const { normNumGroups: groups, normEps: epsilon } = config;
  const resnet: SharedResnet = {
    embedding,
    groups,
    epsilon,
    conditioning: config.resnetTimeScaleShift === 'default' ? 'add' : 'scale-shift',
    dropout: config.dropout,
    activation: activationOf(config.actFn),
  };
  const transformer = ({ level, onlyContext }: Place, layers: number): Transformer2dConfig => ({
    channels: level.channels,
    heads: level.heads,
    contextChannels: level.contextChannels,
    first: onlyContext ? 'context' : 'self',
    precision: config.upcastAttention ? 'float32' : 'as given',
    projection: config.useLinearProjection ? 'linear' : 'conv',
    groups,
    layers,
  });
  return {
    resnet: (kind) =>
      isResampledByResnet(kind)
        ? { ...resnet, outputScale: config.resnetOutScaleFactor, embeddingAs: config.resnetSkipTimeAct ? 'given' : 'activated' }
        : resnet,
    attention(kind, place) {
      const { level, depth, onlyContext } = place;
      const { channels, headSize, contextChannels, heads } = level;
      switch (kind) {
        case 'plain':
        case 'resnet':
          return undefined;
        case 'pixels':
          return () => pixelPart({ channels, headSize, groups, epsilon }) as AnyPart;
        case 'added': {
          const sees = onlyContext ? 'context' : 'both';
          const contextNorm = config.crossAttentionNorm;
          return () => addedAttention({ channels, headSize, groups, contextChannels, sees, contextNorm }) as AnyPart;
        }
        case 'transformer':
          if (config.dualCrossAttention) return () => dualTransformerPart({ channels, heads, contextChannels, groups }) as AnyPart;
          return (index) => transformerPart(transformer(place, depth(index))) as AnyPart;
      }
    },
  };
}

/** Blocks on the way down, from the top. */
export function downBlocks(config: Unet2dConditionConfig, embedding: number): readonly DownBlock<BlockAttentionParams>[] {
  const levels = levelsOf(config);
  const make = makers(config, embedding);
  return config.downBlockTypes.map((type, i) => {
    const level = levels[i]!;
    const kind = kindOf(type);
    const block = downBlock<BlockAttentionParams>({
      inputs: levels[Math.max(i - 1, 0)]!.channels,
      outputs: level.channels,
      layers: level.layers,
      resnet: make.resnet(kind),
      attention: make.attention(kind, { level, depth: level.depthDown, onlyContext: level.onlyCrossAttention }),
      resample: i === levels.length - 1 ? 'none' : resampling(kind),
      padding: config.downsamplePadding === 0 ? 0 : 1,
    });
    return scoped(`down_blocks.${i}`, block);
  });
}

/** How a block resamples where it does. */
const resampling = (kind: BlockKind): ResampleKind => (isResampledByResnet(kind) ? 'resnet' : 'conv');

/** The block between the ways down and up; undefined where there is none. */
export function middleBlock(
  config: Unet2dConditionConfig,
  embedding: number,
): Module<StagesParams<BlockAttentionParams>, readonly [flow: Flow], Tensor> | undefined {
  const type = config.midBlockType;
  if (type === null) return undefined;
  const level = levelsOf(config).at(-1)!;
  const make = makers(config, embedding);
  const kind = type === 'UNetMidBlock2DCrossAttn' ? 'transformer' : type === 'UNetMidBlock2DSimpleCrossAttn' ? 'added' : 'plain';
  const shared: ResnetBlockConfig = { ...make.resnet(kind), outputScale: config.midBlockScaleFactor, inputs: level.channels };
  const attention = make.attention(kind, {
    level,
    depth: () => level.depthDown(0),
    // Only the simple attention of the middle may leave the pixels out.
    onlyContext: kind === 'added' && middleReadsOnlyContext(config),
  })?.(0);
  const inner = stages(attention === undefined ? [{ resnet: shared }] : [{ resnet: shared, attention }, { resnet: shared }]);
  return scoped(
    'mid_block',
    defineModule({
      init: inner.init,
      apply(params: StagesParams<BlockAttentionParams>, flow: Flow) {
        let x = flow.x;
        for (let i = 0; i < inner.count; i++) x = inner.run(params, i, { ...flow, x });
        return x;
      },
    }),
  );
}

/** Blocks on the way up, from the bottom. */
export function upBlocks(config: Unet2dConditionConfig, embedding: number): readonly UpBlock<BlockAttentionParams>[] {
  const levels = [...levelsOf(config)].reverse();
  const make = makers(config, embedding);
  return config.upBlockTypes.map((type, i) => {
    const level = levels[i]!;
    const kind = kindOf(type);
    const block = upBlock<BlockAttentionParams>({
      inputs: levels[Math.max(i - 1, 0)]!.channels,
      outputs: level.channels,
      skips: [...new Array<number>(level.layers).fill(level.channels), levels[Math.min(i + 1, levels.length - 1)]!.channels],
      resnet: make.resnet(kind),
      attention: make.attention(kind, { level, depth: level.depthUp, onlyContext: level.onlyCrossAttention }),
      resample: i === levels.length - 1 ? 'none' : resampling(kind),
    });
    return Object.freeze({ ...scoped(`up_blocks.${i}`, block), skipCount: block.skipCount });
  });
}

/**
 * Channels of what the way down leaves for the way up, and by what the sides of the sample are divided there: the first layer, then all
 * blocks.
 */
export function skipForms(config: Unet2dConditionConfig): readonly { readonly channels: number; readonly shrink: number }[] {
  const levels = levelsOf(config);
  return [
    { channels: levels[0]!.channels, shrink: 1 },
    ...levels.flatMap(({ channels, layers }, i) => [
      ...new Array<{ channels: number; shrink: number }>(layers).fill({ channels, shrink: 2 ** i }),
      ...(i < levels.length - 1 ? [{ channels, shrink: 2 ** (i + 1) }] : []),
    ]),
  ];
}
