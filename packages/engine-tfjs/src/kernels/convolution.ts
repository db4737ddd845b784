import type { ConvParams } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { channelsFirst, channelsLast, convolve, convolveNeeds, dilate, liftGeometry, liftTensor, padSpatial } from './conv-forward.ts';
import type { Kernel, KernelFamily, NodeSite } from './kernel.ts';
import { sliceWith } from './layout.ts';
import { product, productNeeds } from './matmul.ts';

const conv: Kernel<'conv'> = {
  needs: ({ params, inputInfo }) => convolveNeeds(Math.max(params.strides.length, 2), params.groups, inputInfo[0]!.shape[1]!),
  run: ({ inputs, params, outputInfo }) =>
    tf.reshape(convolve(liftTensor(inputs[0]!), liftTensor(inputs[1]!), liftGeometry(params)), [...outputInfo[0]!.shape]),
};

/**
 * A strided gradient has a kernel of its own in TensorFlow.js; else it is a convolution of the spread gradient. On wasm that kernel
 * is a plain loop, slower than XNNPACK's convolution over the zeros.
 */
function hasInputGradKernel({ params, has, backend }: Pick<NodeSite<'convInputGrad'>, 'params' | 'has' | 'backend'>): boolean {
  return (
    backend !== 'wasm'
    && params.strides.length <= 2
    && params.strides.some((s) => s > 1)
    && params.dilations.every((d) => d === 1)
    && params.groups === 1
    && has('Conv2DBackpropInput')
  );
}

const convInputGrad: Kernel<'convInputGrad'> = {
  needs: (site) => {
    if (hasInputGradKernel(site)) return ['Conv2DBackpropInput', 'Transpose', 'Slice', 'Reshape'];
    const { strides, groups } = site.params;
    return ['Reverse', ...convolveNeeds(Math.max(strides.length, 2), groups, site.inputInfo[0]!.shape[1]!)];
  },
  run: (call) => {
    const geometry = liftGeometry(call.params);
    const spatial = call.params.spatial.length === 1 ? [1, ...call.params.spatial] : call.params.spatial;
    const g = liftTensor(call.inputs[0]!);
    const w = liftTensor(call.inputs[1]!);
    const grad = hasInputGradKernel(call)
      ? nativeInputGrad(g, w, { ...geometry, spatial })
      : flippedConvolution(g, w, { ...geometry, spatial });
    return tf.reshape(grad, [...call.outputInfo[0]!.shape]);
  },
};

type InputGradGeometry = ConvParams & { readonly spatial: readonly number[] };

function nativeInputGrad(g: Tensor, w: Tensor, { strides, padding, spatial }: InputGradGeometry): Tensor {
  const padded = spatial.map((n, i) => n + padding[i]![0] + padding[i]![1]);
  const grad = tf.conv2dTranspose(
    channelsLast(g) as Tensor4D,
    tf.transpose(w, [2, 3, 1, 0]) as Tensor4D,
    [g.shape[0]!, padded[0]!, padded[1]!, w.shape[1]!],
    [strides[0]!, strides[1]!],
    'valid',
  );
  return padSpatial(
    channelsFirst(grad),
    padding.map(([before, after]) => [-before, -after] as const),
  );
}

/**
 * Output o meets input i through tap t where o * stride + t * dilation = i + before. With the gradient spread by the stride and the
 * taps reversed, that is a convolution of stride 1 whose padding may be negative.
 */
function flippedConvolution(g: Tensor, w: Tensor, { strides, padding, dilations, groups, spatial }: InputGradGeometry): Tensor {
  const spread = dilate(g, strides);
  const full = spatial.map((n, i) => {
    const before = dilations[i]! * (w.shape[i + 2]! - 1) - padding[i]![0];
    return [before, n + padding[i]![0] - spread.shape[i + 2]!] as const;
  });
  return convolve(padSpatial(spread, full), flipKernel(w, groups), {
    strides: strides.map(() => 1),
    padding: strides.map(() => [0, 0] as const),
    dilations,
    groups,
  });
}

