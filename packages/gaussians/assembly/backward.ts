import { addRuns, BATCH, DX, ENTRY, FROM, KEPT, LIST, ORIGIN, RATIO, RECORD, RUN_BYTES, STEEP, TO, touch, UNDER } from './cover';
import {
  A,
  ABSOLUTE,
  ALPHA,
  BACKGROUND,
  C,
  CHANNELS,
  COLOR,
  DEPTH,
  ENTRIES,
  FALL,
  HEIGHT,
  M,
  MASKS,
  number,
  PIXELS,
  put,
  RECORD_STRIDE,
  RECORDS,
  ROW_STRIDE,
  ROWS,
  STARTS,
  STOPPED,
  STOPS,
  TILE,
  TILES_X,
  TRANSMITTANCE,
  V_BACKGROUND,
  VALUES,
  VECTORS,
  WIDTH,
  word,
} from './layout';
import { LEAST_ALPHA, MOST_ALPHA, sums } from './math';

/**
 * Bytes of a row of a column in scratch: transmittance, all that lies behind, the alpha from which on a pixel took light, then gradients of
 * the values.
 */
const HEAD: usize = 48;
const THREE: usize = HEAD + 48;

/**
 * The backward pass of a tile, from the last Gaussian to the first: dividing transmittance out again, with one number per pixel for all
 * that lies behind. Each Gaussian of the tile gets a row of sums over its pixels, with g = -dL/dsigma: g, g dx, g dy, g dx^2, g dx dy, g
 * dy^2,
 * |g dp/dx|, |g dp/dy| where p is log2(alpha), then dL/dvalue; everything else follows from those.
 */
export function backwardTile(tile: i32, scratch: usize): void {
  const values = word(CHANNELS) + (word(DEPTH) != 0 ? 1 : 0);
  const length = HEAD + ((<usize>values) << 4);
  gather(tile, scratch, length);
  // Constant arguments: the compiler makes a loop for each case.
  if (values != 3) backwardWith(tile, scratch, length, values, false, true);
  else if (word(ABSOLUTE) != 0) backwardWith(tile, scratch, THREE, 3, true, true);
  else backwardWith(tile, scratch, THREE, 3, true, false);
}

