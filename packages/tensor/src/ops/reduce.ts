import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import type { ReduceParams } from '../graph/primitives.ts';
import { normalizeAxes, normalizeAxis, sameShape, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { div, mul } from './binary.ts';
import { equal } from './compare.ts';
import { broadcastTo, reshape } from './shaping.ts';
import { cast, neg } from './unary.ts';

export interface ReduceOptions {
  /** Which axes; negative ones count from the end. @default all */
  readonly axes?: number | readonly number[];
  /** Whether reduced axes stay, with size 1. @default 'drop' */
  readonly dims?: 'keep' | 'drop';
}

function reducedShape(shape: Shape, { axes, keepDims }: ReduceParams): Shape {
  return keepDims ? shape.map((n, i) => (axes.includes(i) ? 1 : n)) : shape.filter((_, i) => !axes.includes(i));
}

/** A reduced tensor with its axes back, as size 1. */
function withAxes(y: Tensor, x: Tensor, axes: readonly number[]): Tensor {
  return reshape(
    y,
    x.shape.map((n, i) => (axes.includes(i) ? 1 : n)),
  );
}

/** The axes of a reduction, checked. */
export function reduceParams(where: string, x: Tensor, options: ReduceOptions): ReduceParams {
  return { axes: normalizeAxes(where, options.axes, x.rank), keepDims: options.dims === 'keep' };
}

export const sumOp: OpDefinition<'sum'> = {
  op: 'sum',
  infer([x], params) {
    if (x!.dtype === 'bool') throw new UserError(`[tensor/sum] dtype has no arithmetic: dtype=bool. cast(x, 'int32') to count.`);
    return [{ shape: reducedShape(x!.shape, params), dtype: x!.dtype }];
  },
  vjp: ({ inputs: [x], params, cotangents: [g] }) => [
    isFloating(x!.dtype) ? () => broadcastTo(withAxes(g!, x!, params.axes), x!.shape) : undefined,
  ],
};

/**
 * Sum along axes. Engines add in blocks, so that the error does not grow with the count (1e-6 for any number of equal terms).
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  const params = reduceParams('tensor/sum', x, options);
  return params.axes.length === 0 ? x : apply1(sumOp, [x], params);
}

/** Sum a broadcast result back to the shape it came from: the adjoint of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((n, i) => (i < lead || (shape[i - lead] === 1 && n !== 1) ? [i] : []));
  return reshape(sum(x, { axes }), shape);
}

export const maxOp: OpDefinition<'max'> = {
  op: 'max',
  infer([x], params) {
    if (params.axes.some((axis) => x!.shape[axis] === 0))
      throw new UserError(`[tensor/max] nothing to reduce: an axis of [${x!.shape.join(', ')}] has size 0. Check the shape first.`);
    return [{ shape: reducedShape(x!.shape, params), dtype: x!.dtype }];
  },
  vjp({ inputs: [x], outputs: [y], params: { axes }, cotangents: [g] }) {
    if (!isFloating(x!.dtype)) return [undefined];
    // Equal largest elements share the gradient, as in PyTorch's amax.
    return [
      () => {
        const largest = cast(equal(x!, withAxes(y!, x!, axes)), x!.dtype);
        const share = div(withAxes(g!, x!, axes), sum(largest, { axes, dims: 'keep' }));
        return mul(largest, share);
      },
    ];
  },
};

/** Largest element along axes; NaN where there is one. Equal largest elements share the gradient. */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  const params = reduceParams('tensor/max', x, options);
  return params.axes.length === 0 ? x : apply1(maxOp, [x], params);
}

/** Smallest element along axes; NaN where there is one. Equal smallest elements share the gradient. */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor {
  return neg(max(neg(x), options));
}

export const argMaxOp: OpDefinition<'argMax'> = {
  op: 'argMax',
  infer: ([x], { axis }) => [{ shape: x!.shape.filter((_, i) => i !== axis), dtype: 'int32' }],
  vjp: () => [undefined],
};

/** Index (int32) of the first largest element along an axis, which is dropped; NaN counts as the largest, as in PyTorch. */
export function argMax(x: Tensor, axis = -1): Tensor {
  return apply1(argMaxOp, [x], { axis: normalizeAxis('tensor/argMax', axis, x.rank) });
}

export const cumsumOp: OpDefinition<'cumsum'> = {
  op: 'cumsum',
  infer: ([x]) => [x!],
  vjp: ({ inputs: [x], params: { axis, direction }, cotangents: [g] }) => [
    isFloating(x!.dtype) ? () => cumsum(g!, { axis, direction: direction === 'forward' ? 'reverse' : 'forward' }) : undefined,
  ],
};

/** Running sum along an axis, each element included. */
export function cumsum(x: Tensor, options: { readonly axis?: number; readonly direction?: 'forward' | 'reverse' } = {}): Tensor {
  return apply1(cumsumOp, [x], {
    axis: normalizeAxis('tensor/cumsum', options.axis ?? -1, x.rank),
    direction: options.direction ?? 'forward',
  });
}
