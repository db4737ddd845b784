import { A, ABSOLUTE, ALPHA, B, BACKGROUND, BLOCKS, C, CHANNELS, COLOR, DEPTH, ENTRIES, HEIGHT, L, MASKS, MX, MY, number, PIXELS, PLANE, put, RECORD_STRIDE, RECORDS, ROW_STRIDE, ROWS, STARTS, STOPS, TILE, TILES_X, TRANSMITTANCE, V_BACKGROUND, VALUES, WIDTH, word } from './layout';
import { CUTOFF, exp2of8, MOST_ALPHA, PLACES, sums } from './math';

/**
 * The way back through a tile, from the last Gaussian to the first: dividing transmittance out again, with one number per pixel for all that
 * lies behind. Each Gaussian of the tile gets a row of sums over its pixels, with g = -dL/dsigma: g, g dx, g dy, g dx^2, g dx dy, g dy^2,
 * |g (2A dx + B dy)|, |g (B dx + 2C dy)|, then dL/dvalue; everything else follows from those.
 */
export function backwardTile(tile: i32, scratch: usize): void {
  const values = word(CHANNELS) + (word(DEPTH) != 0 ? 1 : 0);
  const block = (<usize>(2 + values)) * PLANE;
  gather(tile, scratch, block);
  // Constant arguments: the compiler makes a loop for each case.
  if (values != 3) lead(tile, scratch, block, values, false, true);
  else if (word(ABSOLUTE) != 0) lead(tile, scratch, 5 * PLANE, 3, true, true);
  else lead(tile, scratch, 5 * PLANE, 3, true, false);
}

