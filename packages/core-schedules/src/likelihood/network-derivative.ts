import { perLevel } from '@langevin/core';
import { jvp, type Engine, type Tensor } from '@langevin/tensor';
import { checkedCoefficients, type Preconditioning, type PreconditioningCoefficients } from '../preconditioning.ts';
import { tensorAlgebra } from '../tensor-algebra.ts';
import type { DenoiserDerivative } from './trace.ts';

export interface NetworkDerivativeOptions {
  /** A raw network with its parameters bound, as graph nodes: it must not be compiled, or nothing of it could be differentiated. */
  readonly network: (x: Tensor, cNoise: Tensor) => Tensor;
  readonly preconditioning: Preconditioning;
  /** @default the engine that holds the state, else the default engine */
  readonly engine?: Engine;
}

/**
 * A network's denoiser with its exact derivative by forward-mode differentiation: one graph for all levels, twice the work of a call.
 *
 * @example
 * const derivative = networkDerivative({ network: (x) => x, preconditioning: edmPreconditioning() });
 * const x = tensor([[1, 2]]);
 * (await derivative(x, x, sigmaLevel(1))).tangent.shape; // => [1, 2]
 */
export function networkDerivative({ network, preconditioning, ...options }: NetworkDerivativeOptions): DenoiserDerivative<Tensor> {
  const algebra = tensorAlgebra(options);
  return async (x, direction, at) => {
    const all = perLevel(at, (level) => checkedCoefficients(preconditioning, level));
    const pick = (name: keyof PreconditioningCoefficients): number | readonly number[] =>
      'cIn' in all ? all[name] : all.map((c) => c[name]);
    const cNoise = algebra.perItem(pick('cNoise'), x);
    const { value, tangent } = jvp(
      (input: Tensor) => network(input, cNoise),
      [algebra.linear([pick('cIn'), x])],
      [algebra.linear([pick('cIn'), direction])],
    );
    const denoised = algebra.linear([pick('cSkip'), x], [pick('cOut'), value]);
    const moved = algebra.linear([pick('cSkip'), direction], [pick('cOut'), tangent]);
    await algebra.realize([denoised, moved]);
    return { denoised, tangent: moved };
  };
}
