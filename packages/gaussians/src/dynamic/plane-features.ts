import { hostOp, reshape, type Tensor } from '@langevin/tensor';
import type { FloatArray } from '../gaussians.ts';

/** Pairs of x, y, z and time (0 to 3): the columns of a plane lie along the first, its rows along the second. */
export const PLANE_AXES = [
  [0, 1],
  [0, 2],
  [1, 2],
  [0, 3],
  [1, 3],
  [2, 3],
] as const;

/** The six planes of a scale, in the order of {@link PLANE_AXES}. */
export interface PlanesOfScale<Plane> {
  /** Samples along x, y, z and time, 2 at least. */
  readonly samples: readonly [number, number, number, number];
  /** [samples of the second axis, samples of the first axis, features] */
  readonly planes: readonly Plane[];
}

/** Where planes are looked at. */
interface PlacesInPlanes {
  /** [N, 3], in [-1, 1]; held at the ends. */
  readonly position: FloatArray;
  /** Of all of them, in [-1, 1]. */
  readonly time: number;
}

/**
 * Features of points: on every scale the product of what six planes hold there, bilinearly. In plain loops, which take a fraction of the
 * time of the same algebra as look-ups, weights and sums of whole tensors.
 *
 * @param output.into [N, scales, features]
 */
export function samplePlanes<A extends FloatArray>(
  { position, time }: PlacesInPlanes,
  scales: readonly PlanesOfScale<FloatArray>[],
  { features, into }: { readonly features: number; readonly into: A },
): A {
  const cell = cells();
  const { first, below, weights } = cell;
  const count = position.length / 3;
  const order = neighbourly(position);
  for (let n = 0; n < count; n++) {
    const i = order[n]!;
    for (let scale = 0, to = i * scales.length * features; scale < scales.length; scale++, to += features) {
      const { samples, planes } = scales[scale]!;
      locate(cell, { position, time, samples, features }, i);
      into.fill(1, to, to + features);
      for (let k = 0; k < 6; k++) {
        const data = planes[k]!;
        const [w00, w10, w01, w11] = [weights[4 * k]!, weights[4 * k + 1]!, weights[4 * k + 2]!, weights[4 * k + 3]!];
        for (let f = 0, at = first[k]!, under = at + below[k]!; f < features; f++, at++, under++) {
          into[to + f] =
            into[to + f]! * (w00 * data[at]! + w10 * data[at + features]! + w01 * data[under]! + w11 * data[under + features]!);
        }
      }
    }
  }
  return into;
}

/**
 * The way back of {@link samplePlanes}.
 *
 * @param cotangent [N, scales, features]
 * @param into gets the gradients by the positions, [N, 3], and by the planes, added to what is there
 * @returns the gradient by the time
 */
export function pullPlanes(
  { position, time }: PlacesInPlanes,
  scales: readonly PlanesOfScale<FloatArray>[],
  {
    features,
    cotangent,
    into,
  }: {
    readonly features: number;
    readonly cotangent: FloatArray;
    readonly into: { readonly position: FloatArray; readonly planes: readonly (readonly FloatArray[])[] };
  },
): number {
  const cell = cells();
  const { first, below, weights, fraction, speed } = cell;
  const count = position.length / 3;
  const values = new Float64Array(6 * features);
  const pulls = new Float64Array(6 * features);
  const slopes = new Float64Array(4);
  let byTime = 0;
  const order = neighbourly(position);
  for (let n = 0; n < count; n++) {
    const i = order[n]!;
    for (let scale = 0, from = i * scales.length * features; scale < scales.length; scale++, from += features) {
      const { samples, planes } = scales[scale]!;
      const gradients = into.planes[scale]!;
      locate(cell, { position, time, samples, features }, i);
      for (let k = 0, to = 0; k < 6; k++) {
        const data = planes[k]!;
        const [w00, w10, w01, w11] = [weights[4 * k]!, weights[4 * k + 1]!, weights[4 * k + 2]!, weights[4 * k + 3]!];
        for (let f = 0, at = first[k]!, under = at + below[k]!; f < features; f++, at++, under++, to++) {
          values[to] = w00 * data[at]! + w10 * data[at + features]! + w01 * data[under]! + w11 * data[under + features]!;
        }
      }
      // The product of the other five, without dividing: what lies before, times what lies after.
      for (let f = 0; f < features; f++) {
        let before = cotangent[from + f]!;
        for (let k = f; k < 6 * features; k += features) {
          pulls[k] = before;
          before *= values[k]!;
        }
        let after = 1;
        for (let k = 5 * features + f; k >= 0; k -= features) {
          pulls[k] = pulls[k]! * after;
          after *= values[k]!;
        }
      }
      slopes.fill(0);
      for (let k = 0, to = 0; k < 6; k++) {
        const data = planes[k]!;
        const gradient = gradients[k]!;
        const [across, down] = PLANE_AXES[k]!;
        const [s, t] = [fraction[across]!, fraction[down]!];
        const [w00, w10, w01, w11] = [weights[4 * k]!, weights[4 * k + 1]!, weights[4 * k + 2]!, weights[4 * k + 3]!];
        let bySide = 0;
        let byHeight = 0;
        for (let f = 0, at = first[k]!, under = at + below[k]!; f < features; f++, at++, under++, to++) {
          const pull = pulls[to]!;
          const top = data[at + features]! - data[at]!;
          const bottom = data[under + features]! - data[under]!;
          gradient[at] = gradient[at]! + w00 * pull;
          gradient[at + features] = gradient[at + features]! + w10 * pull;
          gradient[under] = gradient[under]! + w01 * pull;
          gradient[under + features] = gradient[under + features]! + w11 * pull;
          bySide += pull * (top + t * (bottom - top));
          byHeight += pull * (data[under]! - data[at]! + s * (bottom - top));
        }
        slopes[across] = slopes[across]! + bySide;
        slopes[down] = slopes[down]! + byHeight;
      }
      for (let axis = 0; axis < 3; axis++) into.position[3 * i + axis] = into.position[3 * i + axis]! + slopes[axis]! * speed[axis]!;
      byTime += slopes[3]! * speed[3]!;
    }
  }
  return byTime;
}

