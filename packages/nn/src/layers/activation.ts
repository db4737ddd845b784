import { gelu, mul, relu, silu, softplus, tanh, type Tensor } from '@langevin/tensor';
import { functional, type Layer, type NoParams } from '../module.ts';

/** Activations by the name they have in configurations. */
export const activations = Object.freeze({
  gelu: (x: Tensor) => gelu(x),
  'gelu-approximate': (x: Tensor) => gelu(x, { approximation: 'tanh' }),
  mish: (x: Tensor) => mul(x, tanh(softplus(x))),
  relu,
  silu,
}) satisfies Readonly<Record<string, (x: Tensor) => Tensor>>;

export type ActivationName = keyof typeof activations;

/**
 * An elementwise function as a layer.
 *
 * @example
 * await numbers(activation('relu').apply({}, tensor([-1, 2]))); // => [0, 2]
 */
export const activation = (name: ActivationName): Layer<NoParams> => functional(activations[name]);
