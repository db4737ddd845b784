import { addRuns, BATCH, cover, ENTRY, FROM, LIST, LIVE, ORIGIN, RATIO, RECORD, RUN_BYTES, TO, touch } from './cover';
import {
  ALPHA,
  BACKGROUND,
  CHANNELS,
  COLOR,
  DEPTH,
  ENTRIES,
  EXPECTED,
  FALL,
  HEIGHT,
  MASKS,
  PIXELS,
  RECORD_STRIDE,
  RECORDS,
  STARTS,
  STOPPED,
  STOPS,
  TILE,
  TILES_X,
  TRANSMITTANCE,
  VALUES,
  VECTORS,
  WIDTH,
  word,
} from './layout';
import { LEAST_ALPHA, LEAST_TRANSMITTANCE, MOST_ALPHA } from './math';

/**
 * Bytes of a row of a column in scratch: transmittance, the alpha from which on a pixel takes light (infinite when it is finished), values.
 */
const HEAD: usize = 32;
const THREE: usize = HEAD + 48;

/**
 * Blends a tile, Gaussian by Gaussian from the front, column by column of those that it reaches. Down a column the logarithm of alpha is a
 * quadratic: from row to row alpha is multiplied by a ratio, and that by a constant. Which rows were gone through is noted for the backward
 * pass.
 */
export function forwardTile(tile: i32, scratch: usize): void {
  const values = word(CHANNELS) + (word(DEPTH) != 0 ? 1 : 0);
  const length = HEAD + ((<usize>values) << 4);
  // Constant arguments: the compiler makes a loop for each case.
  if (values == 3) blend(tile, scratch, THREE, 3, true);
  else blend(tile, scratch, length, values, false);
  finish(tile, scratch, length);
}

@inline
function blend(tile: i32, scratch: usize, length: usize, values: i32, three: bool): void {
  const tilesX = word(TILES_X);
  const column = (tile % tilesX) * TILE;
  const row = (tile / tilesX) * TILE;
  const stops = <usize>word(STOPS) + <usize>tile * PIXELS * 4;
  const about = scratch + <usize>VECTORS * length;
  for (let at = scratch; at < about; at += length) {
    v128.store(at, f32x4.splat(1));
    v128.store(at, f32x4.splat(LEAST_ALPHA), 16);
    for (let p = HEAD; p < length; p += 16) v128.store(at + p, f32x4.splat(0));
  }
  for (let p: usize = 0; p < <usize>PIXELS * 4; p += 16) v128.store(stops + p, i32x4.splat(i32.MAX_VALUE));
  store<f32>(about, <f32>column + 0.5, ORIGIN);
  store<f32>(about, <f32>row + 0.5, ORIGIN + 4);
  v128.store(about, f32x4.splat(0), LIVE);
  v128.store(
    about,
    v128.bitselect(
      f32x4.splat(<f32>(min(TILE, word(HEIGHT) - row) - 1)),
      f32x4.splat(-1),
      i32x4.lt_s(i32x4(0, 4, 8, 12), i32x4.splat(word(WIDTH) - column)),
    ),
    LIVE + 16,
  );

  const starts = <usize>word(STARTS) + ((<usize>tile) << 2);
  const start = load<u32>(starts);
  const end = load<u32>(starts, 4);
  const entries = <usize>word(ENTRIES);
  const masks = <usize>word(MASKS);
  const records = <usize>word(RECORDS);
  const stride = <usize>word(RECORD_STRIDE);

  for (let begin = start; begin < end; begin += BATCH) {
    const beyond = min<u32>(begin + BATCH, end);
    // One thing after another for all of them: no decision has to wait for what it hangs on, nor one record for the memory of another.
    touch(begin, beyond, entries, records, stride, about);
    for (let e = begin; e < beyond; e++)
      store<u32>(masks + ((<usize>e) << 2), cover(records + <usize>load<u32>(entries + ((<usize>e) << 2)) * stride, about));
    let list = about + LIST;
    for (let e = begin; e < beyond; e++) {
      const mask = load<u32>(masks + ((<usize>e) << 2));
      if (mask != 0)
        list = addRuns(list, mask, records + <usize>load<u32>(entries + ((<usize>e) << 2)) * stride, e, scratch, length, about);
    }
    let stopped = false;
    for (let run = about + LIST; run < list; run += RUN_BYTES) {
      const record = <usize>load<u32>(run, RECORD);
      const fall = v128.load32_splat(record, FALL);
      const red = v128.load32_splat(record, VALUES);
      const green = v128.load32_splat(record, VALUES + 4);
      const blue = v128.load32_splat(record, VALUES + 8);
      const to = <usize>load<u32>(run, TO);
      let at = <usize>load<u32>(run, FROM);
      let gauss = v128.load(run);
      let ratio = v128.load(run, RATIO);
      do {
        const alpha = v128.and(f32x4.pmin(f32x4.splat(MOST_ALPHA), gauss), f32x4.ge(gauss, v128.load(at, 16)));
        const before = v128.load(at);
        let weight = f32x4.mul(alpha, before);
        let left = f32x4.sub(before, weight);
        const off = f32x4.le(left, f32x4.splat(LEAST_TRANSMITTANCE));
        if (i32x4.bitmask(off) != 0) {
          // Some pixels would be left too little: they are finished, without this Gaussian.
          weight = v128.andnot(weight, off);
          left = f32x4.sub(before, weight);
          v128.store(at, v128.bitselect(f32x4.splat(Infinity), v128.load(at, 16), off), 16);
          const entry = load<u32>(run, ENTRY);
          const place = stops + (((at - scratch) / length) << 4);
          v128.store(place, v128.bitselect(i32x4.splat(<i32>(entry - start)), v128.load(place), off));
          store<u32>(entries + ((<usize>entry) << 2), load<u32>(entries + ((<usize>entry) << 2)) | STOPPED);
          stopped = true;
        }
        v128.store(at, left);
        if (three) {
          v128.store(at, f32x4.add(v128.load(at, HEAD), f32x4.mul(weight, red)), HEAD);
          v128.store(at, f32x4.add(v128.load(at, HEAD + 16), f32x4.mul(weight, green)), HEAD + 16);
          v128.store(at, f32x4.add(v128.load(at, HEAD + 32), f32x4.mul(weight, blue)), HEAD + 32);
        } else {
          let value = record;
          for (let plane = at; plane < at + length - HEAD; plane += 16, value += 4)
            v128.store(plane, f32x4.add(v128.load(plane, HEAD), f32x4.mul(weight, v128.load32_splat(value, VALUES))), HEAD);
        }
        gauss = f32x4.mul(gauss, ratio);
        ratio = f32x4.mul(ratio, fall);
        at += length;
      } while (at < to);
    }
    if (stopped && !shrink(scratch, length, about + LIVE)) {
      memory.fill(masks + ((<usize>beyond) << 2), 0, (<usize>(end - beyond)) << 2);
      break;
    }
  }
}

