import { UserError } from '@langevin/tensor';

/**
 * How pictures come to another size; distances under different ones are not comparable:
 * - `none`: they must have the size already
 * - `area`: the mean of the area that each new pixel covers
 * - `bilinear-tf1`: TensorFlow 1's without aligned corners, which reads at x * from / to and does not smooth: that of the first FID
 * - `bilinear`: at pixel centres, without smoothing: `torch.nn.functional.interpolate(align_corners=False)`
 * - `bilinear-antialias`, `bicubic-antialias`: Pillow's, whose kernel widens where pictures shrink (cubic: a = -0.5): that of clean-fid
 */
export type ResizeFilter = 'none' | 'area' | 'bilinear-tf1' | 'bilinear' | 'bilinear-antialias' | 'bicubic-antialias';

/** Their names. */
export const resizeFilters: readonly ResizeFilter[] = [
  'none',
  'area',
  'bilinear-tf1',
  'bilinear',
  'bilinear-antialias',
  'bicubic-antialias',
];

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Which old pixels make a new one, and how much each counts. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/**
 * One plane of numbers at another size, in float64 and without rounding between the two directions.
 *
 * @throws UserError where the filter is 'none' and sizes differ
 */
export function resamplePlane(
  plane: Float64Array,
  { from, to, filter }: { readonly from: Size; readonly to: Size; readonly filter: ResizeFilter },
): Float64Array {
  if (from.width === to.width && from.height === to.height) return plane;
  if (filter === 'none')
    throw new UserError(
      `[metrics/resize] picture is not of the network's size: ${from.width}x${from.height}, wanted ${to.width}x${to.height}. Name a `
        + 'filter to resize it with.',
    );
  const across = tapsOf(filter, from.width, to.width);
  const rows = new Float64Array(from.height * to.width);
  for (let y = 0; y < from.height; y += 1) {
    across.forEach(({ first, weights }, x) => {
      let sum = 0;
      for (let k = 0; k < weights.length; k += 1) sum += weights[k]! * plane[y * from.width + first + k]!;
      rows[y * to.width + x] = sum;
    });
  }
  const down = tapsOf(filter, from.height, to.height);
  const result = new Float64Array(to.height * to.width);
  down.forEach(({ first, weights }, y) => {
    for (let k = 0; k < weights.length; k += 1) {
      const row = (first + k) * to.width;
      for (let x = 0; x < to.width; x += 1) result[y * to.width + x]! += weights[k]! * rows[row + x]!;
    }
  });
  return result;
}

function tapsOf(filter: Exclude<ResizeFilter, 'none'>, from: number, to: number): readonly Taps[] {
  const places = Array.from({ length: to }, (_, i) => i);
  switch (filter) {
    case 'area':
      return places.map((i) => kernelTaps({ centre: ((i + 0.5) * from) / to, from, scale: from / to, kind: 'area' }));
    case 'bilinear-tf1':
      return places.map((i) => twoTaps((i * from) / to, from));
    case 'bilinear':
      return places.map((i) => twoTaps(Math.max(((i + 0.5) * from) / to - 0.5, 0), from));
    case 'bilinear-antialias':
    case 'bicubic-antialias':
      return places.map((i) =>
        kernelTaps({
          centre: ((i + 0.5) * from) / to,
          from,
          scale: Math.max(from / to, 1),
          kind: filter === 'bilinear-antialias' ? 'linear' : 'cubic',
        }),
      );
  }
}

function twoTaps(at: number, from: number): Taps {
  const first = Math.min(Math.floor(at), from - 1);
  if (first === from - 1) return { first, weights: [1] };
  return { first, weights: [1 - (at - first), at - first] };
}

const KERNELS = {
  linear: { support: 1, value: (x: number) => Math.max(0, 1 - Math.abs(x)) },
  cubic: { support: 2, value: cubic },
} as const;

function kernelTaps({
  centre,
  from,
  scale,
  kind,
}: {
  readonly centre: number;
  readonly from: number;
  readonly scale: number;
  readonly kind: 'area' | keyof typeof KERNELS;
}): Taps {
  if (kind === 'area') {
    const [begin, end] = [centre - scale / 2, centre + scale / 2];
    // Sums of fractions may end a unit in the last place behind a pixel's edge.
    const first = Math.min(Math.floor(begin + 1e-9), from - 1);
    const last = Math.min(Math.max(Math.ceil(end - 1e-9), first + 1), from);
    const lengths = Array.from({ length: last - first }, (_, k) => Math.min(end, first + k + 1) - Math.max(begin, first + k));
    return { first, weights: normalised(lengths) };
  }
  const { support, value } = KERNELS[kind];
  const reach = support * scale;
  const first = Math.max(0, Math.floor(centre - reach + 0.5));
  const last = Math.min(from, Math.floor(centre + reach + 0.5));
  return { first, weights: normalised(Array.from({ length: last - first }, (_, k) => value((first + k - centre + 0.5) / scale))) };
}

/** Keys 1981 with a = -0.5, as Pillow has it. */
function cubic(x: number): number {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
  return 0;
}

function normalised(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
