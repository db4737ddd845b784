/**
 * 1 / (1 + e^-x) of one number, without overflow at either end; `sigmoid()` is the op over tensors.
 *
 * @example
 * logistic(0); // => 0.5
 */
export function logistic(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}
