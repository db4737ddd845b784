import { sizeOf } from '@langevin/tensor';
import type { ConvParams } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor4D, Tensor5D } from '@tensorflow/tfjs-core';
import { padWith, sliceWith } from './layout.ts';
import type { Padding } from './layout.ts';

/**
 * Convolutions come as [N, C, ...spatial] with 1 to 3 spatial axes; TensorFlow.js wants [N, ...spatial, C] with 2 or 3. One spatial
 * axis becomes two, the first of size 1.
 */

/** x [N, C, L] as [N, C, 1, L]; other ranks as they are. */
export function liftTensor(x: Tensor): Tensor {
  return x.rank === 3 ? tf.reshape(x, [x.shape[0]!, x.shape[1]!, 1, x.shape[2]!]) : x;
}

/** The geometry of a lifted convolution. */
export function liftGeometry<G extends ConvParams>(geometry: G): G {
  if (geometry.strides.length > 1) return geometry;
  return {
    ...geometry,
    strides: [1, ...geometry.strides],
    padding: [[0, 0], ...geometry.padding],
    dilations: [1, ...geometry.dilations],
  };
}

export function channelsLast(x: Tensor): Tensor {
  return tf.transpose(x, [0, ...x.shape.slice(2).map((_, i) => i + 2), 1]);
}

export function channelsFirst(x: Tensor): Tensor {
  return tf.transpose(x, [0, x.rank - 1, ...x.shape.slice(2).map((_, i) => i + 1)]);
}

/** [O, I, ...k] as [...k, I, O]. */
function filterLast(w: Tensor): Tensor {
  return tf.transpose(w, [...w.shape.slice(2).map((_, i) => i + 2), 1, 0]);
}

/** Spread the spatial axes of [.., .., ...spatial]: `steps - 1` zeros between neighbours. */
export function dilate(x: Tensor, steps: readonly number[]): Tensor {
  return steps.reduce((y, step, i) => {
    const n = y.shape[i + 2]!;
    if (step === 1 || n <= 1) return y;
    const outer = sizeOf(y.shape.slice(0, i + 2));
    const inner = sizeOf(y.shape.slice(i + 3));
    const spread = tf.pad(tf.reshape(y, [outer * n, 1, inner]), [
      [0, 0],
      [0, step - 1],
      [0, 0],
    ]);
    const size = (n - 1) * step + 1;
    const trimmed = tf.slice(tf.reshape(spread, [outer, n * step, inner]), [0, 0, 0], [outer, size, inner]);
    return tf.reshape(
      trimmed,
      y.shape.map((m, d) => (d === i + 2 ? size : m)),
    );
  }, x);
}

/** Pad the spatial axes with zeros; negative amounts crop. */
export function padSpatial(x: Tensor, padding: Padding): Tensor {
  const all = [[0, 0] as const, [0, 0] as const, ...padding];
  const padded = padWith(
    x,
    all.map(([before, after]) => [Math.max(before, 0), Math.max(after, 0)] as const),
    0,
  );
  if (all.every(([before, after]) => before >= 0 && after >= 0)) return padded;
  return sliceWith(padded, {
    starts: all.map(([before]) => Math.max(-before, 0)),
    sizes: padded.shape.map((n, d) => n - Math.max(-all[d]![0], 0) - Math.max(-all[d]![1], 0)),
    steps: padded.shape.map(() => 1),
  });
}

/** The TensorFlow.js kernels of {@link convolve}. */
export function convolveNeeds(spatialRank: number, groups: number, channels: number): readonly string[] {
  const common = ['Transpose', 'PadV2', 'Slice', 'Reshape', 'Multiply'];
  if (spatialRank === 3) return groups > 1 ? ['Conv3D', 'Concat', ...common] : ['Conv3D', ...common];
  if (groups === 1) return ['Conv2D', ...common];
  return groups === channels ? ['DepthwiseConv2dNative', 'Conv2D', 'Concat', ...common] : ['Conv2D', 'Concat', ...common];
}

/** x [N, C, ...spatial], w [O, C/groups, ...k] -> [N, O, ...out], spatial rank 2 or 3. */
export function convolve(x: Tensor, w: Tensor, { strides, padding, dilations, groups }: ConvParams): Tensor {
  const padded = padSpatial(x, padding);
  if (isScale(padded, w, { strides, groups })) return tf.mul(padded, tf.reshape(w, [1, -1, ...strides.map(() => 1)]));
  const input = channelsLast(padded);
  const isDepthwise = groups > 1 && groups === x.shape[1]! && strides.length === 2 && strides[0] === strides[1];
  // TensorFlow takes a stride or a dilation, and on the CPU no dilation in 3-D or depthwise: spread the kernel itself then.
  const spreadKernel = dilations.some((d) => d > 1) && (isDepthwise || dilations.length === 3 || strides.some((s) => s > 1));
  const kernel = spreadKernel ? dilate(w, dilations) : w;
  const geometry = { strides, dilations: spreadKernel ? dilations.map(() => 1) : dilations };
  if (groups === 1) return channelsFirst(single(input, kernel, geometry));
  if (isDepthwise) return channelsFirst(depthwise(input, kernel, geometry));
  const inputs = tf.split(input, groups, input.rank - 1);
  const kernels = tf.split(kernel, groups, 0);
  return channelsFirst(
    tf.concat(
      inputs.map((part, g) => single(part, kernels[g]!, geometry)),
      input.rank - 1,
    ),
  );
}

/**
 * Whether each channel is only multiplied by a number of its own. That needs no convolution, and XNNPACK's, on wasm, would be another
 * kernel than for all others (f32-vmulcaddc), which clamps its results to [-infinity, infinity] and by that makes -infinity of NaN.
 */
function isScale(x: Tensor, w: Tensor, { strides, groups }: Pick<ConvParams, 'strides' | 'groups'>): boolean {
  return groups === x.shape[1]! && groups === w.shape[0]! && w.size === groups && strides.every((stride) => stride === 1);
}

type Geometry = Pick<ConvParams, 'strides' | 'dilations'>;

function single(input: Tensor, w: Tensor, { strides, dilations }: Geometry): Tensor {
  const filter = filterLast(w);
  if (input.rank === 4) {
    return tf.conv2d(input as Tensor4D, filter as Tensor4D, pair(strides), 'valid', 'NHWC', pair(dilations));
  }
  return tf.conv3d(input as Tensor5D, filter as Tensor5D, [strides[0]!, strides[1]!, strides[2]!], 'valid', 'NDHWC');
}

/** w [C * m, 1, kh, kw] as [kh, kw, C, m]. */
function depthwise(input: Tensor, w: Tensor, { strides }: Geometry): Tensor {
  const channels = input.shape[3]!;
  const [kh, kw] = [w.shape[2]!, w.shape[3]!];
  const filter = tf.transpose(tf.reshape(w, [channels, w.shape[0]! / channels, kh, kw]), [2, 3, 0, 1]);
  return tf.depthwiseConv2d(input as Tensor4D, filter as Tensor4D, pair(strides), 'valid');
}

function pair(values: readonly number[]): [number, number] {
  return [values[0]!, values[1]!];
}
