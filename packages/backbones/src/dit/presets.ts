import type { DitConfig } from './config.ts';

const SIZES = {
  S: { numLayers: 12, numAttentionHeads: 6, attentionHeadDim: 64 },
  B: { numLayers: 12, numAttentionHeads: 12, attentionHeadDim: 64 },
  L: { numLayers: 24, numAttentionHeads: 16, attentionHeadDim: 64 },
  XL: { numLayers: 28, numAttentionHeads: 16, attentionHeadDim: 72 },
} as const;
type Patch = 2 | 4 | 8;

/** `DiT-S/2`: a size and a side of patches. */
export type DitPresetName = `DiT-${keyof typeof SIZES}/${Patch}`;

/**
 * The networks of Peebles and Xie 2023 (arXiv:2212.09748), table 1: for 32x32x4 latents and 1000 classes, with twice as many channels out,
 * for a mean and a variance.
 *
 * @example
 * const net = dit({ ...ditPresets['DiT-S/2'], numEmbedsAdaNorm: 10 });
 */
export const ditPresets: Readonly<Record<DitPresetName, Partial<DitConfig>>> = Object.freeze({
  'DiT-S/2': preset('S', 2),
  'DiT-S/4': preset('S', 4),
  'DiT-S/8': preset('S', 8),
  'DiT-B/2': preset('B', 2),
  'DiT-B/4': preset('B', 4),
  'DiT-B/8': preset('B', 8),
  'DiT-L/2': preset('L', 2),
  'DiT-L/4': preset('L', 4),
  'DiT-L/8': preset('L', 8),
  'DiT-XL/2': preset('XL', 2),
  'DiT-XL/4': preset('XL', 4),
  'DiT-XL/8': preset('XL', 8),
});

function preset(size: keyof typeof SIZES, patchSize: Patch): Partial<DitConfig> {
  return Object.freeze({
    ...SIZES[size],
    patchSize,
    sampleSize: 32,
    inChannels: 4,
    outChannels: 8,
    numEmbedsAdaNorm: 1000,
    embedding: 'shared',
  });
}
