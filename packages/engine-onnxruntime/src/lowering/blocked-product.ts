import { emitBlockedProduct } from './blocked-conv.ts';
import type { Operand, Scope } from './scope.ts';

/** Smaller results are not worth laying out both operands. */
const FEWEST_COLUMNS = 128;
const FEWEST_SUMMED = 1024;

/** Whether a^T b is faster as a convolution. The runtime's product transposes a again for every 128 columns of b. */
export function isWorthBlockedProduct(scope: Scope, a: Operand, b: Operand): boolean {
  const block = scope.channelBlock;
  if (scope.contrib !== 'allow' || block === 0 || a.dtype !== 'float32' || a.shape.length !== 2 || b.shape.length !== 2) return false;
  const [summed, rows] = a.shape as [number, number];
  return summed % block === 0 && rows % block === 0 && Math.min(rows, b.shape[1]!) >= FEWEST_COLUMNS && summed >= FEWEST_SUMMED;
}

/**
 * a [M, N], b [M, K] -> a^T b [N, K], the gradient of a linear layer's weights, as a 1 x 1 convolution with M channels: b is the image,
 * and a in blocks of its columns happens to be the layout of the weights.
 */
export function transposedProduct(scope: Scope, a: Operand, b: Operand): string {
  const [summed, rows] = a.shape as [number, number];
  const columns = b.shape[1]!;
  const product = emitBlockedProduct(scope, { weights: a, image: b, summed, rows, columns });
  return scope.emit('Reshape', [product, scope.ints([rows, columns])]);
}
