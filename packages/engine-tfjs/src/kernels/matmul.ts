import { broadcastShapes, sizeOf } from '@langevin/tensor';
import type { Shape } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import { broadcast } from './elementwise.ts';
import type { Kernel, KernelFamily } from './kernel.ts';

/**
 * Backends disagree on broadcasting of leading axes (some repeat the shorter one cyclically, some refuse), so they see [B, M, K] x
 * [B, K, N] only; one weight for a whole batch becomes a single tall product instead of B copies.
 */
const matmul: Kernel<'matmul'> = {
  needs: ({ backend }) => ['Reshape', 'Tile', ...productNeeds(backend)],
  run: ({ inputs, params: { transposeA, transposeB }, outputInfo, backend }) => {
    const [a, b] = [inputs[0]!, inputs[1]!];
    const { shape } = outputInfo[0]!;
    const leadA = a.shape.slice(0, -2);
    const leadB = b.shape.slice(0, -2);
    if (sizeOf(leadB) === 1 && sizeOf(leadA) > 1 && !transposeA) {
      const tall: Tensor3D = tf.reshape(a, [1, -1, a.shape[a.rank - 1]!]);
      return tf.reshape(product(tall, stack(b, []), { transposeA, transposeB, backend }), [...shape]);
    }
    const lead = broadcastShapes('engine-tfjs/matmul', leadA, leadB);
    return tf.reshape(product(stack(a, lead), stack(b, lead), { transposeA, transposeB, backend }), [...shape]);
  },
};

/** [..., M, K] as [B, M, K] after broadcasting the leading axes to `lead`. */
function stack(x: Tensor, lead: Shape): Tensor3D {
  const matrix = x.shape.slice(-2);
  const source = lead.length === 0 ? x : broadcast(x, [...lead, ...matrix]);
  return tf.reshape(source, [sizeOf(lead), matrix[0]!, matrix[1]!]);
}

export interface ProductOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly backend: string;
}

export function productNeeds(backend: string): readonly string[] {
  return backend === 'wasm' ? ['BatchMatMul', 'Transpose', 'Pack', 'Unpack'] : ['BatchMatMul'];
}

/** Below this many multiply-adds a product is cheaper in wasm's plain loop than as a call of its own. */
const XNNPACK_FROM = 2 ** 16;

/**
 * [B, M, K] x [B, K, N]. On wasm only a single product without transposition reaches XNNPACK, which is an order of magnitude faster than
 * the plain loop that serves the rest: operands are transposed, and batches taken apart, to get there.
 */
export function product(a: Tensor3D, b: Tensor3D, { transposeA = false, transposeB = false, backend }: ProductOptions): Tensor {
  const [, rows, inner] = transposeA ? [0, a.shape[2], a.shape[1]] : a.shape;
  const columns = transposeB ? b.shape[1] : b.shape[2];
  if (backend !== 'wasm' || rows * inner * columns < XNNPACK_FROM) return tf.matMul(a, b, transposeA, transposeB);
  const left = transposeA ? tf.transpose(a, [0, 2, 1]) : a;
  const right = transposeB ? tf.transpose(b, [0, 2, 1]) : b;
  if (left.shape[0] === 1) return tf.matMul(left, right);
  const rights = tf.unstack(right);
  return tf.stack(tf.unstack(left).map((matrix, i) => tf.matMul(matrix, rights[i]!)));
}

export const linear: KernelFamily<'matmul'> = { matmul };
