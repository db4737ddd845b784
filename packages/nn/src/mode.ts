import { deferred, sizeOf, type Generator, type Shape, type Tensor } from '@langevin/tensor';

/** Dropout and the like do nothing. */
export interface EvalMode {
  readonly kind: 'eval';
}

/** Layers may be random. */
export interface TrainMode {
  readonly kind: 'train';
  /** Fresh float32 numbers, uniform in [0, 1): new ones in every run of the graph. */
  readonly uniform: (shape: Shape) => Tensor;
}

/** How a module runs; it is passed to `apply`, never stored. */
export type Mode = EvalMode | TrainMode;

/** Without randomness: sampling, validation. What layers do when no mode is given. */
export const evalMode: Mode = Object.freeze({ kind: 'eval' });

/**
 * Training, with random numbers from a generator. In a compiled function they are drawn anew at each call, in the same order, so the
 * generator's state is all that a resumed run needs. The mode is closed over, not an argument of the compiled function.
 *
 * @example
 * const mode = trainMode(torchGenerator(0));
 * const net = dropout(0.5);
 * const forward = compile((x: Tensor) => net.apply({}, x, mode));
 * const kept = await numbers(await forward(ones([1000])));
 * [...new Set(kept)].sort(); // => [0, 2]
 */
export function trainMode(generator: Generator): TrainMode {
  return Object.freeze({
    kind: 'train',
    uniform: (shape: Shape) => deferred({ shape, dtype: 'float32' }, () => generator.uniform(sizeOf(shape))),
  });
}
