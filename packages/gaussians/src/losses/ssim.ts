import { checkNumber, UserError } from '@langevin/tensor';
import type { FloatArray } from '../gaussians.ts';
import { REACH, WEIGHTS } from './window.ts';

/** Size of pictures that are compared: [height, width, channels]. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Which windows count: all, with zeros beyond the picture, as gsplat and the paper have it; or those that lie wholly inside. */
export type SsimPadding = 'same' | 'valid';

/** Windows of a picture that training compares with again and again. */
export interface SsimTarget<A extends FloatArray = FloatArray> {
  readonly picture: A;
  /** Window means of the picture and of its square. */
  readonly mean: A;
  readonly square: A;
}

/** SSIM of pictures of one size with its gradient; keeps its memory from call to call. */
export interface Ssim<A extends FloatArray = FloatArray> {
  readonly prepare: (target: A) => SsimTarget<A>;
  /** Mean SSIM of an image and a target. */
  readonly value: (image: A, target: SsimTarget<A>) => number;
  /**
   * Adds `scale` times dSSIM/d(image) to `into`, exactly, and returns the mean SSIM.
   */
  readonly addGradient: (image: A, target: SsimTarget<A>, options: { readonly scale: number; readonly into: A }) => number;
}

const C1 = 0.01 ** 2;
const C2 = 0.03 ** 2;
const [W0, W1, W2, W3, W4, W5] = WEIGHTS as readonly [number, number, number, number, number, number];

/**
 * Structural similarity (Wang et al. 2004) with an 11x11 Gaussian window, for values in [0, 1]. Windows are blurred by two passes, the
 * gradient by the same two: with zeros beyond the picture the blur is its own transpose.
 *
 * @param options.padding @default 'same'
 * @throws UserError when sizes are not positive, or 'valid' is asked for on pictures smaller than the window
 * @example
 * const ssim = createSsim({ width: 64, height: 64, channels: 3 });
 * const picture = new Float32Array(64 * 64 * 3).fill(0.5);
 * ssim.value(picture, ssim.prepare(picture)); // => 1.000000
 */
