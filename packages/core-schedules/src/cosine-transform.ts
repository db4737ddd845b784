import { deriveDenoiser, type Denoiser } from '@langevin/core';
import { matmul, tensor, UserError, type Tensor } from '@langevin/tensor';

export interface PictureShape {
  readonly height: number;
  readonly width: number;
}

/**
 * The orthonormal cosine transform (DCT-II) of the last two axes, height and width, of states T, and its inverse: noise stays what it is,
 * and so do lengths.
 */
export interface CosineTransform<T> {
  readonly forward: (x: T) => T;
  readonly inverse: (spectrum: T) => T;
}

/** Any number of pictures one after another, rows first. */
type Arrays = <A extends Float32Array | Float64Array>(x: A) => A;

/**
 * The cosine transform of plain arrays; sums are in float64.
 *
 * @throws UserError from both directions, for arrays that are not whole pictures
 * @example
 * const { forward, inverse } = cosineTransform({ height: 2, width: 2 });
 * forward(Float64Array.of(1, 1, 1, 1)); // => [2.000, 0.000, 0.000, 0.000]
 * inverse(Float64Array.of(2, 0, 0, 0)); // => [1.000, 1.000, 1.000, 1.000]
 */
export function cosineTransform({ height, width }: PictureShape): { readonly forward: Arrays; readonly inverse: Arrays } {
  const [rows, columns] = [basis(height), basis(width)];
  const turn =
    (vertical: Float64Array, horizontal: Float64Array): Arrays =>
    (x) => {
      if (x.length % (height * width) !== 0)
        throw refused(`the array is not whole pictures: length=${x.length}, height=${height}, width=${width}. Pass [..., height, width].`);
      const out = x.slice() as typeof x;
      const half = new Float64Array(height * width);
      for (let at = 0; at < x.length; at += height * width) {
        // Along rows, and then along columns.
        for (let i = 0; i < height; i++) {
          for (let k = 0; k < width; k++) {
            let sum = 0;
            for (let j = 0; j < width; j++) sum += x[at + i * width + j]! * horizontal[k * width + j]!;
            half[i * width + k] = sum;
          }
        }
        for (let k = 0; k < height; k++) {
          for (let j = 0; j < width; j++) {
            let sum = 0;
            for (let i = 0; i < height; i++) sum += vertical[k * height + i]! * half[i * width + j]!;
            out[at + k * width + j] = sum;
          }
        }
      }
      return out;
    };
  return Object.freeze({ forward: turn(rows, columns), inverse: turn(transposed(rows, height), transposed(columns, width)) });
}

/**
 * The cosine transform of tensors [..., height, width], as two products on their engine.
 *
 * @example
 * const { forward } = tensorCosineTransform({ height: 2, width: 2 });
 * await numbers(forward(ones([1, 1, 2, 2]))); // => [2.000, 0.000, 0.000, 0.000]
 */
export function tensorCosineTransform({ height, width }: PictureShape): CosineTransform<Tensor> {
  const rows = tensor(Float32Array.from(basis(height)), { shape: [height, height] });
  const columns = tensor(Float32Array.from(basis(width)), { shape: [width, width] });
  return Object.freeze({
    forward: (x: Tensor) => matmul(rows, matmul(x, columns, { transposeB: true })),
    inverse: (spectrum: Tensor) => matmul(rows, matmul(spectrum, columns), { transposeA: true }),
  });
}

/**
 * A denoiser of pictures as one of their cosine transforms, such as levels of blurring diffusion want. Learned variances, which are of
 * pixels, are left behind.
 *
 * @example
 * const grey = defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map(() => 0.5) });
 * const denoise = inFrequencies<Float64Array>(grey, cosineTransform({ height: 2, width: 2 }));
 * await denoise(Float64Array.of(0.3, -1, 0.8, 0.1), { alpha: 0.6, sigma: 0.8 }); // => [1.000, 0.000, 0.000, 0.000]
 */
export function inFrequencies<T>(denoise: Denoiser<T>, { forward, inverse }: CosineTransform<T>): Denoiser<T> {
  // Transposes of an orthonormal transform are its inverse.
  return deriveDenoiser(denoise, {
    input: inverse,
    output: forward,
    variance: 'dropped',
    transposed: { input: forward, output: inverse },
  });
}

/** Row k is the k-th cosine, [length, length]. */
function basis(length: number): Float64Array {
  if (!(Number.isInteger(length) && length >= 1)) throw refused(`a side has at least one pixel: side=${String(length)}. Pass integers.`);
  const out = new Float64Array(length * length);
  for (let k = 0; k < length; k++) {
    const scale = Math.sqrt((k === 0 ? 1 : 2) / length);
    for (let n = 0; n < length; n++) out[k * length + n] = scale * Math.cos((Math.PI * k * (n + 0.5)) / length);
  }
  return out;
}

function transposed(matrix: Float64Array, side: number): Float64Array {
  return matrix.map((_, i) => matrix[(i % side) * side + Math.floor(i / side)]!);
}

function refused(text: string): UserError {
  return new UserError(`[core-schedules/cosine-transform] ${text}`);
}
