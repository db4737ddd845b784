import { add, div, mul, scalar, tanh, type Tensor } from '@langevin/tensor';

/** A step counter before the first step. float32 counts exactly to 16,777,216. */
export const newCounter = (): Tensor => scalar(0);

/**
 * 1 - beta^step for a float32 scalar step, with a relative error near 1e-7.
 *
 * In float32 the direct form loses 5 digits for beta = 0.999 at the first steps, so it is computed as
 * 1 - exp(-2h) = 2 tanh(h) / (1 + tanh(h)) with h = -step ln(beta) / 2.
 */
export function biasCorrection(beta: number, step: Tensor): Tensor {
  // 0^step, which has no logarithm: nothing is carried along, and nothing is to be corrected.
  if (beta === 0) return scalar(1);
  const t = tanh(mul(step, -Math.log(beta) / 2));
  return div(mul(t, 2), add(t, 1));
}