/** w [O, C/groups, ...k] with reversed taps as [C, O/groups, ...k]. All spatial axes reversed are the flat list of taps reversed. */
function flipKernel(w: Tensor, groups: number): Tensor {
  const [out, into] = [w.shape[0]! / groups, w.shape[1]!];
  const flipped = tf.reverse(tf.reshape(w, [groups, out, into, -1]), 3);
  return tf.reshape(tf.transpose(flipped, [0, 2, 1, 3]), [groups * into, out, ...w.shape.slice(2)]);
}

function hasWeightGradKernel({ params, has }: Pick<NodeSite<'convWeightGrad'>, 'params' | 'has'>): boolean {
  return params.strides.length <= 2 && params.dilations.every((d) => d === 1) && params.groups === 1 && has('Conv2DBackpropFilter');
}

const convWeightGrad: Kernel<'convWeightGrad'> = {
  needs: (site) =>
    hasWeightGradKernel(site)
      ? ['Conv2DBackpropFilter', 'Transpose', 'PadV2', 'Reshape']
      : ['Transpose', 'PadV2', 'Slice', 'StridedSlice', 'Reshape', 'Pack', ...productNeeds(site.backend)],
  run: (call) => {
    const geometry = liftGeometry(call.params);
    const kernel = call.params.kernel.length === 1 ? [1, ...call.params.kernel] : call.params.kernel;
    const x = padSpatial(liftTensor(call.inputs[0]!), geometry.padding);
    const g = liftTensor(call.inputs[1]!);
    const grad = hasWeightGradKernel(call)
      ? nativeWeightGrad(x, g, { ...geometry, kernel })
      : weightGradByTaps(x, g, { ...geometry, kernel, backend: call.backend });
    return tf.reshape(grad, [...call.outputInfo[0]!.shape]);
  },
};

type WeightGradGeometry = ConvParams & { readonly kernel: readonly number[] };

function nativeWeightGrad(x: Tensor, g: Tensor, { strides, kernel }: WeightGradGeometry): Tensor {
  const attributes = {
    strides: [...strides],
    pad: 'valid',
    dataFormat: 'NHWC',
    filterShape: [kernel[0]!, kernel[1]!, x.shape[1]!, g.shape[1]!],
  };
  const grad: Tensor = tf.engine().runKernel('Conv2DBackpropFilter', { x: channelsLast(x), dy: channelsLast(g) }, attributes);
  return tf.transpose(grad, [3, 2, 0, 1]);
}

/** One matrix product per tap, over all positions of all images: x shifted [C, positions] by g [positions, O], in each group. */
function weightGradByTaps(
  x: Tensor,
  g: Tensor,
  { strides, dilations, groups, kernel, backend }: WeightGradGeometry & { readonly backend: string },
): Tensor {
  const input = channelsLast(x);
  const grad = channelsLast(g);
  const out = grad.shape.slice(1, -1);
  const grouped = (t: Tensor) => tf.reshape(t, [-1, groups, t.shape[t.rank - 1]! / groups]);
  const right = tf.transpose(grouped(grad), [1, 0, 2]) as Tensor3D;
  const taps = positionsOf(kernel).map((tap) =>
    tf.tidy(() => {
      const shifted = sliceWith(input, {
        starts: [0, ...tap.map((t, i) => t * dilations[i]!), 0],
        sizes: [input.shape[0]!, ...out, input.shape[input.rank - 1]!],
        steps: [1, ...strides, 1],
      });
      return product(tf.transpose(grouped(shifted), [1, 2, 0]) as Tensor3D, right, { backend });
    }),
  );
  // [taps, groups, C/groups, O/groups] -> [groups, O/groups, C/groups, taps]
  return tf.transpose(tf.stack(taps), [1, 3, 2, 0]);
}

function positionsOf(kernel: readonly number[]): number[][] {
  return kernel.reduce<number[][]>((heads, n) => heads.flatMap((head) => Array.from({ length: n }, (_, i) => [...head, i])), [[]]);
}

export const convolution: KernelFamily<'conv' | 'convInputGrad' | 'convWeightGrad'> = { conv, convInputGrad, convWeightGrad };
