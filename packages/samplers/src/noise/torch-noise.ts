import type { NoiseRequest, NoiseSource } from '@langevin/core';
import { UserError, type Generator } from '@langevin/tensor';
import { checkMethods } from '../check-option.ts';

/**
 * Noise as PyTorch programs draw it, in the order of the draws: one generator for the whole batch, or a list with one for each
 * image, as diffusers takes them. Drawing advances the generators.
 *
 * @throws UserError for what is no generator, and at the first draw when a list does not have one generator for each item of the batch
 * @example
 * const noise = torchNoise(torchGenerator(0));
 * await noise.draw({ algebra: arrayAlgebra(), like: new Float32Array(3), step: 'start', draw: 0 }); // => [1.541, -0.2934, -2.1788]
 */
export function torchNoise(generator: Generator | readonly Generator[]): NoiseSource {
  const remedy = 'Pass a generator, such as torchGenerator(0), or a list with one for each image.';
  for (const each of isList(generator) ? Array.from(generator) : [generator])
    checkMethods('noise', { generator: each }, { methods: ['normal'], remedy });
  return Object.freeze({
    name: 'torch',
    draw: <T>({ algebra, like }: NoiseRequest<T>) => {
      if (!isList(generator)) return Promise.resolve(algebra.fromHost(generator.normal(algebra.size(like)), like));
      const items = algebra.items(like);
      if (generator.length !== items)
        throw new UserError(
          `[samplers/noise] a list of generators has one for each image: generators=${generator.length}, batch of ${items}. Pass `
            + 'as many, or a single one.',
        );
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
