import {
  COUNT,
  ENTRIES,
  FIRST_PAIRS,
  KEYS,
  PAIR_COUNTS,
  PAIRS,
  ROW_ENTRIES,
  ROW_LIST,
  ROW_STARTS,
  SORTING,
  SPANS,
  STARTS,
  TILES,
  TILES_X,
  TILES_Y,
  word,
} from './layout';

// From depths to lists of Gaussians for each tile, nearest first: a radix sort by depth, then a stable counting sort into rows of tiles,
// then one into the tiles of each row, which threads share.

const DIGIT: i32 = 11;
const BUCKETS: i32 = 1 << DIGIT;
const TABLE: usize = (<usize>BUCKETS) << 2;

@inline
function at(array: usize, index: u32): u32 {
  return load<u32>(array + ((<usize>index) << 2));
}

@inline
function set(array: usize, index: u32, value: u32): void {
  store<u32>(array + ((<usize>index) << 2), value);
}

/** What was there before it grew. */
@inline
function grow(array: usize, index: u32, by: u32): u32 {
  const before = at(array, index);
  set(array, index, before + by);
  return before;
}

/** Counts become where each begins. */
function accumulate(counts: usize, length: i32): void {
  let total: u32 = 0;
  for (let i = 0; i < length; i++) total += grow(counts, i, total - at(counts, i));
}

/** Sorts all that is drawn by depth and bins it into rows of tiles. One thread does this. */
export function sortAll(): void {
  const count = word(COUNT);
  const bytes = (<usize>count) << 2;
  let keys = <usize>word(SORTING);
  let ids = keys + bytes;
  let toKeys = ids + bytes;
  let toIds = toKeys + bytes;
  const tables = toIds + bytes;
  const next = tables + 3 * TABLE;
  const depths = <usize>word(KEYS);
  const pairCounts = <usize>word(PAIR_COUNTS);
  const firstPairs = <usize>word(FIRST_PAIRS);
  const spans = <usize>word(SPANS);
  const rowStarts = <usize>word(ROW_STARTS);
  const rowEntries = <usize>word(ROW_ENTRIES);
  const rows = word(TILES_Y);
  memory.fill(tables, 0, 3 * TABLE);
  memory.fill(rowStarts, 0, (<usize>rows + 1) << 2);
  memory.fill(rowEntries, 0, (<usize>rows + 1) << 2);

  let drawn: i32 = 0;
  let pairs: u32 = 0;
  for (let i = 0; i < count; i++) {
    set(firstPairs, i, pairs);
    const reached = at(pairCounts, i);
    if (reached == 0) continue;
    pairs += reached;
    const key = at(depths, i);
    set(keys, drawn, key);
    set(ids, drawn, i);
    drawn++;
    grow(tables, key & (BUCKETS - 1), 1);
    grow(tables + TABLE, (key >> DIGIT) & (BUCKETS - 1), 1);
    grow(tables + 2 * TABLE, key >> (2 * DIGIT), 1);
    const span = spans + ((<usize>i) << 3);
    const columns = <u32>load<u16>(span, 2) - <u32>load<u16>(span) + 1;
    const last = <u32>load<u16>(span, 6);
    for (let row = <u32>load<u16>(span, 4); row <= last; row++) {
      grow(rowStarts, row, 1);
      grow(rowEntries, row, columns);
    }
  }
  for (let digit = 0; digit < 3; digit++) {
    const table = tables + <usize>digit * TABLE;
    const shift = digit * DIGIT;
    accumulate(table, BUCKETS);
    for (let i = 0; i < drawn; i++) {
      const key = at(keys, i);
      const to = grow(table, (key >> shift) & (BUCKETS - 1), 1);
      set(toKeys, to, key);
      set(toIds, to, at(ids, i));
    }
    const spareKeys = keys;
    const spareIds = ids;
    keys = toKeys;
    ids = toIds;
    toKeys = spareKeys;
    toIds = spareIds;
  }

  accumulate(rowStarts, rows + 1);
  accumulate(rowEntries, rows + 1);
  set(<usize>word(STARTS), word(TILES), pairs);
  const list = <usize>word(ROW_LIST);
  memory.copy(next, rowStarts, (<usize>rows) << 2);
  for (let i = 0; i < drawn; i++) {
    const id = at(ids, i);
    const span = spans + ((<usize>id) << 3);
    const last = <u32>load<u16>(span, 6);
    for (let row = <u32>load<u16>(span, 4); row <= last; row++) set(list, grow(next, row, 1), id);
  }
}

/** Bins the Gaussians of a row of tiles into its tiles, and notes on the side of the Gaussians where they are. */
export function binRow(row: i32, scratch: usize): void {
  const columns = word(TILES_X);
  const list = <usize>word(ROW_LIST);
  const begin = at(<usize>word(ROW_STARTS), row);
  const end = at(<usize>word(ROW_STARTS), row + 1);
  const spans = <usize>word(SPANS);
  const entries = <usize>word(ENTRIES);
  const pairs = <usize>word(PAIRS);
  const firstPairs = <usize>word(FIRST_PAIRS);
  const starts = <usize>word(STARTS) + ((<usize>(row * columns)) << 2);
  memory.fill(scratch, 0, (<usize>columns) << 2);
  for (let i = begin; i < end; i++) {
    const span = spans + ((<usize>at(list, i)) << 3);
    const last = <u32>load<u16>(span, 2);
    for (let column = <u32>load<u16>(span); column <= last; column++) grow(scratch, column, 1);
  }
  let total = at(<usize>word(ROW_ENTRIES), row);
  for (let column = 0; column < columns; column++) {
    set(starts, column, total);
    total += grow(scratch, column, total - at(scratch, column));
  }
  for (let i = begin; i < end; i++) {
    const id = at(list, i);
    const span = spans + ((<usize>id) << 3);
    const first = <u32>load<u16>(span);
    const last = <u32>load<u16>(span, 2);
    let pair = at(firstPairs, id) + (<u32>row - <u32>load<u16>(span, 4)) * (last - first + 1);
    for (let column = first; column <= last; column++) {
      const entry = grow(scratch, column, 1);
      set(entries, entry, id);
      set(pairs, pair++, entry);
    }
  }
}
