import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import type { ValueInfo } from '../graph/graph.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import { checkShape, normalizeAxis, sameShape, showShape } from '../shape.ts';
import { readOptions } from '../read-options.ts';
import type { Tensor } from '../tensor.ts';
import { equal } from './compare.ts';
import { range } from './create.ts';
import { axisOf, shapeOf } from './operands.ts';
import { expandDims } from './shaping.ts';
import { cast } from './unary.ts';

function requireIndices(op: string, indices: ValueInfo): void {
  if (indices.dtype !== 'int32')
    throw new UserError(`[tensor/${op}] indices are not int32: dtype=${indices.dtype}. cast(indices, 'int32').`);
}

export const gatherOp: OpDefinition<'gather'> = {
  op: 'gather',
  infer([x, indices], { axis }) {
    requireIndices('gather', indices!);
    return [{ shape: [...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis + 1)], dtype: x!.dtype }];
  },
  vjp: ({ inputs: [x, indices], params: { axis }, cotangents: [g] }) => [
    isFloating(x!.dtype) ? () => scatterAdd(g!, indices!, { axis, size: x!.shape[axis]! }) : undefined,
    undefined,
  ],
};

/**
 * Rows of an axis by index (int32, any rank, in [0, n)): the axis is replaced by those of `indices`. An embedding look-up. An index out of
 * range is a UserError when it is run; on WebGPU only one that was uploaded.
 */
export function gather(x: Tensor, indices: Tensor, axis = 0): Tensor {
  return apply1(gatherOp, [x, indices], { axis: axisOf('tensor/gather', x, axis) });
}

interface ScatterTarget {
  readonly axis: number;
  /** Of the result along `axis`. */
  readonly size: number;
}

function checkTarget(op: string, target: ScatterTarget, rank: number): ScatterTarget {
  const { axis, size } = readOptions(`tensor/${op}`, target, ['axis', 'size']);
  checkShape(`tensor/${op}`, [size]);
  return { axis: normalizeAxis(`tensor/${op}`, axis, rank), size };
}

export const scatterAddOp: OpDefinition<'scatterAdd'> = {
  op: 'scatterAdd',
  infer([updates, indices], { axis, size }) {
    requireIndices('scatterAdd', indices!);
    const end = axis + indices!.shape.length;
    if (!sameShape(updates!.shape.slice(axis, end), indices!.shape)) {
      throw new UserError(
        `[tensor/scatterAdd] updates do not match the indices: updates=${showShape(updates!.shape)}, `
          + `indices=${showShape(indices!.shape)}, axis=${axis}. updates must have the axes of indices from axis on.`,
      );
    }
    return [{ shape: [...updates!.shape.slice(0, axis), size, ...updates!.shape.slice(end)], dtype: updates!.dtype }];
  },
  vjp: ({ inputs: [, indices], params: { axis }, cotangents: [g] }) => [() => gather(g!, indices!, axis), undefined],
};

/** Zeros with `size` along `axis`, to which each update is added at its index: the adjoint of {@link gather}. */
export function scatterAdd(updates: Tensor, indices: Tensor, target: ScatterTarget): Tensor {
  return apply1(
    scatterAddOp,
    [updates, indices],
    checkTarget('scatterAdd', target, shapeOf('tensor/scatterAdd', updates).length - shapeOf('tensor/scatterAdd', indices).length + 1),
  );
}

export const gatherElementsOp: OpDefinition<'gatherElements'> = {
  op: 'gatherElements',
  infer([x, indices], { axis }) {
    requireIndices('gatherElements', indices!);
    const fits = x!.shape.length === indices!.shape.length && x!.shape.every((n, i) => i === axis || n === indices!.shape[i]);
    if (!fits) {
      throw new UserError(
        `[tensor/gatherElements] indices do not fit: x=${showShape(x!.shape)}, indices=${showShape(indices!.shape)}, axis=${axis}. `
          + 'All other sizes must agree.',
      );
    }
    return [{ shape: indices!.shape, dtype: x!.dtype }];
  },
  vjp: ({ inputs: [x, indices], params: { axis }, cotangents: [g] }) => [
    isFloating(x!.dtype) ? () => scatterElementsAdd(g!, indices!, { axis, size: x!.shape[axis]! }) : undefined,
    undefined,
  ],
};

/** For every position, the element whose place along `axis` the index (int32) names: NumPy's take_along_axis. */
export function gatherElements(x: Tensor, indices: Tensor, axis = -1): Tensor {
  return apply1(gatherElementsOp, [x, indices], { axis: axisOf('tensor/gatherElements', x, axis) });
}

export const scatterElementsAddOp: OpDefinition<'scatterElementsAdd'> = {
  op: 'scatterElementsAdd',
  infer([updates, indices], { axis, size }) {
    requireIndices('scatterElementsAdd', indices!);
    if (!sameShape(updates!.shape, indices!.shape)) {
      throw new UserError(
        `[tensor/scatterElementsAdd] updates do not match the indices: updates=${showShape(updates!.shape)}, `
          + `indices=${showShape(indices!.shape)}. Give one index for each update.`,
      );
    }
    return [{ shape: updates!.shape.map((n, i) => (i === axis ? size : n)), dtype: updates!.dtype }];
  },
  vjp: ({ inputs: [, indices], params: { axis }, cotangents: [g] }) => [() => gatherElements(g!, indices!, axis), undefined],
};

/** Zeros with `size` along `axis`, to which each update is added at its index: the adjoint of {@link gatherElements}. */
export function scatterElementsAdd(updates: Tensor, indices: Tensor, target: ScatterTarget): Tensor {
  return apply1(
    scatterElementsAddOp,
    [updates, indices],
    checkTarget('scatterElementsAdd', target, shapeOf('tensor/scatterElementsAdd', updates).length),
  );
}

/** [...indices] (int32) -> [...indices, classes] with a 1 at each index; rows of indices outside of [0, classes) are zero. */
export function oneHot(indices: Tensor, classes: number): Tensor {
  checkShape('tensor/oneHot', [...shapeOf('tensor/oneHot', indices), classes]);
  return cast(equal(expandDims(indices, indices.rank), range(classes)), 'float32');
}
