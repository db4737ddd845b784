import { UserError } from '@langevin/tensor';
import { roundHalfEven } from './float32.ts';

/** torch's names of how images are enlarged, with the number of axes that each takes after batch and channels. */
export const RESIZE_MODES = {
  nearest: [1, 2, 3],
  linear: [1],
  bilinear: [2],
  bicubic: [2],
  trilinear: [3],
  area: [1, 2, 3],
  'nearest-exact': [1, 2, 3],
} as const satisfies Record<string, readonly number[]>;
export type ResizeMode = keyof typeof RESIZE_MODES;

/** Of cubic convolution (Keys 1981), as torch has it. */
const CUBIC = -0.75;

/** A place of the result as shares of places of the source. */
type Shares = readonly (readonly [place: number, share: number])[];

/**
 * torch.nn.functional.interpolate with `size` and without aligned corners: every mode is one axis after another.
 *
 * @param shape [N, C, ...] of the values
 * @param options.size new sizes of all axes after the first two
 * @throws UserError when the mode does not take so many axes, or nothing would be left
 */
export function resized(
  values: Float32Array | Float64Array,
  shape: readonly number[],
  { size, mode }: { readonly size: readonly number[]; readonly mode: ResizeMode },
): Float64Array {
  const axes: readonly number[] = RESIZE_MODES[mode];
  if (!axes.includes(size.length))
    throw new UserError(
      `[samplers/compat] states of this shape cannot be resized so: upscale_mode="${mode}", shape=[${shape.join(', ')}]. The mode `
        + `takes ${axes.join(', ')} axes after batch and channels.`,
    );
  let out = Float64Array.from(values);
  let [outer, inner] = [shape[0]! * shape[1]!, size.reduce((product, _, i) => product * shape[i + 2]!, 1)];
  size.forEach((count, i) => {
    const length = shape[i + 2]!;
    inner /= length;
    const shares = Array.from({ length: count }, (_, k) => sharesOf(mode, k, { length, count }));
    out = alongAxis(out, { outer, length, inner, shares });
    outer *= count;
  });
  return out;
}

/** The sizes of axes that are multiplied by a factor, rounded as Python rounds. @throws UserError when one is less than 1 */
export function scaledSize(size: readonly number[], factor: number): number[] {
  const scaled = size.map((each) => roundHalfEven(factor * each));
  if (scaled.some((each) => each < 1))
    throw new UserError(
      `[samplers/compat] nothing would be left of the state: scale factor ${factor} of [${size.join(', ')}]. Pass larger factors.`,
    );
  return scaled;
}

function alongAxis(
  values: Float64Array,
  {
    outer,
    length,
    inner,
    shares,
  }: { readonly outer: number; readonly length: number; readonly inner: number; readonly shares: readonly Shares[] },
): Float64Array<ArrayBuffer> {
  const out = new Float64Array(outer * shares.length * inner);
  for (let o = 0; o < outer; o++) {
    shares.forEach((row, k) => {
      const to = (o * shares.length + k) * inner;
      for (const [place, share] of row) {
        const from = (o * length + place) * inner;
        for (let i = 0; i < inner; i++) out[to + i]! += share * values[from + i]!;
      }
    });
  }
  return out;
}

function sharesOf(mode: ResizeMode, k: number, { length, count }: { readonly length: number; readonly count: number }): Shares {
  const last = length - 1;
  const scale = length / count;
  // Places are found in float32 there.
  const near = (place: number): Shares => [[Math.min(Math.floor(Math.fround(place * Math.fround(scale))), last), 1]];
  const inside = (place: number): number => Math.min(Math.max(place, 0), last);
  const centre = scale * (k + 0.5) - 0.5;
  switch (mode) {
    case 'nearest':
      return near(k);
    case 'nearest-exact':
      return near(k + 0.5);
    case 'area': {
      const [from, to] = [Math.floor((k * length) / count), Math.ceil(((k + 1) * length) / count)];
      return Array.from({ length: to - from }, (_, i) => [from + i, 1 / (to - from)]);
    }
    case 'bicubic': {
      const [below, t] = [Math.floor(centre), centre - Math.floor(centre)];
      return [-1, 0, 1, 2].map((offset) => [inside(below + offset), cubicShare(Math.abs(t - offset))]);
    }
    case 'linear':
    case 'bilinear':
    case 'trilinear': {
      const place = Math.max(centre, 0);
      const [below, t] = [Math.floor(place), place - Math.floor(place)];
      return [
        [below, 1 - t],
        [inside(below + 1), t],
      ];
    }
  }
}

function cubicShare(distance: number): number {
  const d = distance;
  return d <= 1 ? ((CUBIC + 2) * d - (CUBIC + 3)) * d * d + 1 : ((CUBIC * d - 5 * CUBIC) * d + 8 * CUBIC) * d - 4 * CUBIC;
}
