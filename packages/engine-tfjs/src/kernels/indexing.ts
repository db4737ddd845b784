import { checkIndices, sizeOf, stridesOf } from '@langevin/tensor';
import type { IndexUse, Shape } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { wrapped } from './integers.ts';
import type { Kernel, KernelFamily } from './kernel.ts';

/**
 * The indices of a node, once they are known to name places: TensorFlow.js' kernels refuse, clamp or write beyond their memory, each in
 * its way. On WebGPU reading them would wait for the device; there the executable checks those that were uploaded.
 */
function placesOf(
  call: { readonly inputs: readonly Tensor[]; readonly backend: string },
  { op, size }: Pick<IndexUse, 'op' | 'size'>,
): Tensor {
  const indices = call.inputs[1]!;
  if (call.backend !== 'webgpu' && call.inputs[0]!.size > 0) checkIndices({ op, size }, indices.dataSync());
  return indices;
}

const gather: Kernel<'gather'> = {
  needs: () => ['GatherV2', 'Reshape'],
  run: (call) => {
    const { inputs, params, inputInfo, outputInfo } = call;
    const indices = placesOf(call, { op: 'gather', size: inputInfo[0]!.shape[params.axis]! });
    const flat = tf.gather(inputs[0]!, tf.reshape(indices, [-1]), params.axis);
    return tf.reshape(flat, [...outputInfo[0]!.shape]);
  },
};

/** ScatterNd adds up repeated indices; it indexes leading axes, so the axis goes first. */
const scatterAdd: Kernel<'scatterAdd'> = {
  needs: () => ['ScatterNd', 'Transpose', 'Reshape'],
  run: (call) => {
    const { inputs, params, inputInfo, outputInfo } = call;
    const { axis, size } = params;
    const indices = placesOf(call, { op: 'scatterAdd', size });
    const count = sizeOf(inputInfo[1]!.shape);
    const { shape, dtype } = outputInfo[0]!;
    const outer = sizeOf(shape.slice(0, axis));
    const inner = sizeOf(shape.slice(axis + 1));
    const updates = tf.transpose(tf.reshape(inputs[0]!, [outer, count, inner]), [1, 0, 2]);
    const scattered = tf.scatterND(tf.reshape(indices, [count, 1]), tf.reshape(updates, [count, outer * inner]), [size, outer * inner]);
    return wrapped(dtype, tf.reshape(tf.transpose(tf.reshape(scattered, [size, outer, inner]), [1, 0, 2]), [...shape]));
  },
};

/** Positions in a flat tensor of `shape` of the elements that `indices` names along `axis`. */
function flatPositions(indices: Tensor, axis: number, shape: Shape): Tensor {
  const strides = stridesOf(shape);
  const along = tf.mul(indices, tf.scalar(strides[axis]!, 'int32'));
  // Built on small ranks, one broadcast per axis, by viewing the other axes as [outer, n, inner].
  const positions = indices.shape.reduce<Tensor>((sum, n, d) => {
    if (d === axis || n === 1) return sum;
    const outer = sizeOf(indices.shape.slice(0, d));
    const inner = sizeOf(indices.shape.slice(d + 1));
    const offsets = tf.mul(tf.range(0, n, 1, 'int32'), tf.scalar(strides[d]!, 'int32'));
    return tf.add(tf.reshape(sum, [outer, n, inner]), tf.reshape(offsets, [1, n, 1]));
  }, along);
  return tf.reshape(positions, [-1]);
}

/** For every position of `indices` (in range) the element of x whose place along `axis` it names. */
export function gatherAlong(x: Tensor, indices: Tensor, axis: number): Tensor {
  return tf.reshape(tf.gather(tf.reshape(x, [-1]), flatPositions(indices, axis, x.shape)), indices.shape);
}

const gatherElements: Kernel<'gatherElements'> = {
  needs: () => ['GatherV2', 'Reshape', 'Multiply', 'Add', 'Range'],
  run: (call) => {
    const { inputs, params, inputInfo, outputInfo } = call;
    const indices = placesOf(call, { op: 'gatherElements', size: inputInfo[0]!.shape[params.axis]! });
    return tf.reshape(gatherAlong(inputs[0]!, indices, params.axis), [...outputInfo[0]!.shape]);
  },
};

const scatterElementsAdd: Kernel<'scatterElementsAdd'> = {
  needs: () => ['ScatterNd', 'Reshape', 'Multiply', 'Add', 'Range'],
  run: (call) => {
    const { inputs, params, outputInfo } = call;
    const { shape, dtype } = outputInfo[0]!;
    const indices = placesOf(call, { op: 'scatterElementsAdd', size: params.size });
    const positions = flatPositions(indices, params.axis, shape);
    const scattered = tf.scatterND(tf.reshape(positions, [-1, 1]), tf.reshape(inputs[0]!, [-1]), [sizeOf(shape)]);
    return wrapped(dtype, tf.reshape(scattered, [...shape]));
  },
};

export const indexing: KernelFamily<'gather' | 'scatterAdd' | 'gatherElements' | 'scatterElementsAdd'> = {
  gather,
  scatterAdd,
  gatherElements,
  scatterElementsAdd,
};
