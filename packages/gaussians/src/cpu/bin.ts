import { TILE } from './layout.ts';
import type { Visible } from './project.ts';

const DIGIT = 11;
const BUCKETS = 1 << DIGIT;

/** The ids in the order of their keys: a stable radix sort by three digits of 11 bits. */
export function sortByKey({ count, ids, keys }: Visible): Uint32Array {
  let fromIds: Uint32Array = ids.subarray(0, count);
  let fromKeys: Uint32Array = keys.subarray(0, count);
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
}

/** Deals Gaussians, given from near to far, to the tiles that their ellipse at the cut-off reaches. */
export function bin(sorted: Uint32Array, records: Float32Array, stride: number, width: number, height: number): Bins {
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
    for (let row = Math.floor(top / TILE); row <= lastRow; row++) {
      for (let column = first; column <= last; column++) {
        const tile = row * tilesX + column;
        pairTiles[pairs] = tile;
        pairIds[pairs] = id;
        starts[tile + 1]!++;
        pairs++;
      }
    }
  }
  for (let tile = 0; tile < tiles; tile++) starts[tile + 1]! += starts[tile]!;
  const next = starts.slice(0, tiles);
  const entries = new Uint32Array(pairs);
  for (let pair = 0; pair < pairs; pair++) entries[next[pairTiles[pair]!]!++] = pairIds[pair]!;
  return { tilesX, tiles, starts, entries };
}
