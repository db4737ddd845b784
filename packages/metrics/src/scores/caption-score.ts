import { checkChoice, checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkGiven } from '../features/given.ts';

/**
 * How a cosine is reported; papers differ, so the scale belongs to the name of a score:
 * - `cosine`: as it is, -1..1
 * - `hundred`: 100 max(cosine, 0), as torchmetrics prints CLIP scores
 * - `clipscore`: 2.5 max(cosine, 0) (Hessel et al. 2021, arXiv:2104.08718, eq. 1)
 */
export type CaptionScale = 'cosine' | 'hundred' | 'clipscore';

/** Embeddings of pictures or captions in one space. */
export interface Embeddings {
  /** [count, width], row-major; need not be normalised. */
  readonly rows: Float64Array | Float32Array;
  readonly width: number;
}

/** How well captions describe their pictures. */
export interface CaptionScore {
  /** Mean over the pairs. */
  readonly value: number;
  readonly scale: CaptionScale;
  /** Share of pictures whose own caption is the nearest of all captions given, the first of equals counting as missed (R-precision). */
  readonly rPrecision: number;
  readonly count: number;
}

/**
 * The mean cosine between the embeddings of pictures and of their captions, and how often the right caption is found among all of them.
 *
 * @param images picture i belongs to caption i
 * @throws UserError when counts or widths differ, or an embedding is zero or not finite
 * @example
 * const [images, captions] = [{ rows: Float64Array.of(1, 0, 0, 2), width: 2 }, { rows: Float64Array.of(3, 0, 1, 1), width: 2 }];
 * captionScore(images, captions).value; // => 0.8536
 */
export function captionScore(images: Embeddings, captions: Embeddings, options: { readonly scale?: CaptionScale } = {}): CaptionScore {
  const { scale = 'cosine' } = readOptions('metrics/caption-score', options, ['scale']);
  checkChoice('metrics/caption-score', { scale }, ['cosine', 'hundred', 'clipscore']);
  for (const [name, given] of Object.entries({ images, captions })) {
    checkGiven('metrics/caption-score', 'an object', { [name]: given });
    checkGiven('metrics/caption-score', 'an array of floats', { [`${name}.rows`]: given.rows });
    checkNumber('metrics/caption-score', { [`${name}.width`]: given.width }, { atLeast: 1, kind: 'integer' });
  }
  if (images.width !== captions.width || images.rows.length !== captions.rows.length) {
    throw new UserError(
      `[metrics/caption-score] pictures and captions do not pair: width=${images.width} and ${captions.width}, `
        + `length=${images.rows.length} and ${captions.rows.length}. Give one caption for each picture, from one model.`,
    );
  }
  const { width } = images;
  const [a, b] = [normalised(images, 'picture'), normalised(captions, 'caption')];
  const count = a.length / width;
  let sum = 0;
  let found = 0;
  for (let i = 0; i < count; i += 1) {
    const own = cosine(a, b, { i, j: i, width });
    sum += scaled(own, scale);
    let best = true;
    for (let j = 0; j < count && best; j += 1) best = j === i || cosine(a, b, { i, j, width }) < own;
    found += best ? 1 : 0;
  }
  return Object.freeze({ value: sum / count, scale, rPrecision: found / count, count });
}

function scaled(value: number, scale: CaptionScale): number {
  switch (scale) {
    case 'cosine':
      return value;
    case 'hundred':
      return 100 * Math.max(value, 0);
    case 'clipscore':
      return 2.5 * Math.max(value, 0);
  }
}

function cosine(
  a: Float64Array,
  b: Float64Array,
  { i, j, width }: { readonly i: number; readonly j: number; readonly width: number },
): number {
  let sum = 0;
  for (let k = 0; k < width; k += 1) sum += a[i * width + k]! * b[j * width + k]!;
  return sum;
}

function normalised({ rows, width }: Embeddings, kind: string): Float64Array {
  const count = rows.length / width;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new UserError(`[metrics/caption-score] numbers are not whole rows: length=${rows.length}, width=${width}. Pass [count, width].`);
  }
  const result = Float64Array.from(rows);
  for (let i = 0; i < count; i += 1) {
    const row = result.subarray(i * width, (i + 1) * width);
    const length = Math.sqrt(row.reduce((sum, value) => sum + value ** 2, 0));
    if (!(length > 0 && Number.isFinite(length))) {
      throw new UserError(`[metrics/caption-score] an embedding has no direction: ${kind}=${i}, length=${length}. Look at that ${kind}.`);
    }
    for (let k = 0; k < width; k += 1) row[k]! /= length;
  }
  return result;
}
