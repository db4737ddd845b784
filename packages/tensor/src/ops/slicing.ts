import { checkNumber, shownValue } from '../check-number.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import { readOptions } from '../read-options.ts';
import { checkNumbers, normalizeAxis, sameShape, showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { axesOf, axisOf, shapeOf, tensorOf } from './operands.ts';
import { broadcastTo, expandDims, reshape } from './shaping.ts';

export const sliceOp: OpDefinition<'slice'> = {
  op: 'slice',
  infer([x], { starts, sizes, steps }) {
    x!.shape.forEach((n, axis) => {
      const start = starts[axis]!;
      const size = sizes[axis]!;
      const step = steps[axis]!;
      const last = start + (size - 1) * step;
      if (
        !(Number.isInteger(start) && Number.isInteger(size) && Number.isInteger(step) && start >= 0 && size >= 0 && step >= 1)
        || (size > 0 && last >= n)
      ) {
        throw new UserError(
          `[tensor/slice] range leaves the axis: axis=${axis}, start=${start}, size=${size}, step=${step}, `
            + `x=${showShape(x!.shape)}. Keep start + (size - 1) * step < ${n}.`,
        );
      }
    });
    return [{ shape: sizes, dtype: x!.dtype }];
  },
  vjp: ({ inputs: [x], params: { starts, steps }, cotangents: [g] }) => [
    () => {
      const spread = interleaveZeros(g!, steps);
      return pad(
        spread,
        spread.shape.map((n, i) => [starts[i]!, x!.shape[i]! - starts[i]! - n] as const),
      );
    },
  ],
};

/** Put step - 1 zeros between neighbours: the adjoint of taking every step-th element. */
function interleaveZeros(x: Tensor, steps: readonly number[]): Tensor {
  let out = x;
  steps.forEach((step, axis) => {
    const n = out.shape[axis]!;
    if (step === 1 || n === 0) return;
    const split = reshape(out, [...out.shape.slice(0, axis + 1), 1, ...out.shape.slice(axis + 1)]);
    const padded = pad(
      split,
      split.shape.map((_, i) => [0, i === axis + 1 ? step - 1 : 0] as const),
    );
    const merged = reshape(padded, [...out.shape.slice(0, axis), n * step, ...out.shape.slice(axis + 1)]);
    out = slice(merged, { [axis]: { stop: n * step - (step - 1) } });
  });
  return out;
}

/** A range of one axis; negative positions count from the end. */
export interface Range {
  /** @default 0 */
  readonly start?: number;
  /** Exclusive. @default the size of the axis */
  readonly stop?: number;
  /** >= 1; `flip` reverses. @default 1 */
  readonly step?: number;
}

/**
 * Parts of some axes, the others whole.
 *
 * @param ranges keyed by axis (negative keys count from the end)
 * @throws UserError when a range leaves its axis
 * @example
 * slice(range(6), { 0: { start: 1, stop: -1, step: 2 } }).shape; // => [2]
 */
export function slice(x: Tensor, ranges: Readonly<Record<number, Range>>): Tensor {
  const starts = shapeOf('tensor/slice', x).map(() => 0);
  const sizes = [...x.shape];
  const steps = x.shape.map(() => 1);
  for (const [key, range] of Object.entries(readOptions('tensor/slice', ranges))) {
    const axis = axisOf('tensor/slice', x, Number(key));
    const { start = 0, stop, step = 1 } = readOptions('tensor/slice', range, ['start', 'stop', 'step']);
    checkNumber('tensor/slice', { start, step, stop: stop ?? 0 }, { kind: 'integer' });
    const n = x.shape[axis]!;
    const from = start < 0 ? start + n : start;
    const to = stop === undefined ? n : stop < 0 ? stop + n : stop;
    if (to > n || from > to) {
      throw new UserError(
        `[tensor/slice] range leaves the axis: axis=${axis}, start=${start}, stop=${stop}, x=${showShape(x.shape)}. Give 0 <= `
          + `start <= stop <= ${n}.`,
      );
    }
    starts[axis] = from;
    steps[axis] = step;
    sizes[axis] = Math.ceil((to - from) / step);
  }
  const whole = sameShape(sizes, x.shape) && steps.every((step) => step === 1);
  return whole ? x : apply1(sliceOp, [x], { starts, sizes, steps });
}

/** One index of an axis, which is dropped. */
export function select(x: Tensor, axis: number, index: number): Tensor {
  const position = axisOf('tensor/select', x, axis);
  const start = normalizeAxis('tensor/select index', index, x.shape[position]!);
  return reshape(
    slice(x, { [position]: { start, stop: start + 1 } }),
    x.shape.filter((_, i) => i !== position),
  );
}

export const padOp: OpDefinition<'pad'> = {
  op: 'pad',
  infer([x], { padding }) {
    if (
      padding.length !== x!.shape.length
      || padding.some(([before, after]) => !(Number.isInteger(before) && Number.isInteger(after) && before >= 0 && after >= 0))
    ) {
      throw new UserError(
        `[tensor/pad] padding does not fit: padding=${showShape(padding.flat())}, x=${showShape(x!.shape)}. Give [before, after] >= `
          + '0 for every axis.',
      );
    }
    return [{ shape: x!.shape.map((n, i) => n + padding[i]![0] + padding[i]![1]), dtype: x!.dtype }];
  },
  vjp: ({ inputs: [x], params: { padding }, cotangents: [g] }) => [
    () => slice(g!, Object.fromEntries(padding.map(([before], i) => [i, { start: before, stop: before + x!.shape[i]! }]))),
  ],
};

/** Add a border of `value` to every axis: `[before, after]` each. @param value @default 0 */
export function pad(x: Tensor, padding: readonly (readonly [before: number, after: number])[], value = 0): Tensor {
  const { length } = shapeOf('tensor/pad', x);
  if (typeof value !== 'number') throw new UserError(`[tensor/pad] value is not a number: value=${shownValue(value)}. Give the border's.`);
  if (!Array.isArray(padding) || padding.some((pair) => !Array.isArray(pair) || pair.length !== 2))
    throw new UserError(`[tensor/pad] padding is no list of pairs: padding=${shownValue(padding)}. Give [before, after] for every axis.`);
  const none = padding.length === length && padding.every(([before, after]) => before === 0 && after === 0);
  return none ? x : apply1(padOp, [x], { padding, value });
}

export const concatOp: OpDefinition<'concat'> = {
  op: 'concat',
  infer(inputs, { axis }) {
    const first = inputs[0]!;
    let total = 0;
    inputs.forEach((x, i) => {
      const fits = x.shape.length === first.shape.length && x.shape.every((n, d) => d === axis || n === first.shape[d]);
      if (!fits || x.dtype !== first.dtype) {
        throw new UserError(
          `[tensor/concat] tensors do not fit along axis ${axis}: tensors[0]=${first.dtype}${showShape(first.shape)}, `
            + `tensors[${i}]=${x.dtype}${showShape(x.shape)}. All other sizes and the dtype must agree.`,
        );
      }
      total += x.shape[axis]!;
    });
    return [{ shape: first.shape.map((n, d) => (d === axis ? total : n)), dtype: first.dtype }];
  },
  vjp({ inputs, params: { axis }, cotangents: [g] }) {
    let offset = 0;
    return inputs.map((x) => {
      const start = offset;
      offset += x.shape[axis]!;
      return () => slice(g!, { [axis]: { start, stop: start + x.shape[axis]! } });
    });
  },
};

/** Join tensors along an axis. */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  checkList('concat', tensors);
  if (tensors.length === 0) throw new UserError('[tensor/concat] nothing to join: tensors=[]. Give at least one tensor.');
  const position = axisOf('tensor/concat', tensors[0]!, axis);
  return tensors.length === 1 ? tensorOf('tensor/concat', tensors[0]!) : apply1(concatOp, tensors, { axis: position });
}

