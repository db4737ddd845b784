import { GRADIENT, HEIGHT, IMAGE, LOSS_SCALES, LOSS_SUMS, MAPS, PITCH, put, TARGET, WIDTH, word } from './layout';

// SSIM over windows of 11 x 11 with zeros beyond the picture, like src/losses/ssim.ts, and L1. A thread takes bands of rows; within a band
// it goes strip by strip, so that the blurred rows of a strip stay in the nearest cache. Pictures are [height, width, 3].

/** Rows of a band. */
const BAND: i32 = 32;
const REACH: i32 = 5;
/** Numbers of a strip, of the pixels that its windows reach on either side, and of both in whole vectors. */
const STRIP: i32 = 96;
const EDGE: i32 = 15;
const LINE: i32 = 128;
const LINE_BYTES: usize = 512;
/** Bytes of a blurred row of a strip: four quantities. */
const PART: usize = 384;
const ROW: usize = 1536;
/**
 * In scratch: lines, or the sums of windows of a strip; then the rows of a band and those that its windows reach. src/cpu/layout.ts knows
 * the sum.
 */
const ROWS: usize = 4 * LINE_BYTES;

const C1: f32 = 0.0001;
const C2: f32 = 0.0009;
const W0: f32 = 0.26601171493530273;
const W1: f32 = 0.21300554275512695;
const W2: f32 = 0.10936068743467331;
const W3: f32 = 0.036000773310661316;
const W4: f32 = 0.0075987582094967365;
const W5: f32 = 0.001028380123898387;

/** Sum of both sides times the window. */
@inline
function blend(v0: v128, v1: v128, v2: v128, v3: v128, v4: v128, v5: v128): v128 {
  let sum = f32x4.add(f32x4.mul(f32x4.splat(W0), v0), f32x4.mul(f32x4.splat(W1), v1));
  sum = f32x4.add(sum, f32x4.mul(f32x4.splat(W2), v2));
  sum = f32x4.add(sum, f32x4.mul(f32x4.splat(W3), v3));
  sum = f32x4.add(sum, f32x4.mul(f32x4.splat(W4), v4));
  return f32x4.add(sum, f32x4.mul(f32x4.splat(W5), v5));
}

/** Along a row, pixels of three numbers: `line` has the strip after EDGE numbers. */
@inline
function across(line: usize, to: usize): void {
  for (let i: usize = 0; i < PART; i += 16) {
    const at = line + i;
    v128.store(
      to + i,
      blend(
        v128.load(at, 60),
        f32x4.add(v128.load(at, 48), v128.load(at, 72)),
        f32x4.add(v128.load(at, 36), v128.load(at, 84)),
        f32x4.add(v128.load(at, 24), v128.load(at, 96)),
        f32x4.add(v128.load(at, 12), v128.load(at, 108)),
        f32x4.add(v128.load(at), v128.load(at, 120)),
      ),
    );
  }
}

/**
 * Over eleven rows, of which the first is given. A loop for each quantity: the compiler of the browser takes all loads of a loop's body
 * first, and those of several quantities would not fit into registers.
 */
@inline
function down(rows: usize, to: usize): void {
  for (let i: usize = 0; i < PART; i += 16) {
    const at = rows + i;
    v128.store(
      to + i,
      blend(
        v128.load(at, 5 * ROW),
        f32x4.add(v128.load(at, 4 * ROW), v128.load(at, 6 * ROW)),
        f32x4.add(v128.load(at, 3 * ROW), v128.load(at, 7 * ROW)),
        f32x4.add(v128.load(at, 2 * ROW), v128.load(at, 8 * ROW)),
        f32x4.add(v128.load(at, ROW), v128.load(at, 9 * ROW)),
        f32x4.add(v128.load(at), v128.load(at, 10 * ROW)),
      ),
    );
  }
}

