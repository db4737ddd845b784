import type { Shape } from '@langevin/tensor';
import type { Scope } from './scope.ts';

/**
 * The runtime adds float32 one after another: rows in 8 lanes, products with a row of ones in 4, other sums in one. The error of such a sum
 * grows with its length (2^-20 after 128 additions of 0.1, 10^-3 after 10^6), so that longer ones are made of blocks, and of blocks of
 * their sums. That takes no longer: only the first pass is one over all of memory.
 */
const LANES = { row: 8, ones: 4, other: 1 } as const;
const ONE_LANE = { row: 1, ones: 1, other: 1 } as const;
const lanesOf = ({ provider }: Scope): Readonly<Record<Kernel, number>> => (provider === 'wasm' ? ONE_LANE : LANES);
/** The most additions in one lane. */
const MOST_ADDED = 32;

/** Smaller tensors gain nothing by a product with ones. */
const FEWEST_FOR_ONES = 4096;

/** Neighbouring axes that are all summed or all kept. */
interface Run {
  readonly size: number;
  readonly summed: boolean;
}

function runsOf(shape: Shape, axes: readonly number[]): Run[] {
  const runs: { size: number; summed: boolean }[] = [];
  shape.forEach((size, axis) => {
    if (size === 1) return;
    const summed = axes.includes(axis);
    const last = runs.at(-1);
    if (last?.summed === summed) last.size *= size;
    else runs.push({ size, summed });
  });
  return runs;
}

const product = (runs: readonly Run[]): number => runs.reduce((size, run) => size * run.size, 1);

/** Whether the runtime's own sum over `axes` adds up so many elements that it is not to be trusted. */
export function isLongSum(scope: Scope, shape: Shape, axes: readonly number[]): boolean {
  const runs = runsOf(shape, axes);
  const count = product(runs.filter(({ summed }) => summed));
  return product(runs) > 0 && count > MOST_ADDED * (runs.at(-1)?.summed ? lanesOf(scope).row : lanesOf(scope).other);
}

export interface Summed {
  readonly shape: Shape;
  readonly axes: readonly number[];
  /** The shape of the result, reduced axes kept or not. */
  readonly out: Shape;
}

/** The sum over `axes` of a float32 tensor that has elements, in blocks where it is long. */
export function sumInBlocks(scope: Scope, x: string, { shape, axes, out }: Summed): string {
  const runs = runsOf(shape, axes);
  let value = x;
  for (let at = runs.length - 1; at >= 0; at--) {
    if (!runs[at]!.summed) continue;
    const inner = product(runs.slice(at + 1).filter(({ summed }) => !summed));
    value = sumMiddle(scope, value, { outer: product(runs.slice(0, at)), count: runs[at]!.size, inner });
  }
  return scope.emit('Reshape', [value, scope.ints(out)]);
}

/** A tensor as [outer, count, inner], to be summed to [outer, inner]. */
interface Middle {
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

type Kernel = keyof typeof LANES;

function sumMiddle(scope: Scope, x: string, middle: Middle): string {
  const { outer, count, inner } = middle;
  const most = MOST_ADDED * lanesOf(scope)[kernelFor(scope, middle)];
  if (count <= most) return sumOnce(scope, x, middle);
  const block = largestDivisor(count, most);
  if (block < most / 8) return sumUneven(scope, x, { ...middle, block: most });
  const blocks = count / block;
  // Rows are cut into short ones. Elsewhere a block takes elements from all over, so that what is added together is wide.
  const parts = inner === 1 ? { outer: outer * blocks, count: block, inner } : { outer, count: block, inner: blocks * inner };
  return sumMiddle(scope, sumOnce(scope, x, parts), { outer, count: blocks, inner });
}

function kernelFor(scope: Scope, { outer, count, inner }: Middle): Kernel {
  if (inner === 1) return 'row';
  return scope.contrib === 'allow' && outer === 1 && count * inner >= FEWEST_FOR_ONES ? 'ones' : 'other';
}

function largestDivisor(count: number, most: number): number {
  for (let divisor = Math.min(most, count); divisor > 1; divisor--) if (count % divisor === 0) return divisor;
  return 1;
}

function sumOnce(scope: Scope, x: string, middle: Middle): string {
  const { outer, count, inner } = middle;
  if (kernelFor(scope, middle) === 'ones') {
    const matrix = scope.emit('Reshape', [x, scope.ints([count, inner])]);
    return scope.emit('MatMul', [scope.fill('float32', 1, [1, count]), matrix]);
  }
  const view = scope.emit('Reshape', [x, scope.ints(inner === 1 ? [outer, count] : [outer, count, inner])]);
  return scope.emit('ReduceSum', [view, scope.ints([1])], { attributes: { keepdims: 0 } });
}

/** A count without a divisor near the size of a block: what whole blocks hold, and the rest. */
function sumUneven(scope: Scope, x: string, { outer, count, inner, block }: Middle & { readonly block: number }): string {
  const view = scope.emit('Reshape', [x, scope.ints([outer, count, inner])]);
  const part = (start: number, stop: number): string => {
    const piece = scope.emit('Slice', [view, scope.ints([start]), scope.ints([stop]), scope.ints([1])]);
    return scope.emit('Reshape', [sumMiddle(scope, piece, { outer, count: stop - start, inner }), scope.ints([outer, inner])]);
  };
  const whole = count - (count % block);
  return scope.emit('Add', [part(0, whole), part(whole, count)]);
}

/** Inner products are added in 16 lanes. */
const LONGEST_DOT = 1024;
/** A product of matrices for each row costs more than it saves below this. */
const SHORTEST_DOT = 256;

/** Inner products of rows, [rows, length] by [rows, length] -> [rows], long ones in blocks. */
export function dotRows(scope: Scope, [a, b]: readonly [string, string], { outer, count }: Omit<Middle, 'inner'>): string {
  const block = largestDivisor(count, LONGEST_DOT);
  const blocks = count / block;
  // In one lane no block is both short enough and worth a product.
  if (block < SHORTEST_DOT || scope.provider === 'wasm') {
    const flat = scope.ints([outer, count]);
    const products = scope.emit('Mul', [scope.emit('Reshape', [a, flat]), scope.emit('Reshape', [b, flat])]);
    return sumMiddle(scope, products, { outer, count, inner: 1 });
  }
  const matrix = scope.ints([outer * blocks, 1, block]);
  const operands = [scope.emit('Reshape', [a, matrix]), scope.emit('Reshape', [b, matrix])];
  const dots = scope.emit('FusedMatMul', operands, { attributes: { transB: 1 }, domain: 'com.microsoft' });
  return blocks === 1 ? dots : sumMiddle(scope, dots, { outer, count: blocks, inner: 1 });
}
