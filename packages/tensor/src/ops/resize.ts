import { UserError } from '../errors.ts';
import { checkChoice, readOptions } from '../read-options.ts';
import { checkNumbers, showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { tensor } from './create.ts';
import { gather } from './indexing.ts';
import { matmul } from './matmul.ts';
import { shapeOf } from './operands.ts';
import { repeat } from './slicing.ts';
import { broadcastTo, reshape, swapAxes } from './shaping.ts';
import { cast } from './unary.ts';

export interface ResizeOptions {
  /** Size of each spatial axis of the result. */
  readonly size: readonly number[];
  /** @default 'nearest' */
  readonly mode?: 'nearest' | 'bilinear';
  /** Whether corner pixels map to corner pixels (bilinear only); otherwise edges map to edges. @default 'edges' */
  readonly align?: 'edges' | 'corners';
}

/**
 * Resize the spatial axes of [N, C, ...spatial]. It samples as PyTorch's `interpolate` does without antialiasing: nearest takes
 * floor(i n / m), bilinear interpolates between the two nearest centres on every axis. Bilinear is a product with a matrix: a NaN or an
 * infinity spreads along the axes that are resized.
 */
export function resize(x: Tensor, options: ResizeOptions): Tensor {
  const given = readOptions('tensor/resize', options, ['size', 'mode', 'align']);
  const { size, mode = 'nearest', align = 'edges' } = given;
  checkNumbers('tensor/resize', { size });
  checkChoice('tensor/resize', { mode }, ['nearest', 'bilinear']);
  checkChoice('tensor/resize', { align }, ['edges', 'corners']);
  if (
    size.length !== shapeOf('tensor/resize', x).length - 2
    || size.some((n) => !Number.isInteger(n) || n < 1)
    || x.shape.slice(2).includes(0)
  ) {
    throw new UserError(
      `[tensor/resize] size does not fit: size=[${size.join(', ')}], x=${showShape(x.shape)}. Give a positive integer for each `
        + 'spatial axis.',
    );
  }
  return (
    repeated(x, given)
    ?? size.reduce((out, m, i) => {
      const axis = i + 2;
      const n = out.shape[axis]!;
      if (m === n) return out;
      return mode === 'nearest' ? nearest(out, axis, m) : linear(out, axis, { size: m, align });
    }, x)
  );
}

/** Whole repeats of pixels along one or two axes: one broadcast, and in the gradient one sum over windows. */
function repeated(x: Tensor, { size, mode = 'nearest' }: ResizeOptions): Tensor | undefined {
  const times = size.map((m, i) => m / x.shape[i + 2]!);
  const changed = times.filter((n) => n !== 1).length;
  if (mode !== 'nearest' || changed === 0 || changed > 2 || !times.every(Number.isInteger)) return undefined;
  const lead = x.shape.slice(0, 2);
  const parts = (repeats: readonly number[]): number[] => [
    ...lead,
    ...times.flatMap((n, i) => (n === 1 ? [x.shape[i + 2]!] : [x.shape[i + 2]!, repeats[i]!])),
  ];
  return reshape(broadcastTo(reshape(x, parts(times.map(() => 1))), parts(times)), [...lead, ...size]);
}

function nearest(x: Tensor, axis: number, m: number): Tensor {
  const n = x.shape[axis]!;
  if (m % n === 0) return repeat(x, m / n, axis);
  return gather(x, tensor(Int32Array.from({ length: m }, (_, i) => Math.min(Math.floor((i * n) / m), n - 1))), axis);
}

/** Interpolation along one axis is a product with a banded matrix: linear, so its gradient comes for free. */
function linear(x: Tensor, axis: number, { size: m, align }: { readonly size: number; readonly align: 'edges' | 'corners' }): Tensor {
  const n = x.shape[axis]!;
  const weights = new Float32Array(n * m);
  for (let i = 0; i < m; i++) {
    const centre = align === 'corners' ? (m === 1 ? 0 : (i * (n - 1)) / (m - 1)) : Math.max(((i + 0.5) * n) / m - 0.5, 0);
    const low = Math.min(Math.floor(centre), n - 1);
    const high = Math.min(low + 1, n - 1);
    weights[low * m + i]! += 1 - (centre - low);
    weights[high * m + i]! += centre - low;
  }
  const matrix = cast(tensor(weights, { shape: [n, m] }), x.dtype);
  if (axis === x.rank - 1) return matmul(x, matrix);
  return swapAxes(matmul(swapAxes(x, axis, -1), matrix), axis, -1);
}