function checkList(op: string, tensors: readonly Tensor[]): void {
  if (!Array.isArray(tensors))
    throw new UserError(`[tensor/${op}] tensors are no list: tensors=${shownValue(tensors)}. Give them as [a, b].`);
}

/** Join tensors of one shape along a new axis. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  checkList('stack', tensors);
  return concat(
    tensors.map((x) => expandDims(x, axis)),
    axis,
  );
}

/** More tensors than any graph takes. */
const MAX_PARTS = 1_000_000;

/** Cut an axis into equal parts (a count) or parts of given sizes. */
export function split(x: Tensor, parts: number | readonly number[], axis = 0): Tensor[] {
  const position = axisOf('tensor/split', x, axis);
  const n = x.shape[position]!;
  // A count beyond the size has no equal parts: it is looked at before a list of it is made.
  if (typeof parts === 'number' && !(Number.isInteger(parts) && parts >= 1 && (parts <= n || n === 0) && parts <= MAX_PARTS)) {
    throw new UserError(`[tensor/split] parts do not fill the axis: parts=${parts}, size=${n}. Give a divisor of ${n}.`);
  }
  if (typeof parts !== 'number') checkNumbers('tensor/split', { parts });
  const sizes = typeof parts === 'number' ? Array.from({ length: parts }, () => n / parts) : parts;
  if (sizes.some((size) => !Number.isInteger(size) || size < 0) || sizes.reduce((a, b) => a + b, 0) !== n) {
    throw new UserError(`[tensor/split] parts do not fill the axis: parts=${JSON.stringify(parts)}, size=${n}. Their sum must be ${n}.`);
  }
  let offset = 0;
  return sizes.map((size) => {
    const start = offset;
    offset += size;
    return slice(x, { [position]: { start, stop: offset } });
  });
}

