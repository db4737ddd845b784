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
  needs: () => ['BatchMatMul', 'Reshape', 'Tile'],
  run: ({ inputs, params: { transposeA, transposeB }, outputInfo }) => {
    const [a, b] = [inputs[0]!, inputs[1]!];
    const { shape } = outputInfo[0]!;
    const leadA = a.shape.slice(0, -2);
    const leadB = b.shape.slice(0, -2);
    if (sizeOf(leadB) === 1 && sizeOf(leadA) > 1 && !transposeA) {
      const tall = tf.reshape(a, [1, -1, a.shape[a.rank - 1]!]);
      return tf.reshape(tf.matMul(tall, stack(b, []), false, transposeB), [...shape]);
    }
    const lead = broadcastShapes('engine-tfjs/matmul', leadA, leadB);
    return tf.reshape(tf.matMul(stack(a, lead), stack(b, lead), transposeA, transposeB), [...shape]);
  },
};

/** [..., M, K] as [B, M, K] after broadcasting the leading axes to `lead`. */
function stack(x: Tensor, lead: Shape): Tensor3D {
  const matrix = x.shape.slice(-2);
  const source = lead.length === 0 ? x : broadcast(x, [...lead, ...matrix]);
  return tf.reshape(source, [sizeOf(lead), matrix[0]!, matrix[1]!]);
}

export const linear: KernelFamily<'matmul'> = { matmul };
