import { sizeOf } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import type { Rank, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import { gatherAlong } from './indexing.ts';
import { asFlags, wrapped } from './integers.ts';
import type { Kernel, KernelFamily } from './kernel.ts';
import { aroundAxis } from './layout.ts';
import { sumInBlocks, sumNeeds } from './sum.ts';

const sum: Kernel<'sum'> = {
  needs: ({ backend }) => sumNeeds(backend),
  run: ({ inputs, params: { axes, keepDims }, outputInfo, backend }) => {
    const { shape, dtype } = outputInfo[0]!;
    if (dtype === 'float32') return sumInBlocks(inputs[0]!, { axes, out: shape, backend });
    return wrapped(dtype, tf.sum(inputs[0]!, [...axes], keepDims));
  },
};

const max: Kernel<'max'> = {
  needs: () => ['Max'],
  run: ({ inputs, params }) => tf.max(inputs[0]!, [...params.axes], params.keepDims),
};

/**
 * TensorFlow.js passes over NaN, which is the largest: where there is one, the first of them is what is sought. The result of a vector
 * comes as [1] from WebGPU, hence the reshapes.
 */
const argMax: Kernel<'argMax'> = {
  needs: () => ['ArgMax', 'Reshape', 'NotEqual', 'Cast', 'Max', 'Multiply', 'Sub', 'Add'],
  run: ({ inputs, params: { axis }, outputInfo }) => {
    const shape = [...outputInfo[0]!.shape];
    const first = (values: Tensor): Tensor => tf.reshape(tf.argMax(values, axis), shape);
    const x = inputs[0]!;
    if (x.dtype !== 'float32') return first(x);
    const marks = nanMarks(x);
    const isMarked = tf.reshape(tf.max(marks, axis), shape);
    const found = first(x);
    return tf.add(found, tf.mul(isMarked, tf.sub(first(marks), found)));
  },
};

/** 1 where an element is NaN, else 0, int32. */
function nanMarks(x: Tensor): Tensor {
  return asFlags(tf.notEqual(x, x));
}

/** Longer running sums are added in blocks, each of which begins with the running sum of the blocks before. */
const RUN = 32;

/** [rows, n] -> running sums of each row. */
function runningSums(x: Tensor2D): Tensor2D {
  const [rows, n] = x.shape;
  if (x.dtype !== 'float32' || n <= RUN) return tf.cumsum(x, 1);
  const whole = Math.ceil(n / RUN) * RUN;
  const padded = whole === n ? x : tf.concat([x, tf.zeros<Rank.R2>([rows, whole - n])], 1);
  const inner = tf.cumsum(tf.reshape(padded, [rows * (whole / RUN), RUN]), 1) as Tensor2D;
  const totals = tf.reshape(tf.slice(inner, [0, RUN - 1], [-1, 1]), [rows, whole / RUN]) as Tensor2D;
  // Not the running sum less its own total: that would round once more.
  const before = tf.concat([tf.zeros<Rank.R2>([rows, 1]), tf.slice(runningSums(totals), [0, 0], [rows, whole / RUN - 1])], 1);
  const sums = tf.reshape(tf.add(inner, tf.reshape(before, [rows * (whole / RUN), 1])), [rows, whole]) as Tensor2D;
  return whole === n ? sums : tf.slice(sums, [0, 0], [rows, n]);
}

/** In reverse as a flip, because WebGPU's own reverse is wrong on any axis but the last. */
const cumsum: Kernel<'cumsum'> = {
  needs: ({ params, inputInfo, backend }) => {
    // Its shader for int32 does not compile (4.22), which shows only as a wrong result.
    const kernel = backend === 'webgpu' && inputInfo[0]!.dtype !== 'float32' ? 'Cumsum of int32' : 'Cumsum';
    return [kernel, 'Reshape', 'Transpose', 'Concat', 'Slice', 'Add', 'Fill', ...(params.direction === 'reverse' ? ['Reverse'] : [])];
  },
  run: ({ inputs, params: { axis, direction }, outputInfo }) => {
    const { shape, dtype } = outputInfo[0]!;
    const x = tf.transpose(aroundAxis(inputs[0]!, axis), [0, 2, 1]);
    const flip = (t: Tensor): Tensor => (direction === 'forward' ? t : tf.reverse(t, 2));
    const running = tf.reshape(runningSums(tf.reshape(flip(x), [-1, shape[axis]!])), x.shape);
    return wrapped(dtype, tf.reshape(tf.transpose(flip(running), [0, 2, 1]), [...shape]));
  },
};

/**
 * TensorFlow.js' topk works on the last axis, takes the largest, and orders equal elements by rising index. NaN confuses it: floats are put
 * in order with infinity in its place, then those that are NaN apart from the others.
 */
const topKIndices: Kernel<'topKIndices'> = {
  needs: () => ['TopK', 'Transpose', 'Neg', 'Sub', 'NotEqual', 'Cast', 'Select', 'GatherV2', 'Reshape', 'Multiply', 'Add', 'Range'],
  run: ({ inputs, params: { axis, k, order } }) => {
    const x = inputs[0]!;
    const last = x.rank - 1;
    const swap = Array.from({ length: x.rank }, (_, i) => (i === axis ? last : i === last ? axis : i));
    const swapped = (t: Tensor): Tensor => (axis === last ? t : tf.transpose(t, swap));
    // -1 - x reverses the order of int32 without overflow at -2^31.
    const first = (values: Tensor, count: number): Tensor => {
      const reversed = values.dtype === 'int32' ? tf.sub(tf.scalar(-1, 'int32'), values) : tf.neg(values);
      return tf.topk(order === 'largest' ? values : reversed, count, true).indices;
    };
    const rows = swapped(x);
    if (x.dtype !== 'float32') return swapped(first(rows, k));
    const marks = nanMarks(rows);
    const all = first(tf.where(tf.cast(marks, 'bool'), tf.fill(rows.shape, Infinity), rows), rows.shape[last]!);
    const places = first(gatherAlong(marks, all, last), k);
    return swapped(gatherAlong(all, places, last));
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
  needs: ({ backend }) => [...sumNeeds(backend), 'RealDiv', 'Sub', 'Square', 'Add', 'Rsqrt', 'Multiply'],
  run: ({ inputs, params: { axes: count, epsilon }, outputInfo, backend }) => {
    const x = inputs[0]!;
    const axes = Array.from({ length: count }, (_, i) => x.rank - count + i);
    const out = outputInfo[1]!.shape;
    const average = (values: Tensor): Tensor => tf.div(sumInBlocks(values, { axes, out, backend }), x.size / sizeOf(out));
    const mean = average(x);
    const centred = tf.sub(x, mean);
    const inverseDeviation = tf.rsqrt(tf.add(average(tf.square(centred)), epsilon));
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
