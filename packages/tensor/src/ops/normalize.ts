import { checkNumber, isWithin, shownValue } from '../check-number.ts';
import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { apply, apply1, type OpDefinition } from '../graph/node.ts';
import { readOptions } from '../read-options.ts';
import { showShape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { add, div, mul, sub } from './binary.ts';
import { axisOf, tensorOf } from './operands.ts';
import { reduceParams, sum } from './sum.ts';
import { broadcastTo, reshape } from './shaping.ts';
import { belowLargest, mean } from './statistics.ts';
import { exp, log, neg, sqrt, square } from './unary.ts';

export const softmaxOp: OpDefinition<'softmax'> = {
  op: 'softmax',
  infer([x]) {
    if (!isFloating(x!.dtype)) throw new UserError(`[tensor/softmax] dtype is not a float: dtype=${x!.dtype}. cast(x, 'float32') first.`);
    return [x!];
  },
  vjp: ({ outputs: [y], params: { axis }, cotangents: [g] }) => [() => mul(y!, sub(g!, sum(mul(g!, y!), { axes: axis, dims: 'keep' })))],
};

/** exp(x) / sum(exp(x)) along an axis. */
export function softmax(x: Tensor, axis = -1): Tensor {
  return apply1(softmaxOp, [x], { axis: axisOf('tensor/softmax', x, axis) });
}

/** x - log(sum(exp(x))) along an axis, as exact for large x as for small ones. */
export function logSoftmax(x: Tensor, axis = -1): Tensor {
  const { axes } = reduceParams('tensor/logSoftmax', x, { axes: axis });
  // Below the largest element: the logarithm, at most that of the count, would be lost when added to a large one.
  const { below } = belowLargest(x, axes);
  return sub(below, log(sum(exp(below), { axes, dims: 'keep' })));
}

export const normalizeOp: OpDefinition<'normalize'> = {
  op: 'normalize',
  infer([x], { axes, epsilon }) {
    const rank = x!.shape.length;
    if (!isFloating(x!.dtype) || !Number.isInteger(axes) || axes < 1 || axes > rank || !isWithin(epsilon, { atLeast: 0 })) {
      throw new UserError(
        `[tensor/normalize] cannot normalise: x=${x!.dtype}${showShape(x!.shape)}, axes=${shownValue(axes)}, `
          + `epsilon=${shownValue(epsilon)}. x is a float with at least that many axes, epsilon >= 0.`,
      );
    }
    const statistics = { shape: x!.shape.map((n, i) => (i < rank - axes ? n : 1)), dtype: x!.dtype };
    return [x!, statistics, statistics];
  },
  vjp({ inputs: [x], outputs: [y, , inverse], params, cotangents: [g, gMean, gInverse] }) {
    const axes = Array.from({ length: params.axes }, (_, i) => x!.rank - 1 - i);
    const count = sizeOf(axes.map((axis) => x!.shape[axis]!));
    const average = (t: Tensor): Tensor => mean(t, { axes, dims: 'keep' });
    return [
      () => {
        const parts: Tensor[] = [];
        if (g) parts.push(mul(inverse!, sub(sub(g, average(g)), mul(y!, average(mul(g, y!))))));
        if (gMean) parts.push(mul(broadcastTo(gMean, x!.shape), 1 / count));
        // d inverse / dx = -inverse^2 y / count
        if (gInverse) parts.push(mul(mul(neg(mul(gInverse, square(inverse!))), y!), 1 / count));
        return parts.reduce(add);
      },
    ];
  },
};

export interface NormOptions {
  /** Added to the variance, so that constant inputs stay finite. @default 1e-5, PyTorch's */
  readonly epsilon?: number;
}

/** Zero mean and unit variance over the last `axes` axes; also the mean and 1/sqrt(variance + epsilon), size 1 on those axes. */
export function normalize(
  x: Tensor,
  options: NormOptions & { readonly axes?: number } = {},
): { readonly y: Tensor; readonly mean: Tensor; readonly inverseDeviation: Tensor } {
  const { axes = 1, epsilon = 1e-5 } = readOptions('tensor/normalize', options, ['axes', 'epsilon']);
  const [y, average, inverse] = apply(normalizeOp, [x], { axes, epsilon });
  return { y: y!, mean: average!, inverseDeviation: inverse! };
}

export interface AffineOptions extends NormOptions {
  readonly scale?: Tensor | undefined;
  readonly bias?: Tensor | undefined;
}

/** Layer norm over the last axis; `scale` and `bias` are [C]. Ba et al. 2016. */
export function layerNorm(x: Tensor, options: AffineOptions = {}): Tensor {
  const { scale, bias, epsilon = 1e-5 } = readOptions('tensor/layerNorm', options, ['scale', 'bias', 'epsilon']);
  const { y } = normalize(x, { epsilon });
  const scaled = scale === undefined ? y : mul(y, tensorOf('tensor/layerNorm', scale));
  return bias === undefined ? scaled : add(scaled, tensorOf('tensor/layerNorm', bias));
}

/** x / sqrt(mean(x^2) + epsilon) over the last axis, times `scale` [C]. Zhang and Sennrich 2019. */
export function rmsNorm(x: Tensor, options: NormOptions & { readonly scale?: Tensor } = {}): Tensor {
  const { scale, epsilon = 1e-6 } = readOptions('tensor/rmsNorm', options, ['scale', 'epsilon']);
  checkNumber('tensor/rmsNorm', { epsilon }, { atLeast: 0 });
  const y = div(x, sqrt(add(mean(square(x), { axes: -1, dims: 'keep' }), epsilon)));
  return scale === undefined ? y : mul(y, tensorOf('tensor/rmsNorm', scale));
}

export const groupNormOp: OpDefinition<'groupNorm'> = {
  op: 'groupNorm',
  infer([x, scale, bias], { groups, epsilon }) {
    const channels = x!.shape[1];
    const fits =
      channels !== undefined && Number.isInteger(groups) && groups >= 1 && channels % groups === 0 && isWithin(epsilon, { atLeast: 0 });
    if (!fits || [scale!, bias!].some((p) => p.shape.length !== 1 || p.shape[0] !== channels || p.dtype !== x!.dtype)) {
      throw new UserError(
        `[tensor/groupNorm] sizes do not fit: x=${showShape(x!.shape)}, groups=${shownValue(groups)}, epsilon=${shownValue(epsilon)}, `
          + `scale=${showShape(scale!.shape)}, bias=${showShape(bias!.shape)}. x is [N, C, ...] with C divisible by groups; `
          + 'scale and bias are [C], epsilon >= 0.',
      );
    }
    return [x!];
  },
  expand([x, scale, bias], { groups, epsilon }) {
    const [n, channels] = x!.shape as readonly [number, number];
    const { y } = normalize(reshape(x!, [n, groups, (channels / groups) * sizeOf(x!.shape.slice(2))]), { epsilon });
    const perChannel = [channels, ...x!.shape.slice(2).map(() => 1)];
    return [add(mul(reshape(y, x!.shape), reshape(scale!, perChannel)), reshape(bias!, perChannel))];
  },
};

export interface GroupNormOptions extends NormOptions {
  readonly groups: number;
  /** [C] */
  readonly scale: Tensor;
  /** [C] */
  readonly bias: Tensor;
}

/** Normalise each group of channels of [N, C, ...] over channels and space. Wu and He 2018. */
export function groupNorm(x: Tensor, options: GroupNormOptions): Tensor {
  const { groups, scale, bias, epsilon = 1e-5 } = readOptions('tensor/groupNorm', options, ['groups', 'scale', 'bias', 'epsilon']);
  return apply1(groupNormOp, [x, scale, bias], { groups, epsilon });
}