@inline
function backwardWith(tile: i32, scratch: usize, length: usize, values: i32, three: bool, absolute: bool): void {
  const tilesX = word(TILES_X);
  const starts = <usize>word(STARTS) + ((<usize>tile) << 2);
  const start = load<u32>(starts);
  const entries = <usize>word(ENTRIES);
  const masks = <usize>word(MASKS);
  const rows = <usize>word(ROWS);
  const rowStride = <usize>word(ROW_STRIDE);
  const records = <usize>word(RECORDS);
  const stride = <usize>word(RECORD_STRIDE);
  const totals = scratch + <usize>VECTORS * length;
  const about = totals + ((<usize>values) << 4);
  store<f32>(about, <f32>((tile % tilesX) * TILE) + 0.5, ORIGIN);
  store<f32>(about, <f32>((tile / tilesX) * TILE) + 0.5, ORIGIN + 4);

  for (let end = load<u32>(starts, 4); end > start;) {
    const begin = <u32>max<i32>(<i32>start, <i32>end - BATCH);
    touch(begin, end, entries, records, stride, about);
    let list = about + LIST;
    for (let e = end; e > begin;) {
      e--;
      const mask = load<u32>(masks + ((<usize>e) << 2));
      if (mask != 0)
        list = addRuns(
          list,
          mask,
          records + <usize>(load<u32>(entries + ((<usize>e) << 2)) & ~STOPPED) * stride,
          e,
          scratch,
          length,
          about,
        );
    }
    end = begin;
    for (let run = about + LIST; run < list;) {
      const e = load<u32>(run, ENTRY);
      const record = <usize>load<u32>(run, RECORD);
      const a = v128.load32_splat(record, A);
      const c = v128.load32_splat(record, C);
      const slope = v128.load32_splat(record, M);
      const fall = v128.load32_splat(record, FALL);
      const red = v128.load32_splat(record, VALUES);
      const green = v128.load32_splat(record, VALUES + 4);
      const blue = v128.load32_splat(record, VALUES + 8);
      let sum = f32x4.splat(0);
      let sumX = f32x4.splat(0);
      let sumY = f32x4.splat(0);
      let sumXX = f32x4.splat(0);
      let sumXY = f32x4.splat(0);
      let sumYY = f32x4.splat(0);
      let absX = f32x4.splat(0);
      let absY = f32x4.splat(0);
      let sumRed = f32x4.splat(0);
      let sumGreen = f32x4.splat(0);
      let sumBlue = f32x4.splat(0);
      if (!three) for (let k: usize = 0; k < <usize>values; k++) v128.store(totals + (k << 4), f32x4.splat(0));
      do {
        const to = <usize>load<u32>(run, TO);
        let at = <usize>load<u32>(run, FROM);
        let gauss = v128.load(run);
        let ratio = v128.load(run, RATIO);
        let kept = about;
        do {
          const exact = v128.and(gauss, f32x4.ge(gauss, v128.load(at, 32)));
          const alpha = f32x4.pmin(f32x4.splat(MOST_ALPHA), exact);
          const r = f32x4.div(f32x4.splat(1), f32x4.sub(f32x4.splat(1), alpha));
          const t = f32x4.mul(v128.load(at), r);
          v128.store(at, t);
          const weight = f32x4.mul(alpha, t);
          let d: v128;
          if (three) {
            const vRed = v128.load(at, HEAD);
            const vGreen = v128.load(at, HEAD + 16);
            const vBlue = v128.load(at, HEAD + 32);
            d = f32x4.add(f32x4.add(f32x4.mul(red, vRed), f32x4.mul(green, vGreen)), f32x4.mul(blue, vBlue));
            sumRed = f32x4.add(sumRed, f32x4.mul(weight, vRed));
            sumGreen = f32x4.add(sumGreen, f32x4.mul(weight, vGreen));
            sumBlue = f32x4.add(sumBlue, f32x4.mul(weight, vBlue));
          } else {
            d = f32x4.splat(0);
            let value = record;
            let total = totals;
            for (let plane = at; plane < at + length - HEAD; plane += 16, value += 4, total += 16) {
              const v = v128.load(plane, HEAD);
              d = f32x4.add(d, f32x4.mul(v128.load32_splat(value, VALUES), v));
              v128.store(total, f32x4.add(v128.load(total), f32x4.mul(weight, v)));
            }
          }
          const behind = v128.load(at, 16);
          const vAlpha = f32x4.sub(f32x4.mul(t, d), f32x4.mul(behind, r));
          v128.store(at, f32x4.add(behind, f32x4.mul(weight, d)), 16);
          // Where alpha was held at its most, the Gaussian's shape does not matter.
          v128.store(kept, v128.and(f32x4.mul(exact, vAlpha), f32x4.le(exact, f32x4.splat(MOST_ALPHA))), KEPT);
          gauss = f32x4.mul(gauss, ratio);
          ratio = f32x4.mul(ratio, fall);
          kept += 16;
          at += length;
        } while (at < to);
        // Another loop, so that all of each fits into registers. Sums over rows of g, of g times the rows to the end, and of g times the
        // triangular number of those.
        let once = f32x4.splat(0);
        let rising = f32x4.splat(0);
        let triangular = f32x4.splat(0);
        const dx = v128.load(run, DX);
        // dp/dy, and dp/dx = 2 a dx - slope dp/dy.
        let steep = v128.load(run, STEEP);
        const adx = f32x4.mul(a, dx);
        let across = f32x4.sub(f32x4.add(adx, adx), f32x4.mul(slope, steep));
        const twice = f32x4.add(c, c);
        const turn = f32x4.mul(slope, twice);
        for (let row = about; row < kept; row += 16) {
          const g = v128.load(row, KEPT);
          once = f32x4.add(once, g);
          rising = f32x4.add(rising, once);
          triangular = f32x4.add(triangular, rising);
          if (absolute) {
            absX = f32x4.add(absX, v128.and(f32x4.mul(g, across), i32x4.splat(i32.MAX_VALUE)));
            absY = f32x4.add(absY, v128.and(f32x4.mul(g, steep), i32x4.splat(i32.MAX_VALUE)));
            steep = f32x4.sub(steep, twice);
            across = f32x4.add(across, turn);
          }
        }
        const under = f32x4.splat(load<f32>(run, UNDER));
        const gx = f32x4.mul(once, dx);
        const gy = f32x4.add(f32x4.mul(once, under), rising);
        sum = f32x4.add(sum, once);
        sumX = f32x4.add(sumX, gx);
        sumXX = f32x4.add(sumXX, f32x4.mul(gx, dx));
        sumY = f32x4.add(sumY, gy);
        sumXY = f32x4.add(sumXY, f32x4.mul(gy, dx));
        // g (under + rows)^2
        sumYY = f32x4.add(sumYY, f32x4.add(f32x4.mul(f32x4.add(gy, rising), under), f32x4.sub(f32x4.add(triangular, triangular), rising)));
        run += RUN_BYTES;
      } while (run < list && load<u32>(run, ENTRY) == e);
      const target = rows + <usize>e * rowStride;
      v128.store(target, sums(sum, sumX, sumY, sumXX));
      v128.store(target, sums(sumXY, sumYY, absX, absY), 16);
      if (three) {
        v128.store(target, sums(sumRed, sumGreen, sumBlue, sumBlue), 32);
      } else {
        for (let k: usize = 0; k < <usize>values; k++) {
          const total = v128.load(totals + (k << 4));
          store<f32>(
            target + 32 + (k << 2),
            f32x4.extract_lane(total, 0) + f32x4.extract_lane(total, 1) + (f32x4.extract_lane(total, 2) + f32x4.extract_lane(total, 3)),
          );
        }
      }
      if ((load<u32>(entries + ((<usize>e) << 2)) & STOPPED) != 0) wake(tile, scratch, length, <i32>(e - start));
    }
  }
}

