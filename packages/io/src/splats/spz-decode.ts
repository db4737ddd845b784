import { DOWN_FORWARD_TO_UP_BACK, quaternionSigns, shSigns } from './axes.ts';
import type { SplatCloud } from './cloud.ts';
import { shCoefficients } from './cloud.ts';
import { LOGITS } from './quantized.ts';
import type { SpzColumn, SpzLayout } from './spz-layout.ts';
import { COLOR_SCALE } from './spz-layout.ts';

/** Decode rows `first...` of a column from its bytes. */
export type DecodeRows = (bytes: Uint8Array, first: number) => void;

const [, SIGN_Y, SIGN_Z] = DOWN_FORWARD_TO_UP_BACK;
const [, , QUATERNION_Y, QUATERNION_Z] = quaternionSigns(DOWN_FORWARD_TO_UP_BACK);
const COLORS = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - 0.5) / COLOR_SCALE);
const LOG_SCALES = Float32Array.from({ length: 256 }, (_, byte) => byte / 16 - 10);

/** The decoder of each column, into a cloud whose axes are those of PLY. */
export function spzDecoders(cloud: SplatCloud, layout: SpzLayout): Readonly<Record<SpzColumn, DecodeRows>> {
  const { means, opacityLogits, logScales, sh } = cloud;
  const shWidth = 3 * shCoefficients(cloud.degree);
  return {
    positions: layout.version === 1 ? halfPositions(means) : fixedPositions(means, layout.fractionalBits),
    alphas: (bytes, first) => {
      for (let i = 0; i < bytes.length; i++) opacityLogits[first + i] = LOGITS[bytes[i]!]!;
    },
    colors: (bytes, first) => {
      for (let i = 0, to = first * shWidth; i < bytes.length; i += 3, to += shWidth) {
        sh[to] = COLORS[bytes[i]!]!;
        sh[to + 1] = COLORS[bytes[i + 1]!]!;
        sh[to + 2] = COLORS[bytes[i + 2]!]!;
      }
    },
    scales: (bytes, first) => {
      for (let i = 0, to = 3 * first; i < bytes.length; i++, to++) logScales[to] = LOG_SCALES[bytes[i]!]!;
    },
    rotations: layout.version < 3 ? firstThree(cloud.quaternions) : smallestThree(cloud.quaternions),
    sh: harmonics(sh, shWidth),
  };
}

function fixedPositions(means: Float32Array, fractionalBits: number): DecodeRows {
  const unit = 2 ** -fractionalBits;
  // 24 bits shifted to the top and back extend the sign. Subtracting from 0 keeps 0 from becoming -0.
  const at = (bytes: Uint8Array, i: number): number => ((bytes[i]! << 8) | (bytes[i + 1]! << 16) | (bytes[i + 2]! << 24)) >> 8;
  return (bytes, first) => {
    for (let i = 0, to = 3 * first; i < bytes.length; i += 9, to += 3) {
      means[to] = at(bytes, i) * unit;
      means[to + 1] = (0 + SIGN_Y * at(bytes, i + 3)) * unit;
      means[to + 2] = (0 + SIGN_Z * at(bytes, i + 6)) * unit;
    }
  };
}

function halfPositions(means: Float32Array): DecodeRows {
  return (bytes, first) => {
    for (let i = 0, to = 3 * first; i < bytes.length; i += 6, to += 3) {
      means[to] = halfToNumber(bytes[i]! | (bytes[i + 1]! << 8));
      means[to + 1] = 0 + SIGN_Y * halfToNumber(bytes[i + 2]! | (bytes[i + 3]! << 8));
      means[to + 2] = 0 + SIGN_Z * halfToNumber(bytes[i + 4]! | (bytes[i + 5]! << 8));
    }
  };
}

/** IEEE 754 binary16. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Version 2: x, y, z in bytes, w >= 0 from the unit length. */
function firstThree(quaternions: Float32Array): DecodeRows {
  return (bytes, first) => {
    for (let i = 0, to = 4 * first; i < bytes.length; i += 3, to += 4) {
      const x = bytes[i]! / 127.5 - 1;
      const y = bytes[i + 1]! / 127.5 - 1;
      const z = bytes[i + 2]! / 127.5 - 1;
      const w = Math.sqrt(Math.max(0, 1 - x * x - y * y - z * z));
      quaternions[to] = w;
      quaternions[to + 1] = x;
      quaternions[to + 2] = QUATERNION_Y * y;
      quaternions[to + 3] = QUATERNION_Z * z;
    }
  };
}

/**
 * Version 3: of (x, y, z, w), two bits name the largest component; the others follow from the highest bit down, a sign and nine bits of
 * magnitude / sqrt(1/2) each. In the file x, y, z come first, in memory w.
 */
function smallestThree(quaternions: Float32Array): DecodeRows {
  const unit = Math.SQRT1_2 / 511;
  const q = new Float64Array(4);
  return (bytes, first) => {
    for (let i = 0, to = 4 * first; i < bytes.length; i += 4, to += 4) {
      let word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
      const largest = word >>> 30;
      let squares = 0;
      for (let component = 3; component >= 0; component--) {
        if (component === largest) continue;
        const magnitude = (word & 511) * unit;
        squares += magnitude * magnitude;
        q[component] = word & 512 ? -magnitude : magnitude;
        word >>>= 10;
      }
      // Three magnitudes may exceed the unit length in a file that no quaternion made.
      q[largest] = Math.sqrt(Math.max(0, 1 - squares));
      quaternions[to] = q[3]!;
      quaternions[to + 1] = q[0]!;
      quaternions[to + 2] = QUATERNION_Y * q[1]!;
      quaternions[to + 3] = QUATERNION_Z * q[2]!;
    }
  };
}

/** Bytes 128 + 128 x, coefficient-major with RGB inner, as in memory; the sign of the axes is folded into the factor. */
function harmonics(sh: Float32Array, shWidth: number): DecodeRows {
  const signs = shSigns(DOWN_FORWARD_TO_UP_BACK);
  const width = shWidth - 3;
  const factors = Float64Array.from({ length: width }, (_, i) => signs[1 + Math.floor(i / 3)]! / 128);
  return (bytes, first) => {
    for (let from = 0, to = first * shWidth + 3; from < bytes.length; from += width, to += shWidth) {
      // Adding 0 keeps 0 from becoming -0.
      for (let i = 0; i < width; i++) sh[to + i] = (bytes[from + i]! - 128) * factors[i]! + 0;
    }
  };
}
