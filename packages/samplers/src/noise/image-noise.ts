import type { NoiseRequest, NoiseSource } from '@langevin/core';
import { checkNumber, counterGenerator, readOptions, UserError } from '@langevin/tensor';
import { checkKind } from '../check-option.ts';

export interface ImageNoiseOptions {
  /** An integer, or a bigint of up to 64 bits. */
  readonly seed: number | bigint;
  /** The numbers by which the images of the batch are known, >= 0. @default 0, 1, 2, ... */
  readonly images?: readonly number[];
}

/**
 * Noise keyed by (seed, image, step): an image does not depend on the batch it is sampled in, and a run resumed at any step
 * draws what the whole run would have drawn. Float32 normals of counterGenerator() with stream [image] at the start and
 * [image, step, draw] later.
 *
 * @throws UserError for a seed or numbers of images that are none, and at the first draw when `images` does not name every item of the
 *   batch
 * @example
 * const request = { step: 0, draw: 0 };
 * const batch = await imageNoise({ seed: 1, images: [7, 8] }).draw({
 *   ...request,
 *   algebra: arrayAlgebra({ items: 2 }),
 *   like: new Float32Array(6),
 * });
 * const alone = await imageNoise({ seed: 1, images: [8] }).draw({ ...request, algebra: arrayAlgebra(), like: new Float32Array(3) });
 * [...batch.slice(3)].every((value, i) => value === alone[i]); // => true
 */
export function imageNoise(options: ImageNoiseOptions): NoiseSource {
  const { seed, images } = readOptions('samplers/noise', options);
  // The generator knows what a seed is; asked here, it says so where the mistake is.
  counterGenerator({ seed, stream: [] });
  if (images !== undefined) {
    checkKind('noise', {
      name: 'images',
      value: images,
      holds: Array.isArray(images),
      remedy: 'Pass a list of numbers, one for each image.',
    });
    Array.from(images).forEach((image, i) => checkNumber('samplers/noise', { [`images[${i}]`]: image }, { atLeast: 0, kind: 'integer' }));
  }
  return Object.freeze({
    name: 'image',
    draw: <T>({ algebra, like, step, draw }: NoiseRequest<T>) => {
      const items = algebra.items(like);
      const names = images ?? Array.from({ length: items }, (_, i) => i);
      if (names.length !== items)
        throw new UserError(
          `[samplers/noise] every image of the batch has a number: images.length=${names.length}, batch of ${items}. Pass one for `
            + 'each, or none.',
        );
      const size = algebra.size(like) / items;
      const values = new Float32Array(items * size);
      names.forEach((image, i) => {
        const stream = step === 'start' ? [image] : [image, step, draw];
        counterGenerator({ seed, stream }).fillNormal(values.subarray(i * size, (i + 1) * size));
      });
      return Promise.resolve(algebra.fromHost(values, like));
    },
  });
}
