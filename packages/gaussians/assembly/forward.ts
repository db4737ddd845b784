import { A, ALPHA, B, BACKGROUND, BLOCKS, C, CHANNELS, COLOR, DEPTH, ENTRIES, EXPECTED, HEIGHT, L, MASKS, MX, MY, PIXELS, PLANE, RECORD_STRIDE, RECORDS, STARTS, STOPS, TILE, TILES_X, TRANSMITTANCE, VALUES, WIDTH, word } from './layout';
import { cover, inside } from './cover';
import { CUTOFF, exp2of8, LEAST_TRANSMITTANCE, MOST_ALPHA, PLACES } from './math';

/**
 * Blends a tile. Gaussian by Gaussian from the front, over the blocks of pixels that it may touch; what is left of the mask afterwards are
 * the blocks that it did touch, which is all that the way back looks at.
 */
export function forwardTile(tile: i32, scratch: usize): void {
  const values = word(CHANNELS) + (word(DEPTH) != 0 ? 1 : 0);
  const block = (<usize>(2 + values)) * PLANE;
  // Constant arguments: the compiler makes a loop for each case.
  if (values == 3) blend(tile, scratch, 5 * PLANE, 3, true);
  else blend(tile, scratch, block, values, false);
  finish(tile, scratch, block);
}

@inline
function blend(tile: i32, scratch: usize, block: usize, values: i32, three: bool): void {
  const tilesX = word(TILES_X);
  const column = (tile % tilesX) * TILE;
  const row = (tile / tilesX) * TILE;
  const x0 = <f32>column + 0.5;
  const y0 = <f32>row + 0.5;
  const stops = <usize>word(STOPS) + <usize>tile * PIXELS * 4;

  // Planes of a block: transmittance, the power from which on a pixel takes light (infinite when it is finished), values.
  for (let b = 0; b < BLOCKS; b++) {
    const at = scratch + <usize>b * block;
    v128.store(at, f32x4.splat(1));
    v128.store(at, f32x4.splat(1), 16);
    v128.store(at, f32x4.splat(CUTOFF), 32);
    v128.store(at, f32x4.splat(CUTOFF), 48);
    for (let p: usize = 2 * PLANE; p < block; p += 16) v128.store(at + p, f32x4.splat(0));
  }
  for (let p: usize = 0; p < <usize>PIXELS * 4; p += 16) v128.store(stops + p, i32x4.splat(i32.MAX_VALUE));

  const starts = <usize>word(STARTS) + (<usize>tile << 2);
  const start = load<u32>(starts);
  const end = load<u32>(starts, 4);
  const entries = <usize>word(ENTRIES);
  const masks = <usize>word(MASKS);
  const records = <usize>word(RECORDS);
  const stride = <usize>word(RECORD_STRIDE);
  let live = inside(word(WIDTH) - column, word(HEIGHT) - row);

  for (let e = start; e < end; e++) {
    const record = records + <usize>load<u32>(entries + (<usize>e << 2)) * stride;
    let mask = cover(record, x0, y0) & live;
    if (mask == 0) {
      store<u32>(masks + (<usize>e << 2), 0);
      continue;
    }
    const mx = f32x4.sub(f32x4.splat(load<f32>(record, MX) - x0), f32x4(0, 1, 2, 3));
    const my = f32x4.splat(load<f32>(record, MY) - y0);
    const a = v128.load32_splat(record, A);
    const b = v128.load32_splat(record, B);
    const c = v128.load32_splat(record, C);
    const most = v128.load32_splat(record, L);
    const red = v128.load32_splat(record, VALUES);
    const green = v128.load32_splat(record, VALUES + 4);
    const blue = v128.load32_splat(record, VALUES + 8);
    let touched: u32 = 0;
    do {
      const n = <usize>ctz<u32>(mask);
      mask &= mask - 1;
      const at = scratch + n * block;
      const dx = f32x4.sub(mx, v128.load32_splat(PLACES + (n << 3)));
      const dy = f32x4.sub(my, v128.load32_splat(PLACES + (n << 3), 4));
      const below = f32x4.sub(dy, f32x4.splat(1));
      const q0 = f32x4.add(f32x4.mul(a, dx), f32x4.mul(b, dy));
      const q1 = f32x4.sub(q0, b);
      const c0 = f32x4.mul(c, dy);
      const c1 = f32x4.sub(c0, c);
      const p0 = f32x4.add(f32x4.mul(q0, dx), f32x4.add(f32x4.mul(c0, dy), most));
      const p1 = f32x4.add(f32x4.mul(q1, dx), f32x4.add(f32x4.mul(c1, below), most));
      const m0 = f32x4.ge(p0, v128.load(at, 32));
      const m1 = f32x4.ge(p1, v128.load(at, 48));
      if (!v128.any_true(v128.or(m0, m1))) continue;
      // Rounding may lift the power of a long thin Gaussian above that of its centre.
      const a0 = v128.and(m0, f32x4.pmin(f32x4.splat(MOST_ALPHA), exp2of8(f32x4.pmin(most, p0))));
      const a1 = v128.and(m1, f32x4.pmin(f32x4.splat(MOST_ALPHA), exp2of8(f32x4.pmin(most, p1))));
      const t0 = v128.load(at);
      const t1 = v128.load(at, 16);
      let w0 = f32x4.mul(a0, t0);
      let w1 = f32x4.mul(a1, t1);
      let left0 = f32x4.sub(t0, w0);
      let left1 = f32x4.sub(t1, w1);
      const off0 = f32x4.le(left0, f32x4.splat(LEAST_TRANSMITTANCE));
      const off1 = f32x4.le(left1, f32x4.splat(LEAST_TRANSMITTANCE));
      if (v128.any_true(v128.or(off0, off1))) {
        // Some pixels would be left too little: they are finished, without this Gaussian.
        w0 = v128.andnot(w0, off0);
        w1 = v128.andnot(w1, off1);
        left0 = f32x4.sub(t0, w0);
        left1 = f32x4.sub(t1, w1);
        const f0 = v128.bitselect(f32x4.splat(Infinity), v128.load(at, 32), off0);
        const f1 = v128.bitselect(f32x4.splat(Infinity), v128.load(at, 48), off1);
        v128.store(at, f0, 32);
        v128.store(at, f1, 48);
        const stop = stops + n * PLANE;
        const position = i32x4.splat(<i32>(e - start));
        v128.store(stop, v128.bitselect(position, v128.load(stop), off0));
        v128.store(stop, v128.bitselect(position, v128.load(stop, 16), off1), 16);
        if (i32x4.all_true(v128.and(f32x4.eq(f0, f32x4.splat(Infinity)), f32x4.eq(f1, f32x4.splat(Infinity))))) live &= ~(1 << <u32>n);
      }
      touched |= 1 << <u32>n;
      v128.store(at, left0);
      v128.store(at, left1, 16);
      if (three) {
        v128.store(at, f32x4.add(v128.load(at, 64), f32x4.mul(w0, red)), 64);
        v128.store(at, f32x4.add(v128.load(at, 80), f32x4.mul(w1, red)), 80);
        v128.store(at, f32x4.add(v128.load(at, 96), f32x4.mul(w0, green)), 96);
        v128.store(at, f32x4.add(v128.load(at, 112), f32x4.mul(w1, green)), 112);
        v128.store(at, f32x4.add(v128.load(at, 128), f32x4.mul(w0, blue)), 128);
        v128.store(at, f32x4.add(v128.load(at, 144), f32x4.mul(w1, blue)), 144);
      } else {
        let plane = at + 2 * PLANE;
        for (let k = 0; k < values; k++, plane += PLANE) {
          const value = v128.load32_splat(record + VALUES + (<usize>k << 2));
          v128.store(plane, f32x4.add(v128.load(plane), f32x4.mul(w0, value)));
          v128.store(plane, f32x4.add(v128.load(plane, 16), f32x4.mul(w1, value)), 16);
        }
      }
    } while (mask != 0);
    store<u32>(masks + (<usize>e << 2), touched);
    if (live == 0) {
      memory.fill(masks + ((<usize>e + 1) << 2), 0, <usize>(end - e - 1) << 2);
      break;
    }
  }
}

