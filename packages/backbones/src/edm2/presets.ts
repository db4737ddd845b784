import type { Edm2Config } from './config.ts';

const WIDTHS = { XS: 128, S: 192, M: 256, L: 320, XL: 384, XXL: 448 } as const;

/** `EDM2-S` and the other sizes. */
export type Edm2PresetName = `EDM2-${keyof typeof WIDTHS}`;

/**
 * The sizes of Karras et al. 2024 (arXiv:2312.02696) for 64x64x4 latents and without classes. They drop 0.1 of the features from
 * EDM2-M on.
 *
 * @example
 * const net = edm2({ ...edm2Presets['EDM2-S'], numClasses: 1000 });
 */
export const edm2Presets: Readonly<Record<Edm2PresetName, Partial<Edm2Config>>> = Object.freeze({
  'EDM2-XS': preset('XS', 0),
  'EDM2-S': preset('S', 0),
  'EDM2-M': preset('M', 0.1),
  'EDM2-L': preset('L', 0.1),
  'EDM2-XL': preset('XL', 0.1),
  'EDM2-XXL': preset('XXL', 0.1),
});

function preset(size: keyof typeof WIDTHS, dropout: number): Partial<Edm2Config> {
  return Object.freeze({ modelChannels: WIDTHS[size], dropout });
}
