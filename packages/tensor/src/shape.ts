import { shownValue } from './check-number.ts';
import { UserError } from './errors.ts';

/** Sizes along each axis, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** The largest number of elements of one tensor: 2^31 - 1, the limit of typed arrays in some engines. */
export const MAX_ELEMENTS = 2 ** 31 - 1;

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const n of shape) size *= n;
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

export function showShape(shape: Shape): string {
  return `[${shape.map(String).join(', ')}]`;
}

/** Check a shape that came from outside: integer sizes >= 0 and at most {@link MAX_ELEMENTS} elements in all. */
export function checkShape(where: string, shape: Shape): void {
  if (!Array.isArray(shape)) throw new UserError(`[${where}] shape is no list: shape=${shownValue(shape)}. Give sizes, as in [2, 3].`);
  let size = 1;
  for (const n of shape) {
    if (!Number.isInteger(n) || n < 0) {
      throw new UserError(`[${where}] shape has an invalid size: shape=${showShape(shape)}. Sizes are integers >= 0.`);
    }
    size *= n;
  }
  if (size > MAX_ELEMENTS) {
    throw new UserError(
      `[${where}] shape is too large: shape=${showShape(shape)} has ${size} elements, at most ${MAX_ELEMENTS}. Split the tensor.`,
    );
  }
}

/** A list of numbers, as code without types may not give it. */
export function checkNumbers(where: string, given: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (Array.isArray(value) && value.every((n) => typeof n === 'number')) continue;
    throw new UserError(`[${where}] ${name} is no list of numbers: ${name}=${shownValue(value)}. Give one for each axis, as in [2, 3].`);
  }
}

/** Axis in [-rank, rank) to [0, rank). */
export function normalizeAxis(where: string, axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new UserError(
      `[${where}] axis is out of range: axis=${shownValue(axis)}, rank=${rank}. Give an integer in [${-rank}, ${rank - 1}].`,
    );
  }
  return axis < 0 ? axis + rank : axis;
}

/** Several axes, sorted, without repeats. */
export function normalizeAxes(where: string, axes: number | readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i);
  if (typeof axes !== 'number' && !Array.isArray(axes))
    throw new UserError(`[${where}] axes are no list: axes=${shownValue(axes)}. Give one axis or a list.`);
  const list = (typeof axes === 'number' ? [axes] : (axes as readonly number[])).map((axis) => normalizeAxis(where, axis, rank));
  const unique = [...new Set(list)].sort((a, b) => a - b);
  if (unique.length !== list.length) throw new UserError(`[${where}] axes repeat: axes=${showShape(list)}. Name each axis once.`);
  return unique;
}

/** The shape two operands broadcast to, by NumPy's rule; an error names both. */
export function broadcastShapes(where: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const m = a[a.length - i] ?? 1;
    const n = b[b.length - i] ?? 1;
    if (m !== n && m !== 1 && n !== 1) {
      throw new UserError(
        `[${where}] shapes do not broadcast: a=${showShape(a)}, b=${showShape(b)}, axis -${i} has ${m} and ${n}. Sizes must be `
          + 'equal or 1; reshape or slice one operand.',
      );
    }
    out[rank - i] = m === 1 ? n : m;
  }
  return out;
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= shape[i]!;
  }
  return strides;
}
