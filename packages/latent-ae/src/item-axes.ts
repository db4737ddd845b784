import type { Tensor } from '@langevin/tensor';

/** Axes behind the first: those of one item of a batch. */
export function itemAxes(x: Tensor): readonly number[] {
  return x.shape.slice(1).map((_, i) => i + 1);
}
