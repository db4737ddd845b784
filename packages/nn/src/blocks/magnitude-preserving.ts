import {
  add,
  checkNumber,
  concat,
  conv as convolve,
  cos,
  div,
  expandDims,
  lengthOf,
  matmul,
  mul,
  readOptions,
  silu,
  square,
  stopGradient,
  sum,
  UserError,
  type Generator,
  type Tensor,
} from '@langevin/tensor';
import { checkSizes } from '../check-sizes.ts';
import { normal, uniform } from '../init.ts';
import { defineModule, type Layer, type Module } from '../module.ts';

/** Keeps divisions by the length of a vector of zeros finite. */
const EPSILON = 1e-4;

/** The deviation of silu(x) for x ~ N(0, 1). */
const SILU_DEVIATION = 0.596;

/** x / (epsilon + its root mean square over the axes): elements of mean square 1. */
function unitMagnitude(x: Tensor, axes: readonly number[]): Tensor {
  const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  const length = lengthOf(sum(square(x), { axes, dims: 'keep' }));
  return div(x, add(mul(length, Math.sqrt(1 / count)), EPSILON));
}

/** Vectors along an axis with a mean square of 1. Karras et al. 2024 (arXiv:2312.02696), appendix B. */
export function pixelNorm(x: Tensor, axis = 1): Tensor {
  return unitMagnitude(x, [axis]);
}

/** silu(x) / 0.596, of variance 1 where x is normal. Karras et al. 2024 (arXiv:2312.02696), appendix B. */
export function mpSilu(x: Tensor): Tensor {
  return div(silu(x), SILU_DEVIATION);
}

/**
 * ((1 - share) a + share b) / sqrt((1 - share)^2 + share^2): of the magnitude of both where they are independent. Karras et al. 2024
 * (arXiv:2312.02696), eq. 88.
 *
 * @param share of b, in [0, 1]
 * @example
 * await numbers(mpSum(tensor([3]), tensor([4]), 1)); // => [4]
 */
export function mpSum(a: Tensor, b: Tensor, share: number): Tensor {
  checkNumber('nn/mpSum', { share }, { atLeast: 0, atMost: 1 });
  const scale = Math.hypot(1 - share, share);
  return add(mul(a, (1 - share) / scale), mul(b, share / scale));
}

/**
 * Channels of a and b [N, C, ...] one behind the other, b with the given share of the sum of squares however many channels it has, and the
 * magnitude of both kept. Karras et al. 2024 (arXiv:2312.02696), appendix B.
 *
 * @param share in [0, 1]
 */
export function mpConcat(a: Tensor, b: Tensor, share: number): Tensor {
  checkNumber('nn/mpConcat', { share }, { atLeast: 0, atMost: 1 });
  const [ofA, ofB] = [a.shape[1]!, b.shape[1]!];
  const scale = Math.sqrt((ofA + ofB) / ((1 - share) ** 2 + share ** 2));
  return concat([mul(a, (scale * (1 - share)) / Math.sqrt(ofA)), mul(b, (scale * share) / Math.sqrt(ofB))], 1);
}

export interface MpLayerConfig {
  readonly inputs: number;
  readonly outputs: number;
}

export interface MpLayerParams {
  /** [outputs, inputs, ...kernel]: only its directions matter, output by output. */
  readonly filters: Tensor;
}

/** Filters of length 1, so that inputs of mean square 1 that do not depend on each other give outputs of mean square 1. */
function unitFilters(filters: Tensor): Tensor {
  const fanIn = filters.size / filters.shape[0]!;
  return div(forcedFilters(filters), Math.sqrt(fanIn));
}

/** Each filter with a mean square of 1, whatever its length was. */
function forcedFilters(filters: Tensor): Tensor {
  return unitMagnitude(filters, filters.shape.map((_, axis) => axis).slice(1));
}

/**
 * Forced weight normalisation: brings each filter of magnitude-preserving layers back to the length sqrt(inputs times kernel), and leaves
 * other parameters. Given to `learnerRule` as `project`, it follows every update, so that learning rates keep their effect over a run.
 * Karras et al. 2024 (arXiv:2312.02696), appendix B.
 *
 * @example
 * const [first] = await numbers(forceFilterNorms(tensor([[3, 4]]), 'conv.filters'));
 * first!.toFixed(3); // => '0.849'
 * const learner = { optimizer: adam({ beta2: 0.99 }), learningRate: constantSchedule(0.01), project: forceFilterNorms };
 */
export function forceFilterNorms(parameter: Tensor, name: string): Tensor {
  return name === 'filters' || name.endsWith('.filters') ? forcedFilters(parameter) : parameter;
}

/**
 * A convolution of [N, inputs, H, W] by filters of length 1, without bias, of stride 1, which keeps height and width. Karras et al. 2024
 * (arXiv:2312.02696), appendix B.
 *
 * @param config `kernel` is odd
 */
export function mpConv(given: MpLayerConfig & { readonly kernel: number }): Layer<MpLayerParams> {
  const { inputs, outputs, kernel } = readOptions('nn/mpConv', given);
  checkSizes('mpConv', { inputs, outputs, kernel });
  if (kernel % 2 === 0) throw new UserError(`[nn/mpConv] the kernel has no middle: kernel=${kernel}. Give an odd number.`);
  return defineModule({
    init: (generator: Generator): MpLayerParams => ({ filters: normal()(generator, [outputs, inputs, kernel, kernel]) }),
    apply: ({ filters }: MpLayerParams, x: Tensor) => convolve(x, unitFilters(filters), { padding: (kernel - 1) / 2 }),
  });
}

/** A linear layer over the last axis by rows of length 1, without bias: {@link mpConv} of a vector. */
export function mpLinear(given: MpLayerConfig): Layer<MpLayerParams> {
  const { inputs, outputs } = readOptions('nn/mpLinear', given);
  checkSizes('mpLinear', { inputs, outputs });
  return defineModule({
    init: (generator: Generator): MpLayerParams => ({ filters: normal()(generator, [outputs, inputs]) }),
    apply: ({ filters }: MpLayerParams, x: Tensor) => matmul(x, unitFilters(filters), { transposeB: true }),
  });
}

/** Fixed: no gradient flows to them. */
export interface MpFourierParams {
  /** [count], in radians */
  readonly frequencies: Tensor;
  /** [count], in [0, 2 pi) */
  readonly phases: Tensor;
}

/**
 * sqrt(2) cos(frequency t + phase) with random frequencies, 2 pi times normal numbers, and random phases: [N] to [N, count], of mean square
 * 1. Karras et al. 2024 (arXiv:2312.02696), appendix B.
 */
export function mpFourierFeatures(given: { readonly count: number }): Module<MpFourierParams, readonly [t: Tensor], Tensor> {
  const { count } = readOptions('nn/mpFourierFeatures', given);
  checkSizes('mpFourierFeatures', { count });
  return defineModule({
    init: (generator: Generator): MpFourierParams => ({
      frequencies: normal({ deviation: 2 * Math.PI })(generator, [count]),
      phases: uniform(0, 2 * Math.PI)(generator, [count]),
    }),
    apply: ({ frequencies, phases }: MpFourierParams, t: Tensor) =>
      mul(cos(add(mul(expandDims(t, 1), stopGradient(frequencies)), stopGradient(phases))), Math.SQRT2),
  });
}
