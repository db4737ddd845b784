import { NOT_DRAWN, TILE } from './layout.ts';

const DIGIT = 11;
const BUCKETS = 1 << DIGIT;

/** The rows of the Gaussians that are drawn, by depth: a stable radix sort of the bits of their depths, by three digits of 11 bits. */
export function nearToFar(depths: Uint32Array): Uint32Array {
  let fromIds: Uint32Array = new Uint32Array(depths.length);
  let fromKeys: Uint32Array = new Uint32Array(depths.length);
  let count = 0;
  for (let i = 0; i < depths.length; i++) {
    const key = depths[i]!;
    if (key === NOT_DRAWN) continue;
    fromIds[count] = i;
    fromKeys[count] = key;
    count++;
  }
  fromIds = fromIds.subarray(0, count);
  let toIds: Uint32Array = new Uint32Array(count);
  let toKeys: Uint32Array = new Uint32Array(count);
  const offsets = new Uint32Array(BUCKETS);
  for (let shift = 0; shift < 32; shift += DIGIT) {
    offsets.fill(0);
    for (let i = 0; i < count; i++) offsets[(fromKeys[i]! >>> shift) & (BUCKETS - 1)]!++;
    let total = 0;
    for (let b = 0; b < BUCKETS; b++) {
      const size = offsets[b]!;
      offsets[b] = total;
      total += size;
    }
    for (let i = 0; i < count; i++) {
      const key = fromKeys[i]!;
      const to = offsets[(key >>> shift) & (BUCKETS - 1)]!++;
      toKeys[to] = key;
      toIds[to] = fromIds[i]!;
    }
    [fromIds, toIds] = [toIds, fromIds];
    [fromKeys, toKeys] = [toKeys, fromKeys];
  }
  return fromIds;
}

/** What is dealt to tiles. */
export interface Deal {
  /** Rows from near to far. */
  readonly sorted: Uint32Array;
  readonly records: Float32Array;
  /** Numbers of a record. */
  readonly stride: number;
  readonly width: number;
  readonly height: number;
}

/** Tiles that the rectangles of Gaussians reach: four numbers for each of `sorted`, the first and last column and row; and how many in all. */
export interface Reach {
  readonly spans: Int32Array;
  readonly pairs: number;
}

/** Which tiles each Gaussian reaches. */
export function reach({ sorted, records, stride, width, height }: Deal): Reach {
  const spans = new Int32Array(4 * sorted.length);
  let pairs = 0;
  for (let s = 0; s < sorted.length; s++) {
    const at = sorted[s]! * stride;
    // Relative to the centres of pixels.
    const mx = records[at]! - 0.5;
    const my = records[at + 1]! - 0.5;
    const rx = records[at + 6]!;
    const ry = records[at + 7]!;
    const left = Math.max(0, Math.ceil(mx - rx));
    const right = Math.min(width - 1, Math.floor(mx + rx));
    const top = Math.max(0, Math.ceil(my - ry));
    const bottom = Math.min(height - 1, Math.floor(my + ry));
    const none = left > right || top > bottom;
    const first = Math.floor(left / TILE);
    const last = none ? first - 1 : Math.floor(right / TILE);
    const firstRow = Math.floor(top / TILE);
    const lastRow = Math.floor(bottom / TILE);
    spans[4 * s] = first;
    spans[4 * s + 1] = last;
    spans[4 * s + 2] = firstRow;
    spans[4 * s + 3] = lastRow;
    if (!none) pairs += (last - first + 1) * (lastRow - firstRow + 1);
  }
  return { spans, pairs };
}

/** Where the dealing is noted. */
export interface Bins {
  /** The entries of tile t are those from starts[t] to starts[t + 1]. */
  readonly starts: Uint32Array;
  /** A Gaussian each, nearest first within a tile. */
  readonly entries: Uint32Array;
  /** The same from the side of the Gaussians: their entries, one after the other, in the order of tiles. */
  readonly pairs: Uint32Array;
  readonly firstPairs: Uint32Array;
  readonly pairCounts: Uint32Array;
}

/** Deals Gaussians to the tiles that they reach: a stable counting sort. */
export function deal(sorted: Uint32Array, { spans }: Reach, tilesX: number, { starts, entries, pairs, firstPairs, pairCounts }: Bins): void {
  starts.fill(0);
  pairCounts.fill(0);
  for (let s = 0; s < sorted.length; s++) {
    const first = spans[4 * s]!;
    const last = spans[4 * s + 1]!;
    const lastRow = spans[4 * s + 3]!;
    for (let row = spans[4 * s + 2]!; row <= lastRow; row++) {
      for (let tile = row * tilesX + first; tile <= row * tilesX + last; tile++) starts[tile + 1]!++;
    }
  }
  for (let tile = 1; tile < starts.length; tile++) starts[tile]! += starts[tile - 1]!;
  const next = starts.slice();
  let pair = 0;
  for (let s = 0; s < sorted.length; s++) {
    const id = sorted[s]!;
    const first = spans[4 * s]!;
    const last = spans[4 * s + 1]!;
    const lastRow = spans[4 * s + 3]!;
    const before = pair;
    for (let row = spans[4 * s + 2]!; row <= lastRow; row++) {
      for (let tile = row * tilesX + first; tile <= row * tilesX + last; tile++) {
        const entry = next[tile]!++;
        entries[entry] = id;
        pairs[pair] = entry;
        pair++;
      }
    }
    firstPairs[id] = before;
    pairCounts[id] = pair - before;
  }
}