export function createSsim<A extends FloatArray = Float32Array>(
  size: PictureSize,
  options: { readonly padding?: SsimPadding; readonly precision?: 'float32' | 'float64' } = {},
): Ssim<A> {
  const { width, height, channels } = size;
  const { padding = 'same', precision = 'float32' } = options;
  checkNumber('gaussians/ssim', { width, height, channels }, { atLeast: 1, kind: 'integer' });
  const inset = padding === 'valid' ? REACH : 0;
  if (width <= 2 * inset || height <= 2 * inset)
    throw new UserError(
      `[gaussians/ssim] no window lies inside of the picture: width=${width}, height=${height}. Use pictures larger than `
        + `${2 * REACH}, or padding 'same'.`,
    );
  const windows = (width - 2 * inset) * (height - 2 * inset) * channels;
  const row = width * channels;
  const edge = REACH * row;
  const create = (length: number): A => (precision === 'float64' ? new Float64Array(length) : new Float32Array(length)) as A;
  // Three quantities at a time; rows of zeros above and below, so that the passes need no tests at the border.
  const padded = [0, 1, 2].map(() => create(row * (height + 2 * REACH))) as [A, A, A];
  const maps = [0, 1, 2].map(() => create(row * height)) as [A, A, A];
  const line = create(row + 2 * REACH * channels);

  /** Horizontal pass of one line, which lies in `line` between its zeros. */
  const across = (out: A, at: number): void => {
    const c = channels;
    for (let i = 0, m = REACH * c; i < row; i++, m++) {
      out[at + i] =
        W0 * line[m]!
        + W1 * (line[m - c]! + line[m + c]!)
        + W2 * (line[m - 2 * c]! + line[m + 2 * c]!)
        + W3 * (line[m - 3 * c]! + line[m + 3 * c]!)
        + W4 * (line[m - 4 * c]! + line[m + 4 * c]!)
        + W5 * (line[m - 5 * c]! + line[m + 5 * c]!);
    }
  };
  const down = (plane: A, m: number): number =>
    W0 * plane[m]!
    + W1 * (plane[m - row]! + plane[m + row]!)
    + W2 * (plane[m - 2 * row]! + plane[m + 2 * row]!)
    + W3 * (plane[m - 3 * row]! + plane[m + 3 * row]!)
    + W4 * (plane[m - 4 * row]! + plane[m + 4 * row]!)
    + W5 * (plane[m - 5 * row]! + plane[m + 5 * row]!);
  /** Products of two pictures, blurred along rows. `b` null: the picture itself. */
  const blurRows = (a: A, b: A | null, out: A): void => {
    const start = REACH * channels;
    for (let y = 0, at = 0; y < height; y++, at += row) {
      if (b === null) line.set(a.subarray(at, at + row), start);
      else for (let i = 0; i < row; i++) line[start + i] = a[at + i]! * b[at + i]!;
      across(out, edge + at);
    }
  };

  const check = (picture: FloatArray, name: string): void => {
    if (picture.length !== row * height)
      throw new UserError(
        `[gaussians/ssim] picture is not of the size compared: ${name}.length=${picture.length}, expected ${row * height}. Resize it.`,
      );
  };

  const compare = (image: A, target: SsimTarget<A>, gradientScale: number | null): number => {
    check(image, 'image');
    const [pMean, pSquare, pProduct] = padded;
    blurRows(image, null, pMean);
    blurRows(image, image, pSquare);
    blurRows(image, target.picture, pProduct);
    const [gMean, gSquare, gProduct] = maps;
    const scale = (gradientScale ?? 0) / windows;
    let total = 0;
    for (let y = 0, at = 0; y < height; y++) {
      const rowInside = y >= inset && y < height - inset;
      for (let x = 0; x < row; x++, at++) {
        if (!rowInside || x < inset * channels || x >= row - inset * channels) {
          gMean[at] = 0;
          gSquare[at] = 0;
          gProduct[at] = 0;
          continue;
        }
        const m = edge + at;
        const mx = down(pMean, m);
        const exx = down(pSquare, m);
        const exy = down(pProduct, m);
        const my = target.mean[at]!;
        const a1 = 2 * mx * my + C1;
        const a2 = 2 * (exy - mx * my) + C2;
        const b1 = mx * mx + my * my + C1;
        const b2 = exx - mx * mx + target.square[at]! - my * my + C2;
        const inverse = 1 / (b1 * b2);
        const s = a1 * a2 * inverse;
        total += s;
        if (gradientScale === null) continue;
        gMean[at] = scale * (2 * my * (a2 - a1) * inverse + 2 * mx * s * (1 / b2 - 1 / b1));
        gSquare[at] = (-scale * s) / b2;
        gProduct[at] = scale * 2 * a1 * inverse;
      }
    }
    return total / windows;
  };

  return {
    prepare: (target) => {
      check(target, 'target');
      const [first, second] = padded;
      blurRows(target, null, first);
      blurRows(target, target, second);
      const mean = create(row * height);
      const square = create(row * height);
      for (let at = 0; at < row * height; at++) {
        mean[at] = down(first, edge + at);
        square[at] = down(second, edge + at);
      }
      return { picture: target, mean, square };
    },
    value: (image, target) => compare(image, target, null),
    addGradient: (image, target, { scale, into }) => {
      check(into, 'into');
      const value = compare(image, target, scale);
      for (const [i, map] of maps.entries()) blurRows(map, null, padded[i]!);
      const [pMean, pSquare, pProduct] = padded;
      const { picture } = target;
      for (let at = 0, m = edge; at < row * height; at++, m++) {
        into[at] = into[at]! + down(pMean, m) + 2 * image[at]! * down(pSquare, m) + picture[at]! * down(pProduct, m);
      }
      return value;
    },
  };
}
