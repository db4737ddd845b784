import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import { broadcastShapes, checkNumbers, checkShape, normalizeAxes, sameShape, showShape, sizeOf, type Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { axesOf, axisOf, shapeOf } from './operands.ts';
import { sumTo } from './sum.ts';

export const reshapeOp: OpDefinition<'reshape'> = {
  op: 'reshape',
  infer([x], { shape }) {
    checkShape('tensor/reshape', shape);
    if (sizeOf(shape) !== sizeOf(x!.shape)) {
      throw new UserError(
        `[tensor/reshape] number of elements differs: x=${showShape(x!.shape)} has ${sizeOf(x!.shape)}, shape=${showShape(shape)} `
          + `has ${sizeOf(shape)}. Change the shape; one size may be -1.`,
      );
    }
    return [{ shape, dtype: x!.dtype }];
  },
  vjp: ({ inputs: [x], cotangents: [g] }) => [() => reshape(g!, x!.shape)],
};

/**
 * The same elements in row-major order under another shape; one size may be -1.
 *
 * @example
 * reshape(tensor([[1, 2], [3, 4]]), [-1]).shape; // => [4]
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkNumbers('tensor/reshape', { shape });
  const unknown = shape.indexOf(-1);
  if (unknown < 0) return sameShape(shapeOf('tensor/reshape', x), shape) ? x : apply1(reshapeOp, [x], { shape });
  const known = shape.reduce((product, n, i) => (i === unknown ? product : product * n), 1);
  const size = sizeOf(shapeOf('tensor/reshape', x)) / known;
  if (!Number.isInteger(size) || shape.lastIndexOf(-1) !== unknown) {
    throw new UserError(
      `[tensor/reshape] -1 cannot be resolved: x=${showShape(x.shape)}, shape=${showShape(shape)}. Use -1 once, with sizes that `
        + `divide ${x.size}.`,
    );
  }
  return reshape(
    x,
    shape.map((n, i) => (i === unknown ? size : n)),
  );
}

/** A copy of the handle with an identity of its own, for differentiation; engines never see it. */
export function alias(x: Tensor): Tensor {
  return apply1(reshapeOp, [x], { shape: x.shape });
}

/** Merge axes `start`..`end` (inclusive) into one. */
export function flatten(x: Tensor, start = 0, end = -1): Tensor {
  const first = axisOf('tensor/flatten', x, start);
  const last = axisOf('tensor/flatten', x, end);
  return reshape(x, [...x.shape.slice(0, first), sizeOf(x.shape.slice(first, last + 1)), ...x.shape.slice(last + 1)]);
}

/** Insert axes of size 1 at positions of the result. */
export function expandDims(x: Tensor, axes: number | readonly number[]): Tensor {
  const count = Array.isArray(axes) ? axes.length : 1;
  const positions = normalizeAxes('tensor/expandDims', axes, shapeOf('tensor/expandDims', x).length + count);
  const shape = [...x.shape];
  for (const position of positions) shape.splice(position, 0, 1);
  return reshape(x, shape);
}

/** Drop axes of size 1: those named, or all. */
export function squeeze(x: Tensor, axes?: number | readonly number[]): Tensor {
  const shape = shapeOf('tensor/squeeze', x);
  const drop = axes === undefined ? shape.flatMap((n, i) => (n === 1 ? [i] : [])) : axesOf('tensor/squeeze', x, axes);
  for (const axis of drop) {
    if (x.shape[axis] !== 1)
      throw new UserError(`[tensor/squeeze] axis is not of size 1: axis=${axis}, x=${showShape(x.shape)}. Use reshape or a reduction.`);
  }
  return reshape(
    x,
    x.shape.filter((_, i) => !drop.includes(i)),
  );
}

export const transposeOp: OpDefinition<'transpose'> = {
  op: 'transpose',
  infer([x], { permutation }) {
    const sorted = [...permutation].sort((a, b) => a - b);
    if (permutation.length !== x!.shape.length || sorted.some((axis, i) => axis !== i)) {
      throw new UserError(
        `[tensor/transpose] not a permutation of the axes: permutation=[${permutation.join(', ')}], x=${showShape(x!.shape)}. Name `
          + 'every axis once.',
      );
    }
    return [{ shape: permutation.map((axis) => x!.shape[axis]!), dtype: x!.dtype }];
  },
  vjp({ params: { permutation }, cotangents: [g] }) {
    const inverse = permutation.map((_, i) => permutation.indexOf(i));
    return [() => transpose(g!, inverse)];
  },
};

/** Reorder axes: output axis i is input axis `permutation[i]`. @default reversed axes */
export function transpose(x: Tensor, permutation?: readonly number[]): Tensor {
  const given = permutation ?? shapeOf('tensor/transpose', x).map((_, i) => x.rank - 1 - i);
  checkNumbers('tensor/transpose', { permutation: given });
  const order = given.map((axis) => axisOf('tensor/transpose', x, axis));
  if (order.every((axis, i) => axis === i) && order.length === x.rank) return x;
  return apply1(transposeOp, [x], { permutation: order });
}

/** Swap two axes. */
export function swapAxes(x: Tensor, a: number, b: number): Tensor {
  const order = shapeOf('tensor/swapAxes', x).map((_, i) => i);
  const i = axisOf('tensor/swapAxes', x, a);
  const j = axisOf('tensor/swapAxes', x, b);
  order[i] = j;
  order[j] = i;
  return transpose(x, order);
}

export const broadcastToOp: OpDefinition<'broadcastTo'> = {
  op: 'broadcastTo',
  infer([x], { shape }) {
    if (!sameShape(broadcastShapes('tensor/broadcastTo', x!.shape, shape), shape)) {
      throw new UserError(
        `[tensor/broadcastTo] shape is smaller than the tensor: x=${showShape(x!.shape)}, shape=${showShape(shape)}. Sizes of x `
          + 'must equal those of shape or be 1.',
      );
    }
    return [{ shape, dtype: x!.dtype }];
  },
  vjp: ({ inputs: [x], cotangents: [g] }) => [() => sumTo(g!, x!.shape)],
};

/** Repeat along axes of size 1 and new leading axes, by NumPy's rule. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  checkShape('tensor/broadcastTo', shape);
  return sameShape(shapeOf('tensor/broadcastTo', x), shape) ? x : apply1(broadcastToOp, [x], { shape });
}
