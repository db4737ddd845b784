import { reshape, transpose, type Tensor } from '@langevin/tensor';

/** [N, C, H, W] to [N, patches, C p p], rows of patches first: a convolution of stride p is then one matrix product. */
export function toPatches(x: Tensor, p: number): Tensor {
  const [n, c, height, width] = x.shape as readonly [number, number, number, number];
  const split = reshape(x, [n, c, height / p, p, width / p, p]);
  return reshape(transpose(split, [0, 2, 4, 1, 3, 5]), [n, (height / p) * (width / p), c * p * p]);
}

/** [N, rows * columns, p p C] to [N, C, rows p, columns p]; within a patch the channel is the last axis, as in diffusers. */
export function fromPatches(tokens: Tensor, grid: readonly [rows: number, columns: number], p: number): Tensor {
  const [rows, columns] = grid;
  const [n, , features] = tokens.shape as readonly [number, number, number];
  const c = features / (p * p);
  const split = reshape(tokens, [n, rows, columns, p, p, c]);
  return reshape(transpose(split, [0, 5, 1, 3, 2, 4]), [n, c, rows * p, columns * p]);
}