export const flipOp: OpDefinition<'flip'> = {
  op: 'flip',
  infer: ([x]) => [x!],
  vjp: ({ params: { axes }, cotangents: [g] }) => [() => flip(g!, axes)],
};

/** Reverse the order along axes. */
export function flip(x: Tensor, axes: number | readonly number[]): Tensor {
  return apply1(flipOp, [x], { axes: axesOf('tensor/flip', x, axes) });
}

/** Shift along an axis; what leaves at one end enters at the other. */
export function roll(x: Tensor, shift: number, axis = -1): Tensor {
  const position = axisOf('tensor/roll', x, axis);
  checkNumber('tensor/roll', { shift }, { kind: 'integer' });
  const n = x.shape[position]!;
  const cut = n === 0 ? 0 : ((-shift % n) + n) % n;
  if (cut === 0) return x;
  return concat([slice(x, { [position]: { start: cut } }), slice(x, { [position]: { stop: cut } })], position);
}

/** Repeat the whole tensor `repeats[i]` times along axis i. */
export function tile(x: Tensor, repeats: readonly number[]): Tensor {
  checkNumbers('tensor/tile', { repeats });
  if (repeats.length !== shapeOf('tensor/tile', x).length)
    throw new UserError(
      `[tensor/tile] repeats do not fit: repeats=[${repeats.join(', ')}], x=${showShape(x.shape)}. Give one count for each axis.`,
    );
  const split = reshape(
    x,
    x.shape.flatMap((n) => [1, n]),
  );
  const repeated = broadcastTo(
    split,
    x.shape.flatMap((n, i) => [repeats[i]!, n]),
  );
  return reshape(
    repeated,
    x.shape.map((n, i) => n * repeats[i]!),
  );
}

/** Repeat each element `count` times along an axis: [a, b] -> [a, a, b, b]. */
export function repeat(x: Tensor, count: number, axis: number): Tensor {
  const position = axisOf('tensor/repeat', x, axis);
  checkNumber('tensor/repeat', { count }, { kind: 'integer', atLeast: 0 });
  const before = x.shape.slice(0, position + 1);
  const after = x.shape.slice(position + 1);
  return reshape(broadcastTo(reshape(x, [...before, 1, ...after]), [...before, count, ...after]), [
    ...x.shape.slice(0, position),
    x.shape[position]! * count,
    ...after,
  ]);
}