/** Leaves out rows at the ends of columns where all pixels are finished; returns whether any are left. */
function shrink(scratch: usize, length: usize, live: usize): bool {
  let some = false;
  for (let column: usize = 0; column < 4; column++) {
    const bounds = live + (column << 2);
    const rows = scratch + (column << 4) * length;
    let first = <i32>load<f32>(bounds);
    let last = <i32>load<f32>(bounds, 16);
    while (first <= last && finished(rows + <usize>first * length)) first++;
    while (first <= last && finished(rows + <usize>last * length)) last--;
    store<f32>(bounds, <f32>first);
    store<f32>(bounds, <f32>last, 16);
    if (first <= last) some = true;
  }
  return some;
}

@inline
function finished(at: usize): bool {
  return i32x4.all_true(f32x4.eq(v128.load(at, 16), f32x4.splat(Infinity)));
}

/** Puts the tile into the picture, row by row, over the background. */
function finish(tile: i32, scratch: usize, length: usize): void {
  const channels = word(CHANNELS);
  const depth = <usize>word(DEPTH);
  const tilesX = word(TILES_X);
  const column = (tile % tilesX) * TILE;
  const row = (tile / tilesX) * TILE;
  const width = word(WIDTH);
  const right = min(TILE, width - column);
  const bottom = min(TILE, word(HEIGHT) - row);
  const background = <usize>word(BACKGROUND);
  const color = <usize>word(COLOR);
  const alpha = <usize>word(ALPHA);
  const expected = word(EXPECTED) != 0;
  const saved = <usize>word(TRANSMITTANCE) + <usize>tile * PIXELS * 4;
  for (let v: usize = 0; v < <usize>VECTORS; v++) v128.store(saved + (v << 4), v128.load(scratch + v * length));
  // Whole vectors of three colours, and then one number after another what these leave.
  const whole = channels == 3 && depth == 0 ? right & ~3 : 0;
  if (whole != 0) {
    const red = v128.load32_splat(background);
    const green = v128.load32_splat(background, 4);
    const blue = v128.load32_splat(background, 8);
    for (let y = 0; y < bottom; y++) {
      let pixel = (<usize>((row + y) * width + column)) << 2;
      for (let x = 0; x < whole; x += 4, pixel += 16) {
        const at = scratch + <usize>((x << 2) + y) * length;
        const t = v128.load(at);
        const r = f32x4.add(v128.load(at, HEAD), f32x4.mul(t, red));
        const g = f32x4.add(v128.load(at, HEAD + 16), f32x4.mul(t, green));
        const b = f32x4.add(v128.load(at, HEAD + 32), f32x4.mul(t, blue));
        const rg = v128.shuffle<f32>(r, g, 0, 4, 1, 5);
        const gb = v128.shuffle<f32>(g, b, 1, 5, 2, 6);
        const br = v128.shuffle<f32>(b, r, 2, 7, 2, 7);
        const target = color + 3 * pixel;
        v128.store(target, v128.shuffle<f32>(rg, v128.shuffle<f32>(b, r, 0, 5, 0, 5), 0, 1, 4, 5));
        v128.store(target, v128.shuffle<f32>(gb, v128.shuffle<f32>(r, g, 2, 6, 2, 6), 0, 1, 4, 5), 16);
        v128.store(target, v128.shuffle<f32>(br, v128.shuffle<f32>(g, b, 3, 7, 3, 7), 0, 1, 4, 5), 32);
        v128.store(alpha + pixel, f32x4.sub(f32x4.splat(1), t));
      }
    }
  }
  for (let y = 0; y < bottom; y++) {
    for (let x = whole; x < right; x++) {
      const at = scratch + <usize>(((x >> 2) << 4) + y) * length + ((<usize>(x & 3)) << 2);
      const pixel = <usize>((row + y) * width + column + x);
      const t = load<f32>(at);
      let target = color + pixel * ((<usize>channels) << 2);
      let plane = at + HEAD;
      for (let k = 0; k < channels; k++) {
        store<f32>(target, load<f32>(plane) + t * load<f32>(background + ((<usize>k) << 2)));
        target += 4;
        plane += 16;
      }
      store<f32>(alpha + (pixel << 2), 1 - t);
      if (depth != 0) store<f32>(depth + (pixel << 2), expected ? load<f32>(plane) / max<f32>(1 - t, 1e-10) : load<f32>(plane));
    }
  }
}
