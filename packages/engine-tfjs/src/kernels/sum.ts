import { sizeOf } from '@langevin/tensor';
import type { Shape } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';

/**
 * All backends but `cpu`, which adds in float64, add float32 one after another, and the error of such a sum grows with its length: 2^-20
 * after 128 additions of 0.1, 4 % after 2e7. Longer sums are made of blocks, and of blocks of their sums. Neighbours make a block, because
 * wasm transposes what is not summed along the last axis, and is fast at that when it moves little at a time.
 */
const BLOCK = 32;

export function sumNeeds(backend: string): readonly string[] {
  return backend === 'cpu' ? ['Sum', 'Reshape'] : ['Sum', 'Reshape', 'Slice', 'Add'];
}

export interface Summed {
  readonly axes: readonly number[];
  /** The shape of the result, reduced axes kept or not. */
  readonly out: Shape;
  readonly backend: string;
}

/** The sum of a float32 tensor over `axes`, in blocks where it is long. */
export function sumInBlocks(x: Tensor, { axes, out, backend }: Summed): Tensor {
  const count = sizeOf(axes.map((axis) => x.shape[axis]!));
  if (backend === 'cpu' || count <= BLOCK) return tf.reshape(tf.sum(x, [...axes]), [...out]);
  const shape = [...x.shape];
  let value = x;
  for (const axis of axes.toReversed()) {
    value = sumMiddle(tf.reshape(value, [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1))]));
    shape[axis] = 1;
  }
  return tf.reshape(value, [...out]);
}

/** [outer, count, inner] -> [outer, inner]. */
function sumMiddle(x: Tensor3D): Tensor {
  const [outer, count, inner] = x.shape;
  if (count <= BLOCK) return tf.sum(x, 1);
  const block = largestDivisor(count);
  if (block < BLOCK / 4) {
    const whole = count - (count % BLOCK);
    const part = (start: number, size: number): Tensor => sumMiddle(tf.slice(x, [0, start, 0], [outer, size, inner]));
    return tf.add(part(0, whole), part(whole, count - whole));
  }
  const blocks = count / block;
  return sumMiddle(tf.reshape(tf.sum(tf.reshape(x, [outer * blocks, block, inner]), 1), [outer, blocks, inner]));
}

function largestDivisor(count: number): number {
  for (let divisor = BLOCK; divisor > 1; divisor--) if (count % divisor === 0) return divisor;
  return 1;
}
