import { checkNumber, UserError } from '@langevin/tensor';
import { DOWN_FORWARD_TO_UP_BACK, quaternionSigns, shSigns } from './axes.ts';
import type { SplatCloud } from './cloud.ts';
import { shCoefficients } from './cloud.ts';
import type { SplatEncodeOptions } from './options.ts';
import { byteOfLogit, toByte } from './quantized.ts';
import type { SpzColumn, SpzLayout } from './spz-layout.ts';
import { COLOR_SCALE, columnBytes, FLAG_ANTIALIASED, LEGACY_HEADER_BYTES, SPZ_COLUMNS, SPZ_MAGIC } from './spz-layout.ts';

const ROWS_PER_PIECE = 16_384;
/** The largest coordinate in 24 bits. */
const MAX_FIXED = 2 ** 23 - 1;
const DEFAULT_FRACTIONAL_BITS = 12;

/** The uncompressed file of version 3: a header, then column after column. */
export function* encodeSpz(cloud: SplatCloud, options: SplatEncodeOptions): Generator<Uint8Array, void> {
  const layout: SpzLayout = {
    version: 3,
    count: cloud.count,
    degree: cloud.degree,
    fractionalBits: chooseFractionalBits(cloud, options.fractionalBits),
    flags: cloud.metadata?.antialiased === true ? FLAG_ANTIALIASED : 0,
  };
  yield spzHeader(layout);
  const encoders = spzEncoders(cloud, layout, options);
  for (const column of SPZ_COLUMNS) {
    const width = columnBytes(column, layout);
    for (let first = 0; width > 0 && first < cloud.count; first += ROWS_PER_PIECE) {
      const bytes = new Uint8Array(width * Math.min(ROWS_PER_PIECE, cloud.count - first));
      encoders[column](bytes, first);
      yield bytes;
    }
  }
}

/** The header of versions 1 to 3. */
export function spzHeader(layout: SpzLayout): Uint8Array {
  const header = new Uint8Array(LEGACY_HEADER_BYTES);
  const view = new DataView(header.buffer);
  view.setUint32(0, SPZ_MAGIC, true);
  view.setUint32(4, layout.version, true);
  view.setUint32(8, layout.count, true);
  header.set([layout.degree, layout.fractionalBits, layout.flags], 12);
  return header;
}

/** Fewer bits than by default may move a centre by this part of the size that half of the Gaussians have, at most: nobody sees that. */
const MOST_LOSS = 0.25;

/**
 * As many bits behind the point as asked, or as the largest coordinate leaves room for, 12 at most: but not so few that one Gaussian far
 * away costs all others their places.
 */
function chooseFractionalBits({ count, means, logScales }: SplatCloud, asked: number | undefined): number {
  if (asked !== undefined) checkNumber('io/splats', { fractionalBits: asked }, { atLeast: 0, atMost: 23, kind: 'integer' });
  let largest = 0;
  for (let i = 0; i < means.length; i++) if (Math.abs(means[i]!) > Math.abs(means[largest]!)) largest = i;
  const extreme = count === 0 ? 0 : Math.abs(means[largest]!);
  const fits = (bits: number): boolean => Math.round(extreme * 2 ** bits) <= MAX_FIXED;
  let bits = asked ?? DEFAULT_FRACTIONAL_BITS;
  while (!fits(bits) && asked === undefined && bits > 0) bits--;
  const where = `means[${Math.floor(largest / 3)}][${largest % 3}]=${means[largest]}`;
  if (!fits(bits))
    throw new UserError(
      `[io/splats] a coordinate is too large for SPZ: ${where} with fractionalBits=${bits}, limit=${MAX_FIXED / 2 ** bits}. `
        + 'Remove this Gaussian, scale the scene down, or write PLY.',
    );
  if (asked !== undefined || bits === DEFAULT_FRACTIONAL_BITS) return bits;
  const loss = 2 ** -(bits + 1);
  // The median, of numbers in an order that typed arrays have by themselves.
  const size = Math.exp(logScales.slice().sort()[logScales.length >> 1]!);
  if (loss <= MOST_LOSS * size) return bits;
  throw new UserError(
    `[io/splats] SPZ would move all centres by up to ${loss}, where half of the Gaussians are smaller than ${size.toPrecision(2)}, `
      + `since one lies far away: ${where}. Remove what lies that far, write PLY, or accept it with fractionalBits: ${bits}.`,
  );
}

/** What packs rows `first...` of a column, as many as the bytes have room for. */
export type EncodeRows = (bytes: Uint8Array, first: number) => void;

