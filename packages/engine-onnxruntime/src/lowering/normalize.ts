import { sizeOf } from '@langevin/tensor';
import { castTo } from './kernels.ts';
import type { Operand, Scope } from './scope.ts';
import { sumInBlocks } from './sum.ts';

export interface NormalizeParams {
  readonly axes: number;
  readonly epsilon: number;
}

/**
 * From this many numbers on LayerNormalization is off by more than 2^-20: its sum of squares has 8 lanes, and on WebGPU it takes the
 * difference of two large sums.
 */
const LONGEST_ROW = { any: 2 ** 17, wasm: 2 ** 14, webgpu: 2 ** 12 } as const;

/** y, mean and inverse deviation over the last axes. The statistics are always float32, so float16 is widened before and narrowed after. */
export function normalizeRows(scope: Scope, x: Operand, { axes, epsilon }: NormalizeParams): readonly string[] {
  const wide = x.dtype === 'float16' ? castTo(scope, x, 'float32') : x.name;
  const axis = x.shape.length - axes;
  const results =
    sizeOf(x.shape.slice(axis)) > LONGEST_ROW[scope.provider]
      ? inBlocks(scope, wide, { shape: x.shape, axis, epsilon })
      : inOne(scope, wide, { shape: x.shape, axis, epsilon });
  return x.dtype === 'float16' ? results.map((result) => castTo(scope, result, 'float16')) : results;
}

interface Rows {
  readonly shape: readonly number[];
  readonly axis: number;
  readonly epsilon: number;
}

function inOne(scope: Scope, x: string, { shape, axis, epsilon }: Rows): readonly string[] {
  const ones = scope.fill('float32', 1, shape.slice(axis));
  return scope.emitMany('LayerNormalization', [x, ones], { attributes: { axis, epsilon: { float: epsilon } }, results: 3 });
}

function inBlocks(scope: Scope, x: string, { shape, axis, epsilon }: Rows): readonly string[] {
  const sum = { shape, axes: shape.flatMap((_, i) => (i < axis ? [] : [i])), out: shape.map((n, i) => (i < axis ? n : 1)) };
  const count = scope.fill('float32', sizeOf(shape.slice(axis)));
  const mean = scope.emit('Div', [sumInBlocks(scope, x, sum), count]);
  const centred = scope.emit('Sub', [x, mean]);
  const variance = scope.emit('Div', [sumInBlocks(scope, scope.emit('Mul', [centred, centred]), sum), count]);
  const deviation = scope.emit('Sqrt', [scope.emit('Add', [variance, scope.fill('float32', epsilon)])]);
  return [scope.emit('Div', [centred, deviation]), mean, scope.emit('Reciprocal', [deviation])];
}