@inline
function lead(tile: i32, scratch: usize, block: usize, values: i32, three: bool, absolute: bool): void {
  const tilesX = word(TILES_X);
  const x0 = <f32>((tile % tilesX) * TILE) + 0.5;
  const y0 = <f32>((tile / tilesX) * TILE) + 0.5;
  const stops = <usize>word(STOPS) + <usize>tile * PIXELS * 4;
  const starts = <usize>word(STARTS) + (<usize>tile << 2);
  const start = load<u32>(starts);
  const end = load<u32>(starts, 4);
  const entries = <usize>word(ENTRIES);
  const masks = <usize>word(MASKS);
  const rows = <usize>word(ROWS);
  const rowStride = <usize>word(ROW_STRIDE);
  const records = <usize>word(RECORDS);
  const stride = <usize>word(RECORD_STRIDE);

  for (let e = end; e > start; ) {
    e--;
    let mask = load<u32>(masks + (<usize>e << 2));
    if (mask == 0) continue;
    const record = records + <usize>load<u32>(entries + (<usize>e << 2)) * stride;
    const target = rows + <usize>e * rowStride;
    const mx = f32x4.sub(f32x4.splat(load<f32>(record, MX) - x0), f32x4(0, 1, 2, 3));
    const my = f32x4.splat(load<f32>(record, MY) - y0);
    const a = v128.load32_splat(record, A);
    const b = v128.load32_splat(record, B);
    const c = v128.load32_splat(record, C);
    const most = v128.load32_splat(record, L);
    const red = v128.load32_splat(record, VALUES);
    const green = v128.load32_splat(record, VALUES + 4);
    const blue = v128.load32_splat(record, VALUES + 8);
    const position = i32x4.splat(<i32>(e - start));
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
    if (!three) for (let k: usize = 0; k < <usize>values; k++) v128.store(scratch + <usize>BLOCKS * block + (k << 4), f32x4.splat(0));
    do {
      const n = <usize>ctz<u32>(mask);
      mask &= mask - 1;
      const at = scratch + n * block;
      const stop = stops + n * PLANE;
      // The same operations as in forward.ts, so that both see the same alpha.
      const dx = f32x4.sub(mx, v128.load32_splat(PLACES + (n << 3)));
      const dy = f32x4.sub(my, v128.load32_splat(PLACES + (n << 3), 4));
      const below = f32x4.sub(dy, f32x4.splat(1));
      const adx = f32x4.mul(a, dx);
      const q0 = f32x4.add(adx, f32x4.mul(b, dy));
      const q1 = f32x4.sub(q0, b);
      const c0 = f32x4.mul(c, dy);
      const c1 = f32x4.sub(c0, c);
      const p0 = f32x4.add(f32x4.mul(q0, dx), f32x4.add(f32x4.mul(c0, dy), most));
      const p1 = f32x4.add(f32x4.mul(q1, dx), f32x4.add(f32x4.mul(c1, below), most));
      const m0 = v128.and(f32x4.ge(p0, f32x4.splat(CUTOFF)), i32x4.gt_s(v128.load(stop), position));
      const m1 = v128.and(f32x4.ge(p1, f32x4.splat(CUTOFF)), i32x4.gt_s(v128.load(stop, 16), position));
      const e0 = v128.and(m0, exp2of8(f32x4.pmin(most, p0)));
      const e1 = v128.and(m1, exp2of8(f32x4.pmin(most, p1)));
      const a0 = f32x4.pmin(f32x4.splat(MOST_ALPHA), e0);
      const a1 = f32x4.pmin(f32x4.splat(MOST_ALPHA), e1);
      const r0 = f32x4.div(f32x4.splat(1), f32x4.sub(f32x4.splat(1), a0));
      const r1 = f32x4.div(f32x4.splat(1), f32x4.sub(f32x4.splat(1), a1));
      const t0 = f32x4.mul(v128.load(at), r0);
      const t1 = f32x4.mul(v128.load(at, 16), r1);
      v128.store(at, t0);
      v128.store(at, t1, 16);
      const w0 = f32x4.mul(a0, t0);
      const w1 = f32x4.mul(a1, t1);
      let d0: v128;
      let d1: v128;
      if (three) {
        const red0 = v128.load(at, 64);
        const red1 = v128.load(at, 80);
        d0 = f32x4.mul(red, red0);
        d1 = f32x4.mul(red, red1);
        sumRed = f32x4.add(sumRed, f32x4.add(f32x4.mul(w0, red0), f32x4.mul(w1, red1)));
        const green0 = v128.load(at, 96);
        const green1 = v128.load(at, 112);
        d0 = f32x4.add(d0, f32x4.mul(green, green0));
        d1 = f32x4.add(d1, f32x4.mul(green, green1));
        sumGreen = f32x4.add(sumGreen, f32x4.add(f32x4.mul(w0, green0), f32x4.mul(w1, green1)));
        const blue0 = v128.load(at, 128);
        const blue1 = v128.load(at, 144);
        d0 = f32x4.add(d0, f32x4.mul(blue, blue0));
        d1 = f32x4.add(d1, f32x4.mul(blue, blue1));
        sumBlue = f32x4.add(sumBlue, f32x4.add(f32x4.mul(w0, blue0), f32x4.mul(w1, blue1)));
      } else {
        d0 = f32x4.splat(0);
        d1 = f32x4.splat(0);
        let plane = at + 2 * PLANE;
        let total = scratch + <usize>BLOCKS * block;
        for (let k = 0; k < values; k++, plane += PLANE, total += 16) {
          const value = v128.load32_splat(record + VALUES + (<usize>k << 2));
          const v0 = v128.load(plane);
          const v1 = v128.load(plane, 16);
          d0 = f32x4.add(d0, f32x4.mul(value, v0));
          d1 = f32x4.add(d1, f32x4.mul(value, v1));
          v128.store(total, f32x4.add(v128.load(total), f32x4.add(f32x4.mul(w0, v0), f32x4.mul(w1, v1))));
        }
      }
      const s0 = v128.load(at, 32);
      const s1 = v128.load(at, 48);
      const vAlpha0 = f32x4.sub(f32x4.mul(t0, d0), f32x4.mul(s0, r0));
      const vAlpha1 = f32x4.sub(f32x4.mul(t1, d1), f32x4.mul(s1, r1));
      v128.store(at, f32x4.add(s0, f32x4.mul(w0, d0)), 32);
      v128.store(at, f32x4.add(s1, f32x4.mul(w1, d1)), 48);
      // Where alpha was held at its most, the Gaussian's shape does not matter.
      const g0 = v128.and(f32x4.mul(e0, vAlpha0), f32x4.le(e0, f32x4.splat(MOST_ALPHA)));
      const g1 = v128.and(f32x4.mul(e1, vAlpha1), f32x4.le(e1, f32x4.splat(MOST_ALPHA)));
      // Both rows at once: the lower one has dy - 1.
      const both = f32x4.add(g0, g1);
      const gx = f32x4.mul(both, dx);
      const gy = f32x4.sub(f32x4.mul(both, dy), g1);
      sum = f32x4.add(sum, both);
      sumX = f32x4.add(sumX, gx);
      sumXX = f32x4.add(sumXX, f32x4.mul(gx, dx));
      sumY = f32x4.add(sumY, gy);
      sumXY = f32x4.add(sumXY, f32x4.mul(gy, dx));
      sumYY = f32x4.add(sumYY, f32x4.add(f32x4.mul(f32x4.sub(gy, g1), dy), g1));
      if (absolute) {
        const bdx = f32x4.mul(b, dx);
        absX = f32x4.add(absX, f32x4.add(f32x4.abs(f32x4.mul(g0, f32x4.add(q0, adx))), f32x4.abs(f32x4.mul(g1, f32x4.add(q1, adx)))));
        absY = f32x4.add(absY, f32x4.add(f32x4.abs(f32x4.mul(g0, f32x4.add(bdx, f32x4.add(c0, c0)))), f32x4.abs(f32x4.mul(g1, f32x4.add(bdx, f32x4.add(c1, c1))))));
      }
    } while (mask != 0);
    v128.store(target, sums(sum, sumX, sumY, sumXX));
    v128.store(target, sums(sumXY, sumYY, absX, absY), 16);
    if (three) {
      v128.store(target, sums(sumRed, sumGreen, sumBlue, sumBlue), 32);
    } else {
      for (let k: usize = 0; k < <usize>values; k++) {
        const total = v128.load(scratch + <usize>BLOCKS * block + (k << 4));
        store<f32>(target + 32 + (k << 2), (f32x4.extract_lane(total, 0) + f32x4.extract_lane(total, 1)) + (f32x4.extract_lane(total, 2) + f32x4.extract_lane(total, 3)));
      }
    }
  }
}