/** The encoder of each column. */
export function spzEncoders(
  cloud: SplatCloud,
  layout: SpzLayout,
  options: SplatEncodeOptions = {},
): Readonly<Record<SpzColumn, EncodeRows>> {
  const { means, opacityLogits, logScales, sh } = cloud;
  const shWidth = 3 * shCoefficients(cloud.degree);
  const unit = 2 ** layout.fractionalBits;
  return {
    positions: (bytes, first) => {
      for (let i = 0, from = 3 * first; i < bytes.length; i += 3, from++) {
        const fixed = roundAwayFromZero(means[from]! * DOWN_FORWARD_TO_UP_BACK[from % 3]! * unit);
        bytes[i] = fixed;
        bytes[i + 1] = fixed >> 8;
        bytes[i + 2] = fixed >> 16;
      }
    },
    alphas: (bytes, first) => {
      for (let i = 0; i < bytes.length; i++) bytes[i] = byteOfLogit(opacityLogits[first + i]!);
    },
    colors: (bytes, first) => {
      for (let i = 0, row = first * shWidth; i < bytes.length; i += 3, row += shWidth) {
        for (let channel = 0; channel < 3; channel++) bytes[i + channel] = toByte(255 * (0.5 + COLOR_SCALE * sh[row + channel]!));
      }
    },
    scales: (bytes, first) => {
      for (let i = 0; i < bytes.length; i++) bytes[i] = toByte((logScales[3 * first + i]! + 10) * 16);
    },
    rotations: packRotations(cloud.quaternions),
    sh: packHarmonics(sh, shWidth, options),
  };
}

const SIGNS = quaternionSigns(DOWN_FORWARD_TO_UP_BACK);

/** Smallest three; see the decoder. */
function packRotations(quaternions: Float32Array): EncodeRows {
  const q = new Float64Array(4);
  return (bytes, first) => {
    for (let i = 0, from = 4 * first; i < bytes.length; i += 4, from += 4) {
      // (x, y, z, w) of the file from (w, x, y, z) of the cloud.
      for (let component = 0; component < 4; component++) q[(component + 3) % 4] = SIGNS[component]! * quaternions[from + component]!;
      const norm = Math.sqrt(q[0]! ** 2 + q[1]! ** 2 + q[2]! ** 2 + q[3]! ** 2);
      let largest = 0;
      for (let component = 1; component < 4; component++) if (Math.abs(q[component]!) > Math.abs(q[largest]!)) largest = component;
      const flip = q[largest]! < 0;
      let word = largest;
      for (let component = 0; component < 4; component++) {
        if (component === largest) continue;
        const magnitude = Math.min(511, Math.round((511 * Math.abs(q[component]!)) / norm / Math.SQRT1_2));
        word = (word << 10) | (q[component]! < 0 === flip ? 0 : 512) | magnitude;
      }
      bytes[i] = word;
      bytes[i + 1] = word >> 8;
      bytes[i + 2] = word >> 16;
      bytes[i + 3] = word >> 24;
    }
  };
}

function packHarmonics(sh: Float32Array, shWidth: number, { shBits = { first: 5, rest: 4 } }: SplatEncodeOptions): EncodeRows {
  for (const bits of [shBits.first, shBits.rest]) {
    if (!(Number.isInteger(bits) && bits >= 1 && bits <= 8))
      throw new UserError(
        `[io/splats] shBits must be integers from 1 to 8: first=${shBits.first}, rest=${shBits.rest}. The format's own are 5 and 4.`,
      );
  }
  const signs = shSigns(DOWN_FORWARD_TO_UP_BACK);
  const width = shWidth - 3;
  return (bytes, first) => {
    for (let place = 0; place < width; place++) {
      const coefficient = 1 + Math.floor(place / 3);
      const factor = 128 * signs[coefficient]!;
      // The nearest centre of a bucket, which has a power of two of bytes; 128, that is 0, always is one. A bucket of 1 has no half to add.
      const bucket = 2 ** (8 - (coefficient < 4 ? shBits.first : shBits.rest));
      const centre = 128 + (bucket >> 1);
      for (let to = place, from = first * shWidth + 3 + place; to < bytes.length; to += width, from += shWidth) {
        bytes[to] = toByte((roundAwayFromZero(factor * sh[from]!) + centre) & -bucket);
      }
    }
  };
}

/** As C rounds. */
function roundAwayFromZero(value: number): number {
  return value < 0 ? -Math.round(-value) : Math.round(value);
}
