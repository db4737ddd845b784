import { A, C, HALF, INVERSE, L, LOWEST, M, MARGIN, MX, MY, REACH, STOPPED } from './layout';
import { alphaOf, ratioOf } from './math';

/**
 * What lies in scratch behind the pixels of a tile: the centre of its first pixel; the first and the last row that still take light, for
 * each column; and a list of runs.
 */
export const ORIGIN: usize = 0;
const UNUSED: usize = 8;
export const LIVE: usize = 16;
/** Gradients of the rows of a run. */
export const KEPT: usize = 64;
export const LIST: usize = 192;

/** Gaussians that are made ready together, so that one need not wait for another. */
export const BATCH: i32 = 16;

/** Rows that a run goes on for before alpha is computed anew: what rounding does grows with the square of the rows. */
const RUN: i32 = 8;

/**
 * Bytes of a run, and what it has beside alpha and the ratio of the next row's to it: distances to the mean in x, twice C dy in its first
 * row, where it begins and ends, and of what.
 */
export const RUN_BYTES: usize = 96;
export const RATIO: usize = 16;
export const DX: usize = 32;
export const STEEP: usize = 48;
export const FROM: usize = 64;
export const TO: usize = 68;
export const RECORD: usize = 72;
export const ENTRY: usize = 76;
/** From the row after the last to the mean. */
export const UNDER: usize = 80;

/** Reads a number of each record, all at once, so that they are near when they are needed. */
@inline
export function touch(begin: u32, beyond: u32, entries: usize, records: usize, stride: usize, tile: usize): void {
  let sum: u32 = 0;
  for (let e = begin; e < beyond; e++) sum += load<u32>(records + <usize>(load<u32>(entries + ((<usize>e) << 2)) & ~STOPPED) * stride);
  store<u32>(tile, sum, UNUSED);
}

/**
 * Adds the runs of a Gaussian to a list, from what {@link cover} says; returns where the list ends now. Down a column the logarithm of
 * alpha is a quadratic: from row to row alpha is multiplied by a ratio, and that by a constant.
 */
@inline
export function addRuns(run: usize, mask: u32, record: usize, entry: u32, scratch: usize, length: usize, tile: usize): usize {
  const a = v128.load32_splat(record, A);
  const c = v128.load32_splat(record, C);
  const slope = v128.load32_splat(record, M);
  const most = v128.load32_splat(record, L);
  const mx = f32x4.sub(f32x4.splat(load<f32>(record, MX) - load<f32>(tile, ORIGIN)), f32x4(0, 1, 2, 3));
  const my = load<f32>(record, MY) - load<f32>(tile, ORIGIN + 4);
  do {
    const shift = ctz<u32>(mask) & 24;
    const code = mask >> shift;
    mask &= ~((<u32>255) << shift);
    let first = <i32>(15 - (code & 15));
    const last = <i32>((code >> 4) & 15);
    const dx = f32x4.sub(mx, f32x4.splat(<f32>(<i32>(shift >> 1))));
    const lean = f32x4.mul(slope, dx);
    const level = f32x4.add(f32x4.mul(f32x4.mul(a, dx), dx), most);
    let at = scratch + <usize>((shift << 1) + first) * length;
    const end = scratch + <usize>((shift << 1) + last + 1) * length;
    while (true) {
      const dy = f32x4.sub(f32x4.splat(my - <f32>first), lean);
      const cdy = f32x4.mul(c, dy);
      const steep = f32x4.add(cdy, cdy);
      v128.store(run, alphaOf(f32x4.add(f32x4.mul(cdy, dy), level)));
      v128.store(run, ratioOf(f32x4.sub(c, steep)), RATIO);
      v128.store(run, dx, DX);
      v128.store(run, steep, STEEP);
      store<u32>(run, <u32>at, FROM);
      at += <usize>RUN * length;
      store<u32>(run, <u32>min(at, end), TO);
      store<u32>(run, <u32>record, RECORD);
      store<u32>(run, entry, ENTRY);
      store<f32>(run, my - <f32>min(first + RUN, last + 1), UNDER);
      run += RUN_BYTES;
      if (at >= end) break;
      first += RUN;
    }
  } while (mask != 0);
  return run;
}

/**
 * The rows of a tile that the ellipse of a Gaussian reaches in each of its four columns of pixels: a byte for each, 15 - first in its lower
 * half and last in its upper, or 0.
 */
@inline
export function cover(record: usize, tile: usize): u32 {
  const reach = v128.load32_splat(record, REACH);
  const inverse = v128.load32_splat(record, INVERSE);
  const half = v128.load32_splat(record, HALF);
  const slope = v128.load32_splat(record, M);
  const lowest = v128.load32_splat(record, LOWEST);
  const margin = v128.load32_splat(record, MARGIN);
  const begin = f32x4.add(f32x4(0, 4, 8, 12), f32x4.splat(load<f32>(tile, ORIGIN) - load<f32>(record, MX)));
  const left = f32x4.pmax(begin, f32x4.neg(reach));
  const right = f32x4.pmin(f32x4.add(begin, f32x4.splat(3)), reach);
  const y = f32x4.splat(load<f32>(record, MY) - load<f32>(tile, ORIGIN + 4));
  // The lowest point of the ellipse between both, and the highest.
  const low = f32x4.pmax(left, f32x4.pmin(right, lowest));
  const high = f32x4.pmax(left, f32x4.pmin(right, f32x4.neg(lowest)));
  const lowTimes = f32x4.mul(low, inverse);
  const highTimes = f32x4.mul(high, inverse);
  const lowHalf = f32x4.mul(half, f32x4.sqrt(f32x4.pmax(f32x4.splat(0), f32x4.sub(f32x4.splat(1), f32x4.mul(lowTimes, lowTimes)))));
  const highHalf = f32x4.mul(half, f32x4.sqrt(f32x4.pmax(f32x4.splat(0), f32x4.sub(f32x4.splat(1), f32x4.mul(highTimes, highTimes)))));
  const bottom = f32x4.add(f32x4.add(f32x4.mul(slope, low), lowHalf), f32x4.add(y, margin));
  const top = f32x4.add(f32x4.sub(f32x4.mul(slope, high), highHalf), f32x4.sub(y, margin));
  const first = f32x4.pmax(v128.load(tile, LIVE), f32x4.ceil(top));
  const last = f32x4.pmin(v128.load(tile, LIVE + 16), f32x4.floor(bottom));
  const reached = v128.and(f32x4.le(left, right), f32x4.le(first, last));
  // 16 last + 15 - first, as whole numbers.
  const code = v128.and(reached, f32x4.add(f32x4.sub(f32x4.mul(last, f32x4.splat(16)), first), f32x4.splat(12582912 + 15)));
  return <u32>i32x4.extract_lane(v128.shuffle<u8>(code, code, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12), 0);
}
