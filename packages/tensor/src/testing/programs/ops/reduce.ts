import {
  argMax,
  cumsum,
  groupNorm,
  layerNorm,
  logSoftmax,
  logSumExp,
  max,
  mean,
  min,
  normalize,
  quantile,
  type ReduceOptions,
  rmsNorm,
  softmax,
  sort,
  std,
  sum,
  type Tensor,
  topK,
  variance,
} from '../../../index.ts';
import type { Attributes } from '../spec.ts';
import type { ProgramOp } from './index.ts';

type Order = 'largest' | 'smallest';

const options = ({ axes, dims }: Attributes): ReduceOptions => ({
  ...(axes === undefined ? {} : { axes: axes as readonly number[] }),
  dims: dims as 'keep' | 'drop',
});

const reduction =
  (fn: (x: Tensor, options: ReduceOptions) => Tensor): ProgramOp =>
  ([x], attributes) =>
    fn(x!, options(attributes));

const spread =
  (fn: (x: Tensor, options: ReduceOptions & { readonly correction: number }) => Tensor): ProgramOp =>
  ([x], attributes) =>
    fn(x!, { ...options(attributes), correction: attributes['correction'] as number });

const epsilonOf = ({ epsilon }: Attributes): number => epsilon as number;

export const reduceOps: Readonly<Record<string, ProgramOp>> = {
  sum: reduction(sum),
  mean: reduction(mean),
  max: reduction(max),
  min: reduction(min),
  logSumExp: reduction(logSumExp),
  variance: spread(variance),
  std: spread(std),
  argMax: ([x], { axis }) => argMax(x!, axis as number),
  cumsum: ([x], { axis, direction }) => cumsum(x!, { axis: axis as number, direction: direction as 'forward' | 'reverse' }),
  softmax: ([x], { axis }) => softmax(x!, axis as number),
  logSoftmax: ([x], { axis }) => logSoftmax(x!, axis as number),
  /** `part` chooses one of its three results. */
  normalize: ([x], attributes) => {
    const { y, mean, inverseDeviation } = normalize(x!, { axes: attributes['axes'] as number, epsilon: epsilonOf(attributes) });
    return { y, mean, inverseDeviation }[attributes['part'] as 'y' | 'mean' | 'inverseDeviation'];
  },
  layerNorm: ([x, scale, bias], attributes) => layerNorm(x!, { scale, bias, epsilon: epsilonOf(attributes) }),
  rmsNorm: ([x, scale], attributes) => rmsNorm(x!, { ...(scale ? { scale } : {}), epsilon: epsilonOf(attributes) }),
  groupNorm: ([x, scale, bias], attributes) =>
    groupNorm(x!, { groups: attributes['groups'] as number, scale: scale!, bias: bias!, epsilon: epsilonOf(attributes) }),
  sort: ([x], { axis, order, part }) => sort(x!, { axis: axis as number, order: order as Order })[part as 'values' | 'indices'],
  topK: ([x], { axis, order, k, part }) =>
    topK(x!, k as number, { axis: axis as number, order: order as Order })[part as 'values' | 'indices'],
  quantile: ([x], { q, axis }) => quantile(x!, q as number, axis as number),
};