/** Puts the tile into the picture, row by row, over the background. */
function finish(tile: i32, scratch: usize, block: usize): void {
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
  for (let b = 0; b < BLOCKS; b++) {
    const at = scratch + <usize>b * block;
    v128.store(saved + <usize>b * PLANE, v128.load(at));
    v128.store(saved + <usize>b * PLANE, v128.load(at, 16), 16);
  }
  for (let y = 0; y < bottom; y++) {
    for (let x = 0; x < right; x++) {
      const at = scratch + <usize>(((y >> 1) << 2) | (x >> 2)) * block + (<usize>(((y & 1) << 2) | (x & 3)) << 2);
      const pixel = <usize>((row + y) * width + column + x);
      const t = load<f32>(at);
      let target = color + pixel * (<usize>channels << 2);
      let plane = at + 2 * PLANE;
      for (let k = 0; k < channels; k++) {
        store<f32>(target, load<f32>(plane) + t * load<f32>(background + (<usize>k << 2)));
        target += 4;
        plane += PLANE;
      }
      store<f32>(alpha + (pixel << 2), 1 - t);
      if (depth != 0) store<f32>(depth + (pixel << 2), expected ? load<f32>(plane) / max<f32>(1 - t, 1e-10) : load<f32>(plane));
    }
  }
}
