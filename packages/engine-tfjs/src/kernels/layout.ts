import { sizeOf } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { storedNumber } from '../storage.ts';
import { broadcast } from './elementwise.ts';
import type { Kernel, KernelFamily } from './kernel.ts';

/** WebGPU pads and slices at most 4 axes; XNNPACK, under the wasm backend, pads at most 6. Both return zeros for more. */
const MAX_RANK = 4;

export type Padding = readonly (readonly [before: number, after: number])[];

/** A constant border of any rank. */
export function padWith(x: Tensor, padding: Padding, value: number): Tensor {
  if (padding.every(([before, after]) => before === 0 && after === 0)) return x;
  if (x.rank <= MAX_RANK)
    return tf.pad(
      x,
      padding.map(([before, after]) => [before, after] as [number, number]),
      value,
    );
  return padding.reduce((y, [before, after], axis) => {
    if (before === 0 && after === 0) return y;
    const padded = tf.pad(
      aroundAxis(y, axis),
      [
        [0, 0],
        [before, after],
        [0, 0],
      ],
      value,
    );
    return tf.reshape(
      padded,
      y.shape.map((n, i) => (i === axis ? n + before + after : n)),
    );
  }, x);
}

/** x [.., n, ..] as [outer, n, inner]: whatever its rank, three axes that every backend handles. */
export function aroundAxis(x: Tensor, axis: number): Tensor {
  return tf.reshape(x, [sizeOf(x.shape.slice(0, axis)), x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))]);
}

/** WebGPU reverses at most 4 axes and returns a tensor of another shape for more. */
export function reverseAxes(x: Tensor, axes: readonly number[]): Tensor {
  return axes.reduce((y, axis) => tf.reshape(tf.reverse(aroundAxis(y, axis), 1), [...x.shape]), x);
}

export interface SliceSpec {
  readonly starts: readonly number[];
  readonly sizes: readonly number[];
  readonly steps: readonly number[];
}

/** Elements start, start + step, ... on every axis. */
export function sliceWith(x: Tensor, spec: SliceSpec): Tensor {
  if (x.rank <= MAX_RANK) return sliceSmall(x, spec);
  return spec.sizes.reduce((y, size, axis) => {
    if (size === y.shape[axis]!) return y;
    const view = aroundAxis(y, axis);
    const [outer, , inner] = view.shape as [number, number, number];
    const part = sliceSmall(view, { starts: [0, spec.starts[axis]!, 0], sizes: [outer, size, inner], steps: [1, spec.steps[axis]!, 1] });
    return tf.reshape(
      part,
      y.shape.map((n, i) => (i === axis ? size : n)),
    );
  }, x);
}

function sliceSmall(x: Tensor, { starts, sizes, steps }: SliceSpec): Tensor {
  if (steps.every((step, axis) => step === 1 || sizes[axis]! <= 1)) return tf.slice(x, [...starts], [...sizes]);
  const extents = sizes.map((size, axis) => (size - 1) * steps[axis]! + 1);
  if (x.dtype !== 'int32')
    return tf.stridedSlice(
      x,
      [...starts],
      starts.map((start, axis) => start + extents[axis]!),
      [...steps],
    );
  // StridedSlice on wasm returns int32 data labelled float32.
  return steps.reduce(
    (y, step, axis) => (step === 1 ? y : tf.gather(y, tf.range(0, extents[axis]!, step, 'int32'), axis)),
    tf.slice(x, [...starts], extents),
  );
}

const reshape: Kernel<'reshape'> = {
  needs: () => ['Reshape'],
  run: ({ inputs, params }) => tf.reshape(inputs[0]!, [...params.shape]),
};

const transpose: Kernel<'transpose'> = {
  needs: () => ['Transpose'],
  run: ({ inputs, params }) => tf.transpose(inputs[0]!, [...params.permutation]),
};

const broadcastTo: Kernel<'broadcastTo'> = {
  needs: () => ['Tile', 'Reshape'],
  run: ({ inputs, params }) => broadcast(inputs[0]!, params.shape),
};

const slice: Kernel<'slice'> = {
  needs: ({ params, inputInfo }) =>
    params.steps.every((step) => step === 1)
      ? ['Slice', 'Reshape']
      : inputInfo[0]!.dtype === 'float32'
        ? ['Slice', 'StridedSlice', 'Reshape']
        : ['Slice', 'GatherV2', 'Range', 'Reshape'],
  run: ({ inputs, params }) => sliceWith(inputs[0]!, params),
};

const pad: Kernel<'pad'> = {
  needs: () => ['PadV2'],
  run: ({ inputs, params, outputInfo }) => padWith(inputs[0]!, params.padding, storedNumber(outputInfo[0]!.dtype, params.value)),
};

const concat: Kernel<'concat'> = {
  needs: () => ['Concat'],
  run: ({ inputs, params }) => {
    const parts = inputs.filter((x) => x.size > 0);
    return parts.length === 1 ? parts[0]! : tf.concat(parts, params.axis);
  },
};

const flip: Kernel<'flip'> = {
  needs: () => ['Reverse', 'Reshape'],
  run: ({ inputs, params }) => reverseAxes(inputs[0]!, params.axes),
};

/** Nodes run in program order, so the token is already computed. */
const barrier: Kernel<'barrier'> = {
  needs: () => [],
  run: ({ inputs }) => inputs[0]!,
};

export const layout: KernelFamily<'reshape' | 'transpose' | 'broadcastTo' | 'slice' | 'pad' | 'concat' | 'flip' | 'barrier'> = {
  reshape,
  transpose,
  broadcastTo,
  slice,
  pad,
  concat,
  flip,
  barrier,
};
