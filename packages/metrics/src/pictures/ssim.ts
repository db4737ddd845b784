import { UserError } from '@langevin/tensor';
import { checkPair, type Pictures } from './pair.ts';

const RANGE = 2;
/** Wang et al. 2004, section III.B and III.C: constants and window. */
const [C1, C2] = [(0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2];
const [SIDE, SIGMA] = [11, 1.5];

const WINDOW = (() => {
  const weights = Float64Array.from({ length: SIDE }, (_, i) => Math.exp(-((i - (SIDE - 1) / 2) ** 2) / (2 * SIGMA ** 2)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
})();

/**
 * Structural similarity of each picture (Wang, Bovik, Sheikh and Simoncelli 2004), in -1..1; 1 for equal ones: an 11 x 11 Gaussian window
 * of deviation 1.5 at every place where it fits wholly, population statistics, K1 = 0.01, K2 = 0.03, a mean over places and channels.
 *
 * @throws UserError when shapes differ, a side is below 11, or a number is not in [-1, 1]
 * @example
 * const grey = { data: new Float64Array(121), shape: [1, 1, 11, 11] as const };
 * ssim(grey, grey); // => [1]
 */
export function ssim(a: Pictures, b: Pictures): readonly number[] {
  checkPair('ssim', a, b);
  const [count, channels, height, width] = a.shape;
  if (height < SIDE || width < SIDE) {
    throw new UserError(
      `[metrics/ssim] picture is smaller than the window: height=${height}, width=${width}, window=${SIDE}. Enlarge both.`,
    );
  }
  const size = height * width;
  return Array.from({ length: count }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c += 1) {
      const from = (i * channels + c) * size;
      sum += channelSsim(a.data.subarray(from, from + size), b.data.subarray(from, from + size), width);
    }
    return sum / channels;
  });
}

type Plane = Float32Array | Float64Array;

function channelSsim(a: Plane, b: Plane, width: number): number {
  const mean = (value: (k: number) => number): Float64Array =>
    blurred(
      Float64Array.from(a, (_, k) => value(k)),
      width,
    );
  const [ma, mb] = [mean((k) => a[k]!), mean((k) => b[k]!)];
  const [aa, bb, ab] = [mean((k) => a[k]! ** 2), mean((k) => b[k]! ** 2), mean((k) => a[k]! * b[k]!)];
  let sum = 0;
  for (let k = 0; k < ma.length; k += 1) {
    const [x, y] = [ma[k]!, mb[k]!];
    const [vx, vy, vxy] = [aa[k]! - x * x, bb[k]! - y * y, ab[k]! - x * y];
    sum += ((2 * x * y + C1) * (2 * vxy + C2)) / ((x * x + y * y + C1) * (vx + vy + C2));
  }
  return sum / ma.length;
}

/** The weighted mean at each place where the window fits: along rows, then along columns. */
function blurred(plane: Float64Array, width: number): Float64Array {
  const height = plane.length / width;
  const [across, down] = [width - SIDE + 1, height - SIDE + 1];
  const rows = new Float64Array(height * across);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < across; x += 1) {
      let sum = 0;
      for (let k = 0; k < SIDE; k += 1) sum += WINDOW[k]! * plane[y * width + x + k]!;
      rows[y * across + x] = sum;
    }
  }
  const result = new Float64Array(down * across);
  for (let y = 0; y < down; y += 1) {
    for (let x = 0; x < across; x += 1) {
      let sum = 0;
      for (let k = 0; k < SIDE; k += 1) sum += WINDOW[k]! * rows[(y + k) * across + x]!;
      result[y * across + x] = sum;
    }
  }
  return result;
}
