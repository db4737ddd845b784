import { shownValue, UserError } from '@langevin/tensor';
import { checkImage, type Image } from '../images/image.ts';

/** Colours of a film, three bytes each, 2..256 of them. */
export type Palette = Uint8Array;

/** Most colours that a GIF can have at once. */
const MOST_COLOURS = 256;
const BITS = 5;
const SIDE = 2 ** BITS;
/** Lloyd's steps after the cuts: the second gains a tenth of the error, the fourth nothing that is seen. */
const REFINEMENTS = 3;

/** A cell of the colour cube: how many pixels fell into it, and their sums. */
interface Cell {
  readonly place: readonly [number, number, number];
  count: number;
  readonly sum: [number, number, number];
}

/**
 * The colours that serve a set of pictures best: their colour cube is cut, each time where that removes most of the squared error (as Wu
 * 1991 cuts), and the cells' centres are refined by k-means. The same pictures give the same palette.
 *
 * @param images RGB, such as some frames of a film
 * @returns at most 256 colours, fewer when the pictures have fewer
 * @throws {UserError} when there is no picture, or one is not RGB
 */
export function filmPalette(images: readonly Image[]): Palette {
  if (!Array.isArray(images))
    throw new UserError(`[io/films] palette is of a list of pictures: images=${shownValue(images)}. Pass a list.`);
  if (images.length === 0) throw new UserError('[io/films] palette is of no picture: images=0. Pass one frame at least.');
  for (const image of images) checkImage(image, '[io/films] palette');
  const wrong = images.find(({ channels }) => channels !== 3);
  if (wrong !== undefined)
    throw new UserError(`[io/films] palette is of RGB pictures: channels=${wrong.channels}. Flatten alpha, and widen grey, first.`);
  const cells = cellsOf(images);
  let groups: readonly (readonly Cell[])[] = [cells];
  const cuts = [bestCut(cells)];
  while (groups.length < MOST_COLOURS) {
    const next = cuts.reduce((best, cut, i) => (cut.gain > (cuts[best]?.gain ?? 0) ? i : best), -1);
    if (next < 0 || cuts[next]!.gain <= 0) break;
    const { low, high } = cuts[next]!;
    groups = groups.flatMap((group, i) => (i === next ? [low, high] : [group]));
    cuts.splice(next, 1, bestCut(low), bestCut(high));
  }
  return bytesOf(refined(groups.map(meanOf), cells));
}

function cellsOf(images: readonly Image[]): readonly Cell[] {
  const table = new Map<number, Cell>();
  for (const { data } of images) {
    for (let at = 0; at < data.length; at += 3) {
      const [r, g, b] = [data[at]!, data[at + 1]!, data[at + 2]!];
      const place = [r >> (8 - BITS), g >> (8 - BITS), b >> (8 - BITS)] as const;
      const key = (place[0] * SIDE + place[1]) * SIDE + place[2];
      let cell = table.get(key);
      if (cell === undefined) table.set(key, (cell = { place, count: 0, sum: [0, 0, 0] }));
      cell.count++;
      cell.sum[0] += r;
      cell.sum[1] += g;
      cell.sum[2] += b;
    }
  }
  return [...table.values()];
}

interface Cut {
  /** Squared error that goes away with it. */
  readonly gain: number;
  readonly low: readonly Cell[];
  readonly high: readonly Cell[];
}

/** The cut in two, across one axis, that removes most of the squared error; no gain where there is none. */
function bestCut(cells: readonly Cell[]): Cut {
  let best = { gain: 0, axis: 0, at: 0 };
  for (let axis = 0; axis < 3; axis++) {
    // count and the three sums of each slice, so that a cut costs four additions
    const slices = new Float64Array(4 * SIDE);
    const total = [0, 0, 0, 0];
    for (const { place, count, sum } of cells) {
      [count, ...sum].forEach((value, i) => {
        slices[4 * place[axis]! + i]! += value;
        total[i]! += value;
      });
    }
    const low = [0, 0, 0, 0];
    for (let at = 0; at < SIDE - 1; at++) {
      for (let i = 0; i < 4; i++) low[i]! += slices[4 * at + i]!;
      const high = total.map((value, i) => value - low[i]!);
      if (low[0]! === 0 || high[0]! === 0) continue;
      const gain = weight(low) + weight(high) - weight(total);
      if (gain > best.gain + 1e-6) best = { gain, axis, at };
    }
  }
  const isLow = ({ place }: Cell): boolean => place[best.axis]! <= best.at;
  return { gain: best.gain, low: cells.filter(isLow), high: cells.filter((cell) => !isLow(cell)) };
}

/** |sum|^2 / count: what the squared error of a group is less by than that around the origin. */
const weight = ([count, r, g, b]: readonly number[]): number => (r! * r! + g! * g! + b! * b!) / count!;

function meanOf(cells: readonly Cell[]): readonly number[] {
  const total = cells.reduce((all, { count }) => all + count, 0);
  return [0, 1, 2].map((axis) => (total === 0 ? 0 : cells.reduce((all, { sum }) => all + sum[axis]!, 0) / total));
}

/** K-means over the cells, from given centres. */
function refined(centres: readonly (readonly number[])[], cells: readonly Cell[]): readonly (readonly number[])[] {
  let now = centres;
  for (let round = 0; round < REFINEMENTS; round++) {
    const bytes = bytesOf(now);
    const groups = now.map((): Cell[] => []);
    for (const cell of cells) {
      const { sum, count } = cell;
      groups[nearest(bytes, [sum[0] / count, sum[1] / count, sum[2] / count])]!.push(cell);
    }
    now = now.map((centre, i) => (groups[i]!.length === 0 ? centre : meanOf(groups[i]!)));
  }
  return now;
}

function bytesOf(colours: readonly (readonly number[])[]): Palette {
  // A palette of one colour is none: dithering wants two.
  const all = colours.length === 1 ? [colours[0]!, colours[0]!] : colours;
  return Uint8Array.from(all.flat(), (value) => Math.round(value));
}

/** Which colour of a palette is nearest to one of three numbers, which need not be bytes. */
export function nearest(palette: Palette, [r, g, b]: readonly [number, number, number]): number {
  let best = 0;
  let least = Infinity;
  for (let i = 0; i < palette.length; i += 3) {
    const [dr, dg, db] = [palette[i]! - r, palette[i + 1]! - g, palette[i + 2]! - b];
    const distance = dr * dr + dg * dg + db * db;
    if (distance < least) {
      least = distance;
      best = i / 3;
    }
  }
  return best;
}