/** Fills the planes of the tile's blocks: transmittance behind all, S = T (background . v - v_alpha), then the gradients of the values. */
function gather(tile: i32, scratch: usize, block: usize): void {
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
  const vBackground = <usize>word(V_BACKGROUND) + <usize>(tile * channels) * 8;
  memory.fill(scratch, 0, <usize>BLOCKS * block);
  memory.fill(vBackground, 0, <usize>channels * 8);
  for (let b = 0; b < BLOCKS; b++) {
    const at = scratch + <usize>b * block;
    v128.store(at, v128.load(saved + <usize>b * PLANE));
    v128.store(at, v128.load(saved + <usize>b * PLANE, 16), 16);
  }
  for (let y = 0; y < bottom; y++) {
    for (let x = 0; x < right; x++) {
      const at = scratch + <usize>(((y >> 1) << 2) | (x >> 2)) * block + (<usize>(((y & 1) << 2) | (x & 3)) << 2);
      const pixel = <usize>((row + y) * width + column + x);
      const t = load<f32>(at);
      let source = color + pixel * (<usize>channels << 2);
      let plane = at + 2 * PLANE;
      let behind: f32 = alpha != 0 ? -load<f32>(alpha + (pixel << 2)) : 0;
      for (let k = 0; k < channels; k++) {
        const v = load<f32>(source);
        put(vBackground, k, number(vBackground, k) + <f64>(v * t));
        behind += v * load<f32>(background + (<usize>k << 2));
        store<f32>(plane, v);
        source += 4;
        plane += PLANE;
      }
      if (depth != 0) store<f32>(plane, load<f32>(depth + (pixel << 2)));
      store<f32>(at + PLANE, behind * t);
    }
  }
}