/** {@link samplePlanes} as a tensor with gradients to the positions [N, 3], the time [] and the planes; not with gradients of gradients. */
export function planeFeatures(position: Tensor, time: Tensor, scales: readonly PlanesOfScale<Tensor>[]): Tensor {
  const features = scales[0]!.planes[0]!.shape[2]!;
  const inputs = [position, reshape(time, [1]), ...scales.flatMap(({ planes }) => planes)];
  const outputs = [{ shape: [position.shape[0]!, features * scales.length] }];
  const given = (arrays: readonly unknown[]): { readonly at: PlacesInPlanes; readonly planes: readonly PlanesOfScale<Float32Array>[] } => {
    const [where, when, ...planes] = arrays as readonly [Float32Array, Float32Array, ...Float32Array[]];
    return {
      at: { position: where, time: when[0]! },
      planes: scales.map(({ samples }, i) => ({ samples, planes: planes.slice(6 * i, 6 * i + 6) })),
    };
  };
  const [found] = hostOp({
    name: 'features of planes',
    inputs,
    outputs,
    run: (arrays) => {
      const { at, planes } = given(arrays);
      const into = new Float32Array((at.position.length / 3) * features * scales.length);
      return [samplePlanes(at, planes, { features, into })];
    },
    gradient: ({ inputs: own, cotangents: [cotangent] }) =>
      hostOp({
        name: 'features of planes, the way back',
        inputs: [...own, cotangent!],
        outputs: own,
        run: (arrays) => {
          const { at, planes } = given(arrays);
          const into = {
            position: new Float32Array(at.position.length),
            planes: planes.map((scale) => scale.planes.map((plane) => new Float32Array(plane.length))),
          };
          const byTime = pullPlanes(at, planes, { features, cotangent: arrays.at(-1) as Float32Array, into });
          return [into.position, Float32Array.of(byTime), ...into.planes.flat()];
        },
      }),
  });
  return found!;
}

/** Cells along a side, by whose place on a Z-shaped curve points are visited. */
const SIDE = 16;
/** The bits of a number below {@link SIDE}, two places apart. */
const SPREAD = Int32Array.from({ length: SIDE }, (_, n) => [0, 1, 2, 3].reduce((bits, k) => bits | (((n >> k) & 1) << (3 * k)), 0));

/**
 * An order in which neighbours follow each other, so that the samples they share are still at hand: half the time, for points in any order.
 */
function neighbourly(position: FloatArray): Int32Array {
  const count = position.length / 3;
  const place = (value: number): number => SPREAD[Math.min(SIDE - 1, Math.max(0, Math.floor(((value + 1) * SIDE) / 2)))]!;
  const code = new Int32Array(count);
  const starts = new Int32Array(SIDE ** 3 + 1);
  for (let i = 0; i < count; i++) {
    code[i] = place(position[3 * i]!) | (place(position[3 * i + 1]!) << 1) | (place(position[3 * i + 2]!) << 2);
    starts[code[i]! + 1]!++;
  }
  for (let c = 0; c < SIDE ** 3; c++) starts[c + 1] = starts[c + 1]! + starts[c]!;
  const order = new Int32Array(count);
  for (let i = 0; i < count; i++) order[starts[code[i]!]!++] = i;
  return order;
}

/** Where a point lies among the samples of each axis, and in each plane. */
interface Cells {
  /** The sample before it. */
  readonly index: Int32Array;
  /** How far beyond that, 0 to 1. */
  readonly fraction: Float64Array;
  /** Samples per unit; 0 where it is held at an end. */
  readonly speed: Float64Array;
  /** In each plane, where the first of its four samples begins, and how far below it the third. */
  readonly first: Int32Array;
  readonly below: Int32Array;
  /** Weights of the four. */
  readonly weights: Float64Array;
}

function cells(): Cells {
  return {
    index: new Int32Array(4),
    fraction: new Float64Array(4),
    speed: new Float64Array(4),
    first: new Int32Array(6),
    below: new Int32Array(6),
    weights: new Float64Array(24),
  };
}

function locate(
  { index, fraction, speed, first, below, weights }: Cells,
  { position, time, samples, features }: PlacesInPlanes & Pick<PlanesOfScale<unknown>, 'samples'> & { readonly features: number },
  point: number,
): void {
  for (let axis = 0; axis < 4; axis++) {
    const most = samples[axis]! - 1;
    const free = (((axis < 3 ? position[3 * point + axis]! : time) + 1) * most) / 2;
    const at = Math.min(most, Math.max(0, free));
    index[axis] = Math.min(most - 1, Math.floor(at));
    fraction[axis] = at - index[axis]!;
    speed[axis] = at === free ? most / 2 : 0;
  }
  for (let k = 0; k < 6; k++) {
    const [across, down] = PLANE_AXES[k]!;
    const [s, t] = [fraction[across]!, fraction[down]!];
    first[k] = (index[across]! + index[down]! * samples[across]!) * features;
    below[k] = samples[across]! * features;
    weights[4 * k] = (1 - s) * (1 - t);
    weights[4 * k + 1] = s * (1 - t);
    weights[4 * k + 2] = (1 - s) * t;
    weights[4 * k + 3] = s * t;
  }
}
