import { checkNumber, shownValue } from '../check-number.ts';
import { allocateHost, checkDType, elementWriter, hostFromNumbers, isHostArray, itemSize, type DType, type HostArray } from '../dtype.ts';
import { UserError } from '../errors.ts';
import type { FileSlice } from '../graph/graph.ts';
import { readOptions } from '../read-options.ts';
import { checkShape, MAX_ELEMENTS, showShape, sizeOf, type Shape } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { literal, shapeOf } from './operands.ts';
import { broadcastTo } from './shaping.ts';

export interface TensorOptions {
  /** @default [data.length] */
  readonly shape?: Shape;
  /** @default 'float32', or the dtype of the typed array */
  readonly dtype?: DType;
}

type Nested = number | readonly Nested[];

/**
 * A tensor from numbers (nested lists give the shape) or from a typed array, which is not copied: do not write to it afterwards.
 * A `Uint16Array` needs a dtype (`float16` or `bfloat16`, bit patterns); a `Uint8Array` is `uint8` unless `bool` is asked for.
 *
 * @throws UserError when the data does not fit shape or dtype
 * @example
 * tensor([[1, 2], [3, 4]]).shape; // => [2, 2]
 */
export function tensor(data: Nested | HostArray, options: TensorOptions = {}): Tensor {
  checkOptions(options);
  if (ArrayBuffer.isView(data)) return fromTypedArray(data, options);
  const inferred = nestedShape(data);
  const flat = flatten(data, inferred);
  const dtype = options.dtype ?? 'float32';
  const shape = options.shape ?? inferred;
  checkData('tensor/tensor', shape, flat.length);
  return new Tensor(shape, dtype, { kind: 'host', data: hostFromNumbers(dtype, flat) });
}

function checkOptions(options: TensorOptions): void {
  const { dtype } = readOptions('tensor/tensor', options, ['shape', 'dtype']);
  if (dtype !== undefined) checkDType('tensor/tensor', dtype);
}

const DEFAULT_DTYPES: readonly DType[] = ['float32', 'int32', 'int64', 'uint8'];

function fromTypedArray(data: HostArray, options: TensorOptions): Tensor {
  const dtype = options.dtype ?? DEFAULT_DTYPES.find((name) => isHostArray(name, data));
  if (dtype === undefined || !isHostArray(dtype, data)) {
    throw new UserError(
      `[tensor/tensor] typed array does not hold the dtype: array=${data.constructor.name}, dtype=${dtype ?? 'none given'}. `
        + 'float32 wants Float32Array, float16 and bfloat16 Uint16Array, int32 Int32Array, int64 BigInt64Array, uint8 and bool '
        + 'Uint8Array.',
    );
  }
  const shape = options.shape ?? [data.length];
  checkData('tensor/tensor', shape, data.length);
  return new Tensor(shape, dtype, { kind: 'host', data });
}

function checkData(where: string, shape: Shape, length: number): void {
  checkShape(where, shape);
  if (sizeOf(shape) !== length) {
    throw new UserError(
      `[${where}] data does not fill the shape: shape=${showShape(shape)} has ${sizeOf(shape)} elements, data has ${length}. `
        + 'Change one of them.',
    );
  }
}

function nestedShape(data: Nested): number[] {
  const shape: number[] = [];
  for (let level: Nested | undefined = data; Array.isArray(level); level = (level as readonly Nested[])[0]) shape.push(level.length);
  return shape;
}

function flatten(data: Nested, shape: readonly number[]): number[] {
  const out: number[] = [];
  const visit = (item: Nested, depth: number): void => {
    if (depth === shape.length && typeof item === 'number') {
      out.push(item);
      return;
    }
    if (typeof item !== 'number' && !Array.isArray(item)) throw notANumber(item);
    if (typeof item === 'number' || item.length !== shape[depth]) {
      throw new UserError(
        `[tensor/tensor] nested lists are ragged at depth ${depth}: expected shape ${showShape(shape)}. Give every row the same length.`,
      );
    }
    for (const inner of item as readonly Nested[]) visit(inner, depth + 1);
  };
  visit(data, 0);
  return out;
}

function notANumber(found: unknown): UserError {
  const advice =
    typeof found === 'boolean'
      ? "Give 1 and 0 with dtype: 'bool'"
      : typeof found === 'bigint'
        ? 'Give a BigInt64Array'
        : found instanceof Tensor
          ? 'A tensor is one already; stack() joins several'
          : found instanceof Promise
            ? 'Await it'
            : 'Give numbers, nested lists of them, or a typed array';
  return new UserError(`[tensor/tensor] data has an element that is no number: ${shownValue(found)}. ${advice}.`);
}