/** A strip of a row with its edges: where it lies when it lies inside, otherwise copied into `line`, with zeros beyond the ends. */
@inline
function fetch(row: usize, at: i32, width: i32, line: usize): usize {
  const from = at - EDGE;
  if (from >= 0 && from + LINE <= width) return row + ((<usize>from) << 2);
  const first = max(0, from);
  memory.fill(line, 0, LINE_BYTES);
  memory.copy(line + ((<usize>(first - from)) << 2), row + ((<usize>first) << 2), (<usize>(min(width, from + LINE) - first)) << 2);
  return line;
}

/** The lanes that are before the end of a row. */
@inline
function lanes(left: i32): v128 {
  return i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(left));
}

@inline
function wide(sum: v128, v: v128): v128 {
  return f64x2.add(sum, f64x2.add(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(v128.shuffle<u64>(v, v, 1, 0))));
}

@inline
function both(sum: v128): f64 {
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** Window by window: SSIM, and its gradients by the window's means of the image, of its square and of its product with the target. */
export function lossForwardBand(band: i32, scratch: usize): void {
  const width = 3 * word(WIDTH);
  const height = word(HEIGHT);
  const pitch = <usize>word(PITCH);
  const image = <usize>word(IMAGE);
  const target = <usize>word(TARGET);
  const maps = <usize>word(MAPS);
  const plane = <usize>height * pitch;
  const scale = load<f32>(<usize>word(LOSS_SCALES));
  const first = band * BAND;
  const last = min(height, first + BAND);
  const squares = scratch + 2 * LINE_BYTES;
  const products = scratch + 3 * LINE_BYTES;
  let total = f64x2.splat(0);
  for (let at = 0; at < width; at += STRIP) {
    const end = min(STRIP, width - at);
    for (let y = first - REACH; y < last + REACH; y++) {
      const row = scratch + ROWS + <usize>(y - first + REACH) * ROW;
      if (y < 0 || y >= height) {
        memory.fill(row, 0, ROW);
      } else {
        const offset = (<usize>(y * width)) << 2;
        const x = fetch(image + offset, at, width, scratch);
        const t = fetch(target + offset, at, width, scratch + LINE_BYTES);
        for (let i: usize = 0; i < LINE_BYTES; i += 16) {
          const xi = v128.load(x + i);
          const ti = v128.load(t + i);
          v128.store(squares + i, f32x4.add(f32x4.mul(xi, xi), f32x4.mul(ti, ti)));
          v128.store(products + i, f32x4.mul(xi, ti));
        }
        across(x, row);
        across(t, row + PART);
        across(squares, row + 2 * PART);
        across(products, row + 3 * PART);
      }
      if (y < first + REACH) continue;
      const rows = row - <usize>(2 * REACH) * ROW;
      for (let q: usize = 0; q < 4; q++) down(rows + q * PART, scratch + q * PART);
      let sums = scratch;
      let out = maps + <usize>(y - REACH) * pitch + ((<usize>at) << 2);
      for (let i = 0; i < end; i += 4, sums += 16, out += 16) {
        const mx = v128.load(sums);
        const my = v128.load(sums, PART);
        const squared = v128.load(sums, 2 * PART);
        const product = v128.load(sums, 3 * PART);
        const mxy = f32x4.mul(mx, my);
        const means = f32x4.add(f32x4.mul(mx, mx), f32x4.mul(my, my));
        const a1 = f32x4.add(f32x4.add(mxy, mxy), f32x4.splat(C1));
        const covariance = f32x4.sub(product, mxy);
        const a2 = f32x4.add(f32x4.add(covariance, covariance), f32x4.splat(C2));
        const b1 = f32x4.add(means, f32x4.splat(C1));
        const b2 = f32x4.add(f32x4.sub(squared, means), f32x4.splat(C2));
        const inverse = f32x4.div(f32x4.splat(1), f32x4.mul(b1, b2));
        let s = f32x4.mul(f32x4.mul(a1, a2), inverse);
        const scaled = f32x4.mul(inverse, f32x4.splat(scale));
        const byMean = f32x4.add(f32x4.mul(my, f32x4.sub(a2, a1)), f32x4.mul(f32x4.mul(mx, s), f32x4.sub(b1, b2)));
        v128.store(out, f32x4.mul(f32x4.add(byMean, byMean), scaled));
        v128.store(out + plane, f32x4.mul(f32x4.neg(f32x4.mul(s, b1)), scaled));
        v128.store(out + 2 * plane, f32x4.mul(f32x4.add(a1, a1), scaled));
        if (end - i < 4) s = v128.and(s, lanes(end - i));
        total = wide(total, s);
      }
    }
  }
  put(<usize>word(LOSS_SUMS), 3 * band, both(total));
}

/** From the gradients of the windows to those of the image, and L1's. */
export function lossBackwardBand(band: i32, scratch: usize): void {
  const width = 3 * word(WIDTH);
  const height = word(HEIGHT);
  const pitch = <usize>word(PITCH);
  const image = <usize>word(IMAGE);
  const target = <usize>word(TARGET);
  const gradient = <usize>word(GRADIENT);
  const maps = <usize>word(MAPS);
  const plane = <usize>height * pitch;
  const scale = f32x4.splat(load<f32>(<usize>word(LOSS_SCALES), 4));
  const first = band * BAND;
  const last = min(height, first + BAND);
  let absolute = f64x2.splat(0);
  let square = f64x2.splat(0);
  for (let at = 0; at < width; at += STRIP) {
    const end = min(STRIP, width - at);
    for (let y = first - REACH; y < last + REACH; y++) {
      const row = scratch + ROWS + <usize>(y - first + REACH) * ROW;
      if (y < 0 || y >= height) {
        memory.fill(row, 0, ROW);
      } else {
        for (let q: usize = 0; q < 3; q++) across(fetch(maps + q * plane + <usize>y * pitch, at, width, scratch), row + q * PART);
      }
      if (y < first + REACH) continue;
      const rows = row - <usize>(2 * REACH) * ROW;
      for (let q: usize = 0; q < 3; q++) down(rows + q * PART, scratch + q * PART);
      let sums = scratch;
      const offset = (<usize>((y - REACH) * width + at)) << 2;
      let x = image + offset;
      let t = target + offset;
      let out = gradient + offset;
      for (let i = 0; i < end; i += 4, sums += 16, x += 16, t += 16, out += 16) {
        // The arrays have room for the last vector.
        const xi = v128.load(x);
        const ti = v128.load(t);
        let difference = f32x4.sub(xi, ti);
        if (end - i < 4) difference = v128.and(difference, lanes(end - i));
        const magnitude = f32x4.abs(difference);
        absolute = wide(absolute, magnitude);
        square = wide(square, f32x4.mul(difference, difference));
        const sign = v128.and(v128.or(v128.and(difference, i32x4.splat(i32.MIN_VALUE)), scale), f32x4.gt(magnitude, f32x4.splat(0)));
        const squared = f32x4.mul(xi, v128.load(sums, PART));
        const blurred = f32x4.add(
          f32x4.add(f32x4.add(sign, v128.load(sums)), f32x4.add(squared, squared)),
          f32x4.mul(ti, v128.load(sums, 2 * PART)),
        );
        if (end - i >= 4) v128.store(out, blurred);
        else memory.copy(out, last4(scratch + ROW, blurred), (<usize>(end - i)) << 2);
      }
    }
  }
  put(<usize>word(LOSS_SUMS), 3 * band + 1, both(absolute));
  put(<usize>word(LOSS_SUMS), 3 * band + 2, both(square));
}

/** A vector of which only the first numbers are wanted, in memory. */
@inline
function last4(scratch: usize, v: v128): usize {
  v128.store(scratch, v);
  return scratch;
}
