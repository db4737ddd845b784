import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import type { PoolParams } from '../graph/primitives.ts';
import { readOptions } from '../read-options.ts';
import { checkNumbers, showShape, sizeOf } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import type { ValueInfo } from '../graph/graph.ts';
import { add, div, maximum } from './binary.ts';
import { paddingPairs, perAxis, spatialRank, type Padding } from './conv.ts';
import { reshape } from './shaping.ts';
import { pad, slice } from './slicing.ts';
import { mean } from './statistics.ts';

function inferPool(op: string, x: ValueInfo, { kernel, strides, padding }: PoolParams): readonly ValueInfo[] {
  const spatial = x.shape.slice(2);
  const sizes = spatial.map(
    (n, i) => Math.floor((n + (padding[i]?.[0] ?? NaN) + (padding[i]?.[1] ?? NaN) - (kernel[i] ?? NaN)) / (strides[i] ?? NaN)) + 1,
  );
  if (!isFloating(x.dtype)) throw new UserError(`[tensor/${op}] dtype is not a float: dtype=${x.dtype}. cast(x, 'float32') first.`);
  const oneEach = [kernel, strides, padding].every((list) => list.length === spatial.length);
  const whole =
    [...kernel, ...strides].every((n) => Number.isInteger(n) && n >= 1) && padding.flat().every((n) => Number.isInteger(n) && n >= 0);
  if (
    spatial.length === 0
    || !oneEach
    || !whole
    || sizes.some((n) => !(n >= 1))
    || padding.some(([a, b], i) => a >= kernel[i]! || b >= kernel[i]!)
  ) {
    throw new UserError(
      `[tensor/${op}] window does not fit: x=${showShape(x.shape)}, kernel=[${kernel.join(', ')}], `
        + `strides=[${strides.join(', ')}], padding=${JSON.stringify(padding)}. Padding must be smaller than the kernel, the kernel no `
        + 'larger than the padded input.',
    );
  }
  return [{ shape: [...x.shape.slice(0, 2), ...sizes], dtype: x.dtype }];
}

/** One strided slice for each position in the window: windows[k] holds element k of every window. */
function windows(x: Tensor, { kernel, strides, padding }: PoolParams, border: number): Tensor[] {
  const padded = pad(x, [[0, 0], [0, 0], ...padding], border);
  const counts = kernel.map((k, i) => Math.floor((padded.shape[i + 2]! - k) / strides[i]!) + 1);
  return Array.from({ length: sizeOf(kernel) }, (_, flat) => {
    let rest = flat;
    const ranges: Record<number, { start: number; stop: number; step: number }> = {};
    for (let i = kernel.length - 1; i >= 0; i--) {
      const start = rest % kernel[i]!;
      rest = Math.floor(rest / kernel[i]!);
      ranges[i + 2] = { start, stop: start + (counts[i]! - 1) * strides[i]! + 1, step: strides[i]! };
    }
    return slice(padded, ranges);
  });
}

export const maxPoolOp: OpDefinition<'maxPool'> = {
  op: 'maxPool',
  infer: ([x], params) => inferPool('maxPool', x!, params),
  // At ties the first element of the window wins and takes the gradient, as in PyTorch.
  expand: ([x], params) => [windows(x!, params, -Infinity).reduce(maximum)],
};

export const avgPoolOp: OpDefinition<'avgPool'> = {
  op: 'avgPool',
  infer: ([x], params) => inferPool('avgPool', x!, params),
  expand: ([x], params) => [meanOfTiles(x!, params) ?? div(windows(x!, params, 0).reduce(add), sizeOf(params.kernel))],
};

/** Windows that tile the image: a mean over axes. */
function meanOfTiles(x: Tensor, { kernel, strides, padding }: PoolParams): Tensor | undefined {
  const spatial = x.shape.slice(2);
  const tiles = kernel.every((k, i) => k === strides[i] && spatial[i]! % k === 0) && padding.flat().every((n) => n === 0);
  if (!tiles) return undefined;
  const blocks = reshape(x, [...x.shape.slice(0, 2), ...spatial.flatMap((n, i) => [n / kernel[i]!, kernel[i]!])]);
  return mean(blocks, { axes: kernel.map((_, i) => 3 + 2 * i) });
}

/** Engines' kernels for pools add up a window one by one: a larger one is a mean, which is added in blocks. */
const LARGEST_WINDOW = 64;

export interface PoolOptions {
  readonly kernel: number | readonly number[];
  /** @default the kernel */
  readonly stride?: number | readonly number[];
  /** Smaller than the kernel. @default 0 */
  readonly padding?: Padding;
}

function paramsOf(where: string, x: Tensor, options: PoolOptions): PoolParams {
  const axes = spatialRank(where, x);
  const { kernel, stride = kernel, padding = 0 } = readOptions(where, options, ['kernel', 'stride', 'padding']);
  const all = { kernel: perAxis(kernel, axes), strides: perAxis(stride, axes) };
  checkNumbers(where, all);
  return { ...all, padding: paddingPairs(where, padding, axes) };
}

/** Largest element of each window over [N, C, ...spatial], NaN where the window holds one; padding counts as -infinity. */
export function maxPool(x: Tensor, options: PoolOptions): Tensor {
  return apply1(maxPoolOp, [x], paramsOf('tensor/maxPool', x, options));
}

/** Mean of each window over [N, C, ...spatial]; padding counts, as PyTorch's default does. */
export function avgPool(x: Tensor, options: PoolOptions): Tensor {
  const params = paramsOf('tensor/avgPool', x, options);
  const pooled = apply1(avgPoolOp, [x], params);
  return (sizeOf(params.kernel) > LARGEST_WINDOW ? meanOfTiles(x, params) : undefined) ?? pooled;
}
