import { isWorthBlockedProduct, transposedProduct } from './blocked-product.ts';
import { normalizeRows } from './normalize.ts';
import type { LoweringTable, Operand, Scope } from './scope.ts';

function swapLast(scope: Scope, x: Operand): string {
  const rank = x.shape.length;
  const perm = x.shape.map((_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return scope.emit('Transpose', [x], { attributes: { perm } });
}

export const linearAlgebra: LoweringTable<'matmul' | 'softmax' | 'normalize'> = {
  matmul: (scope, { transposeA, transposeB }) => {
    const [a, b] = scope.inputs as [Operand, Operand];
    if (transposeA && !transposeB && isWorthBlockedProduct(scope, a, b)) return transposedProduct(scope, a, b);
    if (!transposeA && !transposeB) return scope.emit('MatMul', [a, b]);
    if (a.shape.length === 2 && b.shape.length === 2 && a.dtype === 'float32') {
      return scope.emit('Gemm', [a, b], { attributes: { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 } });
    }
    if (scope.contrib === 'allow' && a.dtype === 'float32') {
      const attributes = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 };
      return scope.emit('FusedMatMul', [a, b], { attributes, domain: 'com.microsoft' });
    }
    return scope.emit('MatMul', [transposeA ? swapLast(scope, a) : a, transposeB ? swapLast(scope, b) : b]);
  },
  softmax: (scope, { axis }) => scope.emit('Softmax', scope.inputs, { attributes: { axis } }),
  normalize: (scope, params) => normalizeRows(scope, scope.inputs[0]!, params),
};
