import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import { checkChoice, readOptions } from '../read-options.ts';
import type { Tensor } from '../tensor.ts';
import { div, mul } from './binary.ts';
import { equal } from './compare.ts';
import { axisOf } from './operands.ts';
import { reducedShape, reduceParams, sum, withAxes, type ReduceOptions } from './sum.ts';
import { cast, neg } from './unary.ts';

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
  // Refused under the name that was called.
  reduceParams('tensor/min', x, options);
  return neg(max(neg(x), options));
}

export const argMaxOp: OpDefinition<'argMax'> = {
  op: 'argMax',
  infer: ([x], { axis }) => [{ shape: x!.shape.filter((_, i) => i !== axis), dtype: 'int32' }],
  vjp: () => [undefined],
};

/** Index (int32) of the first largest element along an axis, which is dropped; NaN counts as the largest, as in PyTorch. */
export function argMax(x: Tensor, axis = -1): Tensor {
  return apply1(argMaxOp, [x], { axis: axisOf('tensor/argMax', x, axis) });
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
  const { axis = -1, direction = 'forward' } = readOptions('tensor/cumsum', options, ['axis', 'direction']);
  checkChoice('tensor/cumsum', { direction }, ['forward', 'reverse']);
  return apply1(cumsumOp, [x], { axis: axisOf('tensor/cumsum', x, axis), direction });
}
