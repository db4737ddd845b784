/**
 * Tables as PyTorch and NumPy build them, to the last bit: which operations are rounded to float32, and which only at the end.
 */

const { fround } = Math;

/** torch.linspace in float32: computed from both ends, the multiply-add in double and rounded once. */
export function torchLinspace(start: number, end: number, count: number): Float32Array {
  const [a, b] = [fround(start), fround(end)];
  if (count === 1) return Float32Array.of(a);
  const step = fround(fround(b - a) / (count - 1));
  const half = Math.floor(count / 2);
  return Float32Array.from({ length: count }, (_, i) => (i < half ? a + step * i : b - step * (count - 1 - i)));
}

/** numpy.linspace in float64. */
export function linspace(start: number, end: number, count: number): Float64Array {
  const out = evenly(start, (end - start) / (count - 1), count);
  if (count > 1) out[count - 1] = end;
  return out;
}

/** The same with endpoint=False: the end is where one more would be. */
export function linspaceOpen(start: number, end: number, count: number): Float64Array {
  return evenly(start, (end - start) / count, count);
}

function evenly(start: number, step: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => (i === 0 ? start : i * step + start));
}

/** torch.cumprod of float32: the product in double, each entry rounded. */
export function cumprod(values: Float32Array): Float32Array {
  let product = 1;
  return values.map((value) => (product *= value));
}

/** numpy's and Python's round: half goes to the even neighbour. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  const fraction = x - below;
  if (fraction !== 0.5) return fraction < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

/** numpy.interp of places along a table with indices 0..length-1. */
export function interpolateTable(at: number, table: ArrayLike<number>): number {
  const last = table.length - 1;
  if (at <= 0) return table[0]!;
  if (at >= last) return table[last]!;
  const below = Math.floor(at);
  return table[below]! + (table[below + 1]! - table[below]!) * (at - below);
}

/** numpy.arange(from, 0, -step), which takes its difference from the first two entries. */
export function descendingRange(from: number, step: number): number[] {
  const difference = from - step - from;
  return Array.from({ length: Math.ceil(from / step) }, (_, i) => from + i * difference);
}
