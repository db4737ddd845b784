import { namedTensors, UserError, type Generator, type Shape } from '@langevin/tensor';
import type { Module } from './module.ts';

const drawn = (): never => {
  throw new UserError(
    '[nn/shapesOnly] a module draws its parameters by itself: only shapes were asked for. Make its parameters with the '
      + 'initialisers of @langevin/nn.',
  );
};

/**
 * A generator that draws nothing: with it, initialisers give zeros that take no memory. For the names and shapes of a model, and as the
 * template that a checkpoint is fitted into.
 *
 * @example
 * const template = linear({ inputs: 40_000, outputs: 40_000 }).init(shapesOnly); // no 6.4 GB here
 */
export const shapesOnly: Generator = Object.freeze({
  kind: 'counter',
  uniform: drawn,
  uniform64: drawn,
  normal: drawn,
  normal64: drawn,
  integers: drawn,
  permutation: drawn,
  state: drawn,
});

/** Names and shapes of a module's parameters, without making them. */
export function parameterShapes<Params, Inputs extends readonly unknown[], Output>(
  module: Module<Params, Inputs, Output>,
): Map<string, Shape> {
  return new Map([...namedTensors(module.init(shapesOnly))].map(([name, { shape }]) => [name, shape]));
}

/**
 * How many numbers a module's parameters hold, without making them.
 *
 * @example
 * parameterCount(linear({ inputs: 3, outputs: 4 })); // => 16
 */
export function parameterCount<Params, Inputs extends readonly unknown[], Output>(module: Module<Params, Inputs, Output>): number {
  let count = 0;
  for (const { size } of namedTensors(module.init(shapesOnly)).values()) count += size;
  return count;
}
