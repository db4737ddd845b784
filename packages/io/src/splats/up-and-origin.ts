import { UserError } from '@langevin/tensor';

/** A direction or a place. */
export type Triple = readonly [x: number, y: number, z: number];

/** How a cloud lies in the world. */
export interface UpAndOrigin {
  /** Which way is up in the world, not all 0; kept by PLY and the 4D container. @default unknown */
  readonly up?: readonly [x: number, y: number, z: number];
  /**
   * What is added to the centres to have them in the world's coordinates, in float64: for places so far from 0, as on maps, that float32
   * would be too coarse. Kept by PLY, which then holds doubles, and the 4D container; other formats refuse it. @default [0, 0, 0]
   */
  readonly origin?: readonly [x: number, y: number, z: number];
}

/** How brush and nerfstudio's exporter mark which axis is up; ours is a direction where none of them is. */
const UP_COMMENT = 'Vertical Axis:';
/** Where float32 programs may move a file whose coordinates are doubles. */
const ORIGIN_COMMENT = 'Origin:';

const AXES = ['x', 'y', 'z'];

/** Three finite numbers, of which a direction has one that is not 0. @throws {UserError} otherwise */
export function checkPlacement({ up, origin }: UpAndOrigin): void {
  for (const [name, triple] of Object.entries({ up, origin })) {
    if (triple === undefined) continue;
    const finite = Array.isArray(triple) && triple.length === 3 && triple.every(Number.isFinite);
    if (!finite || (name === 'up' && Math.hypot(...triple) === 0))
      throw new UserError(
        `[io/splats] metadata.${name} is not three numbers: ${name}=${JSON.stringify(triple)}. Pass a list such as [0, 0, 1].`,
      );
  }
}

/** Comments of a PLY file that say which way is up and where its origin is. */
export function placementComments({ up, origin }: UpAndOrigin): readonly string[] {
  const axis = up?.findIndex((value, i) => value > 0 && up.every((other, j) => i === j || other === 0)) ?? -1;
  return [
    ...(up === undefined ? [] : [`${UP_COMMENT} ${axis >= 0 ? AXES[axis]! : up.join(' ')}`]),
    ...(origin === undefined ? [] : [`${ORIGIN_COMMENT} ${origin.join(' ')}`]),
  ];
}

/** What comments say of the placement, and the others. */
export function readPlacement(comments: readonly string[]): {
  readonly placement: UpAndOrigin;
  readonly others: readonly string[];
} {
  const up = comments.map((comment) => upOf(after(comment, UP_COMMENT))).find((found) => found !== undefined);
  const origin = comments.map((comment) => tripleOf(after(comment, ORIGIN_COMMENT))).find((found) => found !== undefined);
  const others = comments.filter(
    (comment) => upOf(after(comment, UP_COMMENT)) === undefined && tripleOf(after(comment, ORIGIN_COMMENT)) === undefined,
  );
  return { placement: { ...(up && { up }), ...(origin && { origin }) }, others };
}

function after(comment: string, key: string): string {
  return comment.toLowerCase().startsWith(key.toLowerCase()) ? comment.slice(key.length).trim() : '';
}

function upOf(text: string): Triple | undefined {
  const match = /^([+-]?)([xyz])$/i.exec(text);
  if (match === null) {
    const triple = tripleOf(text);
    return triple !== undefined && Math.hypot(...triple) > 0 ? triple : undefined;
  }
  const axis = AXES.indexOf(match[2]!.toLowerCase());
  const [x, y, z] = AXES.map((_, i) => (i === axis ? (match[1] === '-' ? -1 : 1) : 0)) as [number, number, number];
  return [x, y, z];
}

function tripleOf(text: string): Triple | undefined {
  const words = text.split(/[\s,]+/);
  const values = words.map((word) => (word === '' ? NaN : Number(word)));
  return values.length === 3 && values.every(Number.isFinite) ? (values as unknown as Triple) : undefined;
}

/** Beyond this many sizes of the cloud, float32 rounds places to more than a hundred thousandth of its size. */
const MOST_SIZES = 100;

/** A round origin near the middle of coordinates that are too far from 0 for float32; undefined where they are not. */
export function originOfDoubles(positions: Float64Array): Triple | undefined {
  const count = positions.length / 3;
  const axis = (i: number): Float64Array => positions.filter((_, at) => at % 3 === i).sort();
  const sorted = [0, 1, 2].map(axis);
  const quantile = (values: Float64Array, share: number): number => values[Math.min(count - 1, Math.floor(share * count))]!;
  const middle = sorted.map((values) => quantile(values, 0.5));
  // Of most of them: a stray one says nothing about the size.
  const size = Math.max(1e-3, ...sorted.map((values) => (quantile(values, 0.9) - quantile(values, 0.1)) / 2));
  if (count === 0 || !middle.every(Number.isFinite) || !(Math.hypot(...middle) > MOST_SIZES * size)) return undefined;
  const unit = 10 ** Math.floor(Math.log10(size));
  const [x, y, z] = middle.map((value) => Math.round(value / unit) * unit) as [number, number, number];
  return [x, y, z];
}
