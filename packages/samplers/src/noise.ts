import type { Algebra, NoiseLevel } from '@langevin/core-schedules';
import { counterGenerator, UserError, type Generator } from '@langevin/tensor';

/** For which draw of a run noise is asked. */
export interface NoiseRequest<T> {
  readonly algebra: Algebra<T>;
  /** The noise has the form of this state. */
  readonly like: T;
  /** Number of the step, or `start` for the noise that a run begins with. */
  readonly step: number | 'start';
  /** Number of the draw within the step, from 0. */
  readonly draw: number;
  /** The levels between which the noise acts; absent at the start. */
  readonly interval?: { readonly from: NoiseLevel; readonly to: NoiseLevel };
}

/** Where unit noise comes from: passed in, never global. */
export interface NoiseSource {
  readonly name: string;
  readonly draw: <T>(request: NoiseRequest<T>) => Promise<T>;
}

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
 * @throws UserError at the first draw when `images` does not name every item of the batch
 */
export function imageNoise({ seed, images }: ImageNoiseOptions): NoiseSource {
  return Object.freeze({
    name: 'image',
    draw: <T>({ algebra, like, step, draw }: NoiseRequest<T>) => {
      const items = algebra.items(like);
      const names = images ?? Array.from({ length: items }, (_, i) => i);
      if (names.length !== items) throw new UserError(`[samplers/noise] every image of the batch has a number: images.length=${names.length}, batch of ${items}. Pass one for each, or none.`);
      const size = algebra.size(like) / items;
      const values = new Float32Array(items * size);
      names.forEach((image, i) => {
        const stream = step === 'start' ? [image] : [image, step, draw];
        values.set(counterGenerator({ seed, stream }).normal(size), i * size);
      });
      return Promise.resolve(algebra.fromHost(values, like));
    },
  });
}

/**
 * Noise as PyTorch programs draw it, in the order of the draws: one generator for the whole batch, or a list with one for each
 * image, as diffusers takes them. Drawing advances the generators.
 *
 * @throws UserError at the first draw when a list does not have one generator for each item of the batch
 */
export function torchNoise(generator: Generator | readonly Generator[]): NoiseSource {
  return Object.freeze({
    name: 'torch',
    draw: <T>({ algebra, like }: NoiseRequest<T>) => {
      if (!isList(generator)) return Promise.resolve(algebra.fromHost(generator.normal(algebra.size(like)), like));
      const items = algebra.items(like);
      if (generator.length !== items) throw new UserError(`[samplers/noise] a list of generators has one for each image: generators=${generator.length}, batch of ${items}. Pass as many, or a single one.`);
      const size = algebra.size(like) / items;
      const values = new Float32Array(items * size);
      generator.forEach((each, i) => values.set(each.normal(size), i * size));
      return Promise.resolve(algebra.fromHost(values, like));
    },
  });
}

function isList(value: Generator | readonly Generator[]): value is readonly Generator[] {
  return Array.isArray(value);
}

export interface StartOptions<T> {
  readonly algebra: Algebra<NoInfer<T>>;
  readonly noise: NoiseSource;
  /** The first level of the run. */
  readonly at: NoiseLevel;
  /** A state of the wanted form; its elements do not matter. */
  readonly like: T;
  /** An image to start from instead of nothing, as in image-to-image: it is noised to the level. @default none */
  readonly x0?: T;
}

/** The state a run starts with: sigma times noise, plus alpha times `x0` where there is one. */
export async function startState<T>({ algebra, noise, at, like, x0 }: StartOptions<T>): Promise<T> {
  const z = await noise.draw({ algebra, like, step: 'start', draw: 0 });
  return x0 === undefined ? algebra.linear([at.sigma, z]) : algebra.linear([at.alpha, x0], [at.sigma, z]);
}
