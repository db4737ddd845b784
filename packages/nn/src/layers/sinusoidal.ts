import { broadcastTo, cast, concat, cos, expandDims, mul, pad, sin, tensor, UserError, type Tensor } from '@langevin/tensor';
import { checkSizes } from '../check-sizes.ts';

export interface SinusoidalConfig {
  /** Size of the embedding; an odd size ends with a zero. */
  readonly size: number;
  /** Which half comes first. @default 'cos-sin', as most diffusion models have it */
  readonly order?: 'sin-cos' | 'cos-sin';
  /** Subtracted from half the size in the exponent's denominator. @default 0 */
  readonly frequencyShift?: number;
  /** Longest wave, in units of 2 pi times the input. @default 10000 */
  readonly maxPeriod?: number;
  /** Times the angle. @default 1 */
  readonly scale?: number;
}

/**
 * Sinusoidal embedding of numbers, computed in the graph: angle_i = scale t maxPeriod^(-i / (half - shift)). Vaswani et al. 2017, 3.5;
 * Ho et al. 2020. It equals `get_timestep_embedding` of diffusers.
 *
 * @param t [N], any dtype
 * @returns [N, size] float32
 * @example
 * sinusoidalEmbedding(tensor([0, 250]), { size: 64 }).shape; // => [2, 64]
 */
export function sinusoidalEmbedding(t: Tensor, config: SinusoidalConfig): Tensor {
  const { size, order = 'cos-sin', frequencyShift = 0, maxPeriod = 10000, scale = 1 } = config;
  checkSizes('sinusoidalEmbedding', { size });
  const half = Math.floor(size / 2);
  if (t.rank !== 1)
    throw new UserError(
      `[nn/sinusoidalEmbedding] input is not a list: t=[${t.shape.join(', ')}]. Give [N], one number for each item of the batch.`,
    );
  if (half < 1 || !(half - frequencyShift > 0)) {
    throw new UserError(
      `[nn/sinusoidalEmbedding] frequencies are not defined: size=${size}, frequencyShift=${frequencyShift}. floor(size / 2) must `
        + 'be larger than the shift.',
    );
  }
  // In float32 at each step, as the reference computes them: angles reach thousands, where the last bit of a frequency shows.
  const f = Math.fround;
  const frequencies = tensor(
    Float32Array.from({ length: half }, (_, i) => f(Math.exp(f(f(f(-Math.log(maxPeriod)) * i) / f(half - frequencyShift))))),
  );
  const product = mul(expandDims(cast(t, 'float32'), 1), frequencies);
  const angles = scale === 1 ? product : mul(product, scale);
  const halves = order === 'sin-cos' ? [sin(angles), cos(angles)] : [cos(angles), sin(angles)];
  const joined = concat(halves, 1);
  return size % 2 === 0
    ? joined
    : pad(joined, [
        [0, 0],
        [0, 1],
      ]);
}

/**
 * A batch of times from one number for all or one for each: [] or [1] or [N] to [N].
 *
 * @throws UserError when there are neither one nor `count` of them
 */
export function perItem(t: Tensor, count: number, name: string): Tensor {
  if (t.rank > 1 || (t.size !== 1 && t.size !== count)) {
    throw new UserError(
      `[nn/perItem] ${name} does not fit the batch: ${name}=[${t.shape.join(', ')}], batch=${count}. Give one number, or one for `
        + 'each item.',
    );
  }
  return t.rank === 1 && t.size === count ? t : broadcastTo(t, [count]);
}
