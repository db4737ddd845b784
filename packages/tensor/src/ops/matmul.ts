import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import { readOptions } from '../read-options.ts';
import { broadcastShapes, showShape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { mul } from './binary.ts';
import { shapeOf } from './operands.ts';
import { sum, sumTo } from './sum.ts';
import { reshape } from './shaping.ts';

export const matmulOp: OpDefinition<'matmul'> = {
  op: 'matmul',
  infer([a, b], { transposeA, transposeB }) {
    if (a!.dtype !== b!.dtype || !isFloating(a!.dtype)) {
      throw new UserError(`[tensor/matmul] dtypes do not multiply: a=${a!.dtype}, b=${b!.dtype}. Both must be the same float; cast() one.`);
    }
    if (a!.shape.length < 2 || b!.shape.length < 2) {
      throw new UserError(
        `[tensor/matmul] operand is not a matrix: a=${showShape(a!.shape)}, b=${showShape(b!.shape)}. Add an axis with expandDims().`,
      );
    }
    const [rows, inner] = lastTwo(a!.shape, transposeA ? 'swapped' : 'plain');
    const [innerB, columns] = lastTwo(b!.shape, transposeB ? 'swapped' : 'plain');
    if (inner !== innerB) {
      throw new UserError(
        `[tensor/matmul] inner sizes differ: a=${showShape(a!.shape)}${transposeA ? ' transposed' : ''}, `
          + `b=${showShape(b!.shape)}${transposeB ? ' transposed' : ''}, ${inner} != ${innerB}. Transpose or reshape one operand.`,
      );
    }
    const batch = broadcastShapes('tensor/matmul', a!.shape.slice(0, -2), b!.shape.slice(0, -2));
    return [{ shape: [...batch, rows, columns], dtype: a!.dtype }];
  },
  vjp({ inputs: [a, b], params: { transposeA, transposeB }, cotangents: [g] }) {
    return [
      () =>
        sumTo(
          transposeA ? matmul(b!, g!, { transposeA: transposeB, transposeB: true }) : matmul(g!, b!, { transposeB: !transposeB }),
          a!.shape,
        ),
      () =>
        sumTo(
          transposeB ? matmul(g!, a!, { transposeA: true, transposeB: transposeA }) : matmul(a!, g!, { transposeA: !transposeA }),
          b!.shape,
        ),
    ];
  },
};

function lastTwo(shape: readonly number[], order: 'plain' | 'swapped'): readonly [number, number] {
  const m = shape[shape.length - 2]!;
  const n = shape[shape.length - 1]!;
  return order === 'swapped' ? [n, m] : [m, n];
}

/** From this inner size on an engine's product of a vector, added up one by one, is off by 10^-5 and more. */
const ENORMOUS = 2 ** 14;

/** The product with one row or column as a sum of products, which engines add in blocks; undefined for what is no such product. */
function asLongSum(a: Tensor, b: Tensor, { transposeA, transposeB }: Required<MatmulOptions>): Tensor | undefined {
  const [rows, inner] = lastTwo(a.shape, transposeA ? 'swapped' : 'plain');
  const [, columns] = lastTwo(b.shape, transposeB ? 'swapped' : 'plain');
  if (inner < ENORMOUS || (rows !== 1 && columns !== 1)) return undefined;
  // The vector lies along the inner axis of the other operand.
  const along = (vector: Tensor, axis: 'last' | 'first'): Tensor =>
    reshape(vector, [...vector.shape.slice(0, -2), ...(axis === 'last' ? [1, inner] : [inner, 1])]);
  const summed =
    columns === 1
      ? sum(mul(a, along(b, transposeA ? 'first' : 'last')), { axes: transposeA ? -2 : -1 })
      : sum(mul(along(a, transposeB ? 'last' : 'first'), b), { axes: transposeB ? -1 : -2 });
  return reshape(summed, [...summed.shape.slice(0, -1), rows, columns]);
}

export interface MatmulOptions {
  /** Read a's last two axes swapped. @default false */
  readonly transposeA?: boolean;
  /** Read b's last two axes swapped. @default false */
  readonly transposeB?: boolean;
}

/**
 * Matrix product over the last two axes; leading axes broadcast.
 *
 * @param a [..., M, K]
 * @param b [..., K, N]
 * @returns [..., M, N]
 * @throws UserError when the inner sizes differ
 * @example
 * matmul(ones([2, 3]), ones([3, 4])).shape; // => [2, 4]
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  const { transposeA = false, transposeB = false } = readOptions('tensor/matmul', options, ['transposeA', 'transposeB']);
  if (shapeOf('tensor/matmul', a).length > 2 && shapeOf('tensor/matmul', b).length === 2 && !transposeA) {
    // One large product instead of many small ones, forward and backward.
    const rows = reshape(a, [sizeOf(a.shape.slice(0, -1)), a.shape[a.rank - 1]!]);
    const product = matmul(rows, b, { transposeB });
    return reshape(product, [...a.shape.slice(0, -1), product.shape[1]!]);
  }
  const product = apply1(matmulOp, [a, b], { transposeA, transposeB });
  return asLongSum(a, b, { transposeA, transposeB }) ?? product;
}
