import type { DType } from '../../dtype.ts';
import type { PrimitiveName, PrimitiveParams } from '../../graph/primitives.ts';
import { sizeOf, stridesOf, type Shape } from '../../shape.ts';

/** A tensor of the reference engine: every dtype is held in float64, which is exact for integers up to 2^53. */
export interface Elements {
  readonly shape: Shape;
  readonly dtype: DType;
  /** Row-major. */
  readonly values: Float64Array;
}

export interface KernelCall<P extends PrimitiveName> {
  readonly params: PrimitiveParams[P];
  readonly inputs: readonly Elements[];
  /** Filled with zeros. */
  readonly outputs: readonly Elements[];
}

/** Writes the outputs of one primitive. */
export type Kernel<P extends PrimitiveName> = (call: KernelCall<P>) => void;

export type Kernels<P extends PrimitiveName> = { readonly [Op in P]: Kernel<Op> };

/** Visit every index of a shape in row-major order. The index is reused between visits. */
export function forEachIndex(shape: Shape, visit: (index: readonly number[], flat: number) => void): void {
  const index = shape.map(() => 0);
  const size = sizeOf(shape);
  for (let flat = 0; flat < size; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** Place of an index in row-major order. */
export function flatIndex(shape: Shape, index: readonly number[]): number {
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++) flat = flat * shape[axis]! + index[axis]!;
  return flat;
}

/** Strides that read `x` as if it had been broadcast to `shape`: 0 along repeated axes. */
export function broadcastStrides(x: Shape, shape: Shape): number[] {
  const strides = stridesOf(x);
  const lead = shape.length - x.length;
  return shape.map((_, axis) => (axis < lead || x[axis - lead] === 1 ? 0 : strides[axis - lead]!));
}

/** Sum of index times stride. */
export function dot(index: readonly number[], strides: readonly number[]): number {
  let sum = 0;
  for (let axis = 0; axis < index.length; axis++) sum += index[axis]! * strides[axis]!;
  return sum;
}

/** Where the elements along one axis start and how far apart they are, for every line of a tensor. */
export function forEachLine(shape: Shape, axis: number, visit: (start: number, step: number, length: number) => void): void {
  const step = sizeOf(shape.slice(axis + 1));
  const length = shape[axis]!;
  const outer = sizeOf(shape.slice(0, axis));
  for (let i = 0; i < outer; i++) for (let j = 0; j < step; j++) visit(i * length * step + j, step, length);
}
