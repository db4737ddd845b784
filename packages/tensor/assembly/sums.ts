/** Numbers that one call takes at most: both arrays then fit in the nearest cache. */
const CAPACITY: i32 = 4096;

/** The running sum, and the next value that goes into it. */
export const SUM = memory.data(CAPACITY * 4, 16);
export const VALUE = memory.data(CAPACITY * 4, 16);

/** sum = factor * sum, over whole vectors of the first `count` numbers. */
export function scale(count: i32, factor: f32): void {
  const f = f32x4.splat(factor);
  for (let at: usize = 0, end = (<usize>count) << 2; at < end; at += 16) v128.store(SUM + at, f32x4.mul(f, v128.load(SUM + at)));
}

/** sum = keep * sum + factor * value, each product and the sum rounded, over the first `count` numbers and up to 15 more. */
export function blend(count: i32, keep: f32, factor: f32): void {
  const k = f32x4.splat(keep);
  const f = f32x4.splat(factor);
  for (let at: usize = 0, end = (<usize>count) << 2; at < end; at += 64) {
    const a = f32x4.add(f32x4.mul(k, v128.load(SUM + at)), f32x4.mul(f, v128.load(VALUE + at)));
    const b = f32x4.add(f32x4.mul(k, v128.load(SUM + at, 16)), f32x4.mul(f, v128.load(VALUE + at, 16)));
    const c = f32x4.add(f32x4.mul(k, v128.load(SUM + at, 32)), f32x4.mul(f, v128.load(VALUE + at, 32)));
    const d = f32x4.add(f32x4.mul(k, v128.load(SUM + at, 48)), f32x4.mul(f, v128.load(VALUE + at, 48)));
    v128.store(SUM + at, a);
    v128.store(SUM + at, b, 16);
    v128.store(SUM + at, c, 32);
    v128.store(SUM + at, d, 48);
  }
}