/** Those in front of the Gaussian that finished a pixel did give it light. */
function wake(tile: i32, scratch: usize, length: usize, position: i32): void {
  const stops = <usize>word(STOPS) + <usize>tile * PIXELS * 4;
  for (let v: usize = 0; v < <usize>VECTORS; v++) {
    const at = scratch + v * length;
    v128.store(
      at,
      v128.bitselect(f32x4.splat(LEAST_ALPHA), v128.load(at, 32), i32x4.eq(v128.load(stops + (v << 4)), i32x4.splat(position))),
      32,
    );
  }
}

/** Fills the rows of the tile's columns: transmittance behind all, S = T (background . v - v_alpha), then the gradients of the values. */
function gather(tile: i32, scratch: usize, length: usize): void {
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
  const saved = <usize>word(TRANSMITTANCE) + <usize>tile * PIXELS * 4;
  const stops = <usize>word(STOPS) + <usize>tile * PIXELS * 4;
  const vBackground = <usize>word(V_BACKGROUND) + <usize>(tile * channels) * 8;
  memory.fill(scratch, 0, <usize>VECTORS * length);
  memory.fill(vBackground, 0, <usize>channels * 8);
  for (let v: usize = 0; v < <usize>VECTORS; v++) {
    const at = scratch + v * length;
    v128.store(at, v128.load(saved + (v << 4)));
    v128.store(
      at,
      v128.bitselect(f32x4.splat(LEAST_ALPHA), f32x4.splat(Infinity), i32x4.eq(v128.load(stops + (v << 4)), i32x4.splat(i32.MAX_VALUE))),
      32,
    );
  }
  const whole = channels == 3 && depth == 0 ? right & ~3 : 0;
  if (whole != 0) {
    const red = v128.load32_splat(background);
    const green = v128.load32_splat(background, 4);
    const blue = v128.load32_splat(background, 8);
    let sumRed = f32x4.splat(0);
    let sumGreen = f32x4.splat(0);
    let sumBlue = f32x4.splat(0);
    for (let y = 0; y < bottom; y++) {
      let pixel = (<usize>((row + y) * width + column)) << 2;
      for (let x = 0; x < whole; x += 4, pixel += 16) {
        const at = scratch + <usize>((x << 2) + y) * length;
        const source = color + 3 * pixel;
        const first = v128.load(source);
        const second = v128.load(source, 16);
        const third = v128.load(source, 32);
        const r = v128.shuffle<f32>(v128.shuffle<f32>(first, second, 0, 3, 6, 6), third, 0, 1, 2, 5);
        const g = v128.shuffle<f32>(v128.shuffle<f32>(first, second, 1, 4, 7, 7), third, 0, 1, 2, 6);
        const b = v128.shuffle<f32>(v128.shuffle<f32>(first, second, 2, 5, 5, 5), third, 0, 1, 4, 7);
        const t = v128.load(at);
        let behind = f32x4.add(f32x4.add(f32x4.mul(r, red), f32x4.mul(g, green)), f32x4.mul(b, blue));
        if (alpha != 0) behind = f32x4.sub(behind, v128.load(alpha + pixel));
        v128.store(at, f32x4.mul(behind, t), 16);
        v128.store(at, r, HEAD);
        v128.store(at, g, HEAD + 16);
        v128.store(at, b, HEAD + 32);
        sumRed = f32x4.add(sumRed, f32x4.mul(r, t));
        sumGreen = f32x4.add(sumGreen, f32x4.mul(g, t));
        sumBlue = f32x4.add(sumBlue, f32x4.mul(b, t));
      }
    }
    const all = sums(sumRed, sumGreen, sumBlue, sumBlue);
    put(vBackground, 0, <f64>f32x4.extract_lane(all, 0));
    put(vBackground, 1, <f64>f32x4.extract_lane(all, 1));
    put(vBackground, 2, <f64>f32x4.extract_lane(all, 2));
  }
  for (let y = 0; y < bottom; y++) {
    for (let x = whole; x < right; x++) {
      const at = scratch + <usize>(((x >> 2) << 4) + y) * length + ((<usize>(x & 3)) << 2);
      const pixel = <usize>((row + y) * width + column + x);
      const t = load<f32>(at);
      let source = color + pixel * ((<usize>channels) << 2);
      let plane = at + HEAD;
      let behind: f32 = alpha != 0 ? -load<f32>(alpha + (pixel << 2)) : 0;
      for (let k = 0; k < channels; k++) {
        const v = load<f32>(source);
        put(vBackground, k, number(vBackground, k) + <f64>(v * t));
        behind += v * load<f32>(background + ((<usize>k) << 2));
        store<f32>(plane, v);
        source += 4;
        plane += 16;
      }
      if (depth != 0) store<f32>(plane, load<f32>(depth + (pixel << 2)));
      store<f32>(at + 16, behind * t);
    }
  }
}