/**
 * A scalar that is an input of the graph, not part of it: graphs that differ only in its value share one compilation. Use it for
 * sigma, timestep, learning rate.
 */
export function scalar(value: number, dtype: DType = 'float32'): Tensor {
  checkDType('tensor/scalar', dtype);
  if (typeof value !== 'number') throw notANumber(value);
  return new Tensor([], dtype, { kind: 'host', data: hostFromNumbers(dtype, [value]) });
}

/** A tensor whose elements stay in a file until an engine maps or reads them; what is not mapped may be stored in any way. */
export function fromFile(slice: FileSlice, info: { readonly shape: Shape; readonly dtype: DType }): Tensor {
  checkShape('tensor/fromFile', info.shape);
  checkDType('tensor/fromFile', info.dtype);
  const expected = sizeOf(info.shape) * itemSize(info.dtype);
  if (slice.mapping !== 'none' && slice.byteLength !== expected) {
    throw new UserError(
      `[tensor/fromFile] byte range does not fit the shape: path=${slice.path}, byteLength=${slice.byteLength}, expected `
        + `${expected} for ${info.dtype}${showShape(info.shape)}. The file is damaged or the shape is wrong.`,
    );
  }
  return new Tensor(info.shape, info.dtype, { kind: 'file', slice });
}

/**
 * A tensor whose elements are asked for anew at every run of a graph that holds it: noise, dropout masks. In a compiled function the
 * provider is called once per call; outside, once, when it is realised.
 */
export function deferred(info: { readonly shape: Shape; readonly dtype: DType }, provide: () => HostArray): Tensor {
  checkShape('tensor/deferred', info.shape);
  checkDType('tensor/deferred', info.dtype);
  const checked = (): HostArray => {
    const data = provide();
    if (!isHostArray(info.dtype, data) || data.length !== sizeOf(info.shape)) {
      throw new UserError(
        `[tensor/deferred] provider gave the wrong data: ${data.constructor.name} of ${data.length}, expected `
          + `${info.dtype}${showShape(info.shape)}. Return a matching typed array.`,
      );
    }
    return data;
  };
  return new Tensor(info.shape, info.dtype, { kind: 'deferred', provide: checked });
}

/** Every element equal to `value`. */
export function full(shape: Shape, value: number, dtype: DType = 'float32'): Tensor {
  checkShape('tensor/full', shape);
  checkDType('tensor/full', dtype);
  return broadcastTo(literal(value, dtype), shape);
}

export function zeros(shape: Shape, dtype: DType = 'float32'): Tensor {
  return full(shape, 0, dtype);
}

export function ones(shape: Shape, dtype: DType = 'float32'): Tensor {
  return full(shape, 1, dtype);
}

export function zerosLike(x: Tensor): Tensor {
  return full(shapeOf('tensor/zerosLike', x), 0, x.dtype);
}

export function onesLike(x: Tensor): Tensor {
  return full(shapeOf('tensor/onesLike', x), 1, x.dtype);
}

export interface RangeOptions {
  /** @default 0 */
  readonly start?: number;
  /** @default 1 */
  readonly step?: number;
  /** @default 'int32' */
  readonly dtype?: DType;
}

/** `count` numbers start, start + step, ... */
export function range(count: number, options: RangeOptions = {}): Tensor {
  const { start = 0, step = 1, dtype = 'int32' } = readOptions('tensor/range', options, ['start', 'step', 'dtype']);
  checkNumber('tensor/range', { start, step });
  checkShape('tensor/range', [count]);
  checkDType('tensor/range', dtype);
  const out = allocateHost(dtype, count);
  const write = elementWriter(dtype, out);
  for (let i = 0; i < count; i++) write(i, start + i * step);
  return tensor(out, { dtype });
}

/** `count` >= 2 evenly spaced float32 numbers from `start` to `stop`, both included. */
export function linspace(start: number, stop: number, count: number): Tensor {
  checkNumber('tensor/linspace', { start, stop });
  checkNumber('tensor/linspace', { count }, { kind: 'integer', atLeast: 2, atMost: MAX_ELEMENTS });
  return tensor(Float32Array.from({ length: count }, (_, i) => start + ((stop - start) * i) / (count - 1)));
}

/** The identity matrix [n, n]. */
export function eye(n: number): Tensor {
  checkShape('tensor/eye', [n, n]);
  const data = allocateHost('float32', n * n);
  for (let i = 0; i < n; i++) data[i * n + i] = 1;
  return tensor(data, { shape: [n, n] });
}
