import type { DitConfig } from './config.ts';

const SIZES = {
  S: { numLayers: 12, numAttentionHeads: 6, attentionHeadDim: 64 },
  B: { numLayers: 12, numAttentionHeads: 12, attentionHeadDim: 64 },
  L: { numLayers: 24, numAttentionHeads: 16, attentionHeadDim: 64 },
  XL: { numLayers: 28, numAttentionHeads: 16, attentionHeadDim: 72 },
} as const;
const PATCHES = [2, 4, 8] as const;

/** `DiT-S/2`: a size and a side of patches. */
export type DitPresetName = `DiT-${keyof typeof SIZES}/${(typeof PATCHES)[number]}`;

/**
 * The networks of Peebles and Xie 2023 (arXiv:2212.09748), table 1: for 32x32x4 latents and 1000 classes, with twice as many channels out,
 * for a mean and a variance.
 *
 * @example
 * const net = dit({ ...ditPresets['DiT-S/2'], numEmbedsAdaNorm: 10 });
 */
export const ditPresets: Readonly<Record<DitPresetName, Partial<DitConfig>>> = Object.freeze(
  Object.fromEntries(
    Object.entries(SIZES).flatMap(([name, size]) =>
      PATCHES.map((patchSize) => [`DiT-${name}/${patchSize}`, Object.freeze({ ...size, patchSize, sampleSize: 32, inChannels: 4, outChannels: 8, numEmbedsAdaNorm: 1000, embedding: 'shared' })]),
    ),
  ) as unknown as Record<DitPresetName, Partial<DitConfig>>,
);
