import type { Unet2dConditionConfig } from './config.ts';

/** What the configuration says of one level, from the top down. */
export interface Level {
  readonly channels: number;
  /** Residual blocks on the way down; one more on the way up. */
  readonly layers: number;
  /** Heads of attention that reads a context. */
  readonly heads: number;
  /** Features of each head where attention is among pixels, or of the simple kind. */
  readonly headSize: number;
  readonly contextChannels: number;
  /** Transformer blocks behind the residual block at an index, down and up. */
  readonly depthDown: (index: number) => number;
  readonly depthUp: (index: number) => number;
  readonly onlyCrossAttention: boolean;
}

const at = <T>(value: T | readonly T[], index: number): T => (Array.isArray(value) ? (value as readonly T[])[index]! : (value as T));

/**
 * How many heads each level has: `num_attention_heads`, or else `attention_head_dim`, whose name is a mistake of old that forty thousand
 * configurations keep (huggingface/diffusers issue 2011).
 */
export function headsOf(
  config: Pick<Unet2dConditionConfig, 'blockOutChannels' | 'numAttentionHeads' | 'attentionHeadDim'>,
): readonly number[] {
  return config.blockOutChannels.map((_, i) => at(config.numAttentionHeads ?? config.attentionHeadDim, i));
}

export function levelsOf(config: Unet2dConditionConfig): readonly Level[] {
  const { blockOutChannels: sizes, transformerLayersPerBlock: depths, reverseTransformerLayersPerBlock: reversed } = config;
  const heads = headsOf(config);
  const last = sizes.length - 1;
  // One number for all levels, or an entry for each that is a number or a list for its blocks.
  const depth = (i: number): number | readonly number[] => (typeof depths === 'number' ? depths : depths[i]!);
  return sizes.map((channels, i) => ({
    channels,
    layers: at(config.layersPerBlock, i),
    heads: heads[i]!,
    headSize: at(config.attentionHeadDim, i),
    contextChannels: at(config.crossAttentionDim, i),
    depthDown: (index) => at(depth(i), index),
    depthUp: (index) => at(reversed === null ? depth(i) : reversed[last - i]!, index),
    onlyCrossAttention: at(config.onlyCrossAttention, i),
  }));
}

/** Whether attention in the middle only reads the context. */
export function middleReadsOnlyContext({ midBlockOnlyCrossAttention: own, onlyCrossAttention: all }: Unet2dConditionConfig): boolean {
  return own ?? (typeof all === 'boolean' ? all : false);
}
