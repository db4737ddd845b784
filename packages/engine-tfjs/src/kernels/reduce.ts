import * as tf from '@tensorflow/tfjs-core';
import { wrapped } from './integers.ts';
import type { Kernel, KernelFamily } from './kernel.ts';
import { aroundAxis } from './layout.ts';

const sum: Kernel<'sum'> = {
  needs: () => ['Sum'],
  run: ({ inputs, params, outputInfo }) => wrapped(outputInfo[0]!.dtype, tf.sum(inputs[0]!, [...params.axes], params.keepDims)),
};

const max: Kernel<'max'> = {
  needs: () => ['Max'],
  run: ({ inputs, params }) => tf.max(inputs[0]!, [...params.axes], params.keepDims),
};

/** The result of a vector comes as [1] from WebGPU, hence the reshape. */
const argMax: Kernel<'argMax'> = {
  needs: () => ['ArgMax', 'Reshape'],
  run: ({ inputs, params, outputInfo }) => tf.reshape(tf.argMax(inputs[0]!, params.axis), [...outputInfo[0]!.shape]),
};

/** In reverse as a flip, because WebGPU's own reverse is wrong on any axis but the last. */
const cumsum: Kernel<'cumsum'> = {
  needs: ({ params, inputInfo, backend }) => {
    // Its shader for int32 does not compile (4.22), which shows only as a wrong result.
    const kernel = backend === 'webgpu' && inputInfo[0]!.dtype !== 'float32' ? 'Cumsum of int32' : 'Cumsum';
    return [kernel, 'Reshape', 'Transpose', ...(params.direction === 'reverse' ? ['Reverse'] : [])];
  },
  run: ({ inputs, params: { axis, direction }, outputInfo }) => {
    const { shape, dtype } = outputInfo[0]!;
    const x = tf.transpose(aroundAxis(inputs[0]!, axis), [0, 2, 1]);
    const running = direction === 'forward' ? tf.cumsum(x, 2) : tf.reverse(tf.cumsum(tf.reverse(x, 2), 2), 2);
    return wrapped(dtype, tf.reshape(tf.transpose(running, [0, 2, 1]), [...shape]));
  },
};

/** TensorFlow.js' topk works on the last axis, takes the largest, and orders equal elements by rising index. */
const topKIndices: Kernel<'topKIndices'> = {
  needs: () => ['TopK', 'Transpose', 'Neg', 'Sub'],
  run: ({ inputs, params: { axis, k, order } }) => {
    const x = inputs[0]!;
    // -1 - x reverses the order of int32 without overflow at -2^31.
    const keys = order === 'largest' ? x : x.dtype === 'int32' ? tf.sub(tf.scalar(-1, 'int32'), x) : tf.neg(x);
    const last = x.rank - 1;
    if (axis === last) return tf.topk(keys, k, true).indices;
    const swap = Array.from({ length: x.rank }, (_, i) => (i === axis ? last : i === last ? axis : i));
    return tf.transpose(tf.topk(tf.transpose(keys, swap), k, true).indices, swap);
  },
};

/** TensorFlow.js' softmax works on the last axis only. */
const softmax: Kernel<'softmax'> = {
  needs: ({ params, inputInfo }) =>
    params.axis === inputInfo[0]!.shape.length - 1 ? ['Softmax'] : ['Max', 'Sub', 'Exp', 'Sum', 'RealDiv'],
  run: ({ inputs, params: { axis } }) => {
    const x = inputs[0]!;
    if (axis === x.rank - 1) return tf.softmax(x);
    const e = tf.exp(tf.sub(x, tf.max(x, axis, true)));
    return tf.div(e, tf.sum(e, axis, true));
  },
};

const normalize: Kernel<'normalize'> = {
  needs: () => ['Mean', 'Sub', 'Square', 'Add', 'Rsqrt', 'Multiply'],
  run: ({ inputs, params: { axes, epsilon } }) => {
    const x = inputs[0]!;
    const over = Array.from({ length: axes }, (_, i) => x.rank - axes + i);
    const mean = tf.mean(x, over, true);
    const centred = tf.sub(x, mean);
    const inverseDeviation = tf.rsqrt(tf.add(tf.mean(tf.square(centred), over, true), epsilon));
    return [tf.mul(centred, inverseDeviation), mean, inverseDeviation];
  },
};

export const reduce: KernelFamily<'sum' | 'max' | 'argMax' | 'cumsum' | 'topKIndices' | 'softmax' | 'normalize'> = {
  sum,
  max,
  argMax,
  cumsum,
  topKIndices,
  softmax,
  normalize,
};
