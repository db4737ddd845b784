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

/** Which Gaussians each tile draws: the entries of tile t are those from starts[t] to starts[t + 1], nearest first. */
export interface Bins {
  readonly tilesX: number;
  readonly tiles: number;
  readonly starts: Uint32Array;
  readonly entries: Uint32Array;
  /** The same from the side of the Gaussians: their entries, one after the other, in the order of tiles. */
  readonly pairs: Uint32Array;
}

/** What is dealt, and where it is noted which of the pairs are whose. */
export interface Deal {
  /** Rows from near to far. */
  readonly sorted: Uint32Array;
  readonly records: Float32Array;
  /** Numbers of a record. */
  readonly stride: number;
  readonly width: number;
  readonly height: number;
  readonly firstPairs: Uint32Array;
  readonly pairCounts: Uint32Array;
}

/** Deals Gaussians to the tiles that their rectangle reaches. */
export function bin({ sorted, records, stride, width, height, firstPairs, pairCounts }: Deal): Bins {
  const tilesX = Math.ceil(width / TILE);
  const tilesY = Math.ceil(height / TILE);
  const tiles = tilesX * tilesY;
  const starts = new Uint32Array(tiles + 1);
  let pairTiles = new Uint32Array(8 * sorted.length + 64);
  let pairIds = new Uint32Array(pairTiles.length);
  let pairs = 0;
  for (let s = 0; s < sorted.length; s++) {
    const id = sorted[s]!;
    const at = id * stride;
    // Relative to the centres of pixels.
    const mx = records[at]! - 0.5;
    const my = records[at + 1]! - 0.5;
    const rx = records[at + 6]!;
    const ry = records[at + 7]!;
    const left = Math.max(0, Math.ceil(mx - rx));
    const right = Math.min(width - 1, Math.floor(mx + rx));
    const top = Math.max(0, Math.ceil(my - ry));
    const bottom = Math.min(height - 1, Math.floor(my + ry));
    if (left > right || top > bottom) continue;
    const first = Math.floor(left / TILE);
    const last = Math.floor(right / TILE);
    const lastRow = Math.floor(bottom / TILE);
    if (pairs + (last - first + 1) * (lastRow + 1) > pairTiles.length) {
      const size = 2 * (pairs + (last - first + 1) * (lastRow + 1));
      const [tilesBefore, idsBefore] = [pairTiles, pairIds];
      pairTiles = new Uint32Array(size);
      pairTiles.set(tilesBefore);
      pairIds = new Uint32Array(size);
      pairIds.set(idsBefore);
    }
    firstPairs[id] = pairs;
    for (let row = Math.floor(top / TILE); row <= lastRow; row++) {
      for (let column = first; column <= last; column++) {
        const tile = row * tilesX + column;
        pairTiles[pairs] = tile;
        pairIds[pairs] = id;
        starts[tile + 1]!++;
        pairs++;
      }
    }
    pairCounts[id] = pairs - firstPairs[id]!;
  }
  for (let tile = 0; tile < tiles; tile++) starts[tile + 1]! += starts[tile]!;
  const next = starts.slice(0, tiles);
  const entries = new Uint32Array(pairs);
  for (let pair = 0; pair < pairs; pair++) {
    const entry = next[pairTiles[pair]!]!++;
    entries[entry] = pairIds[pair]!;
    // The tile is not needed again.
    pairTiles[pair] = entry;
  }
  return { tilesX, tiles, starts, entries, pairs: pairTiles.subarray(0, pairs) };
}
