const MULTIPLIER_0: u32 = 0xd2511f53;
const MULTIPLIER_1: u32 = 0xcd9e8d57;
const WEYL_0: u32 = 0x9e3779b9;
const WEYL_1: u32 = 0xbb67ae85;

/** Both keys of each round, as vectors. */
const KEYS = memory.data(10 * 32, 16);

@inline
function lowHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 0, 2, 4, 6);
}

@inline
function highHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i32>(a, b, 1, 3, 5, 7);
}

/**
 * The words of Philox 4x32-10 (src/random/philox.ts) for counters (low + i, high, upper0, upper1), four to a vector: words 0 and 2 of each
 * to `even`, words 1 and 3 to `odd`. Two vectors of counters go through the rounds together, as one alone waits for its own products.
 *
 * @param groups how many vectors of counters, even
 */
export function philox(even: usize, odd: usize, groups: i32, low: u32, high: u32, upper0: u32, upper1: u32, key0: u32, key1: u32): void {
  for (let round: u32 = 0; round < 10; round++) {
    v128.store(KEYS + 32 * round, i32x4.splat(key0 + round * WEYL_0));
    v128.store(KEYS + 32 * round, i32x4.splat(key1 + round * WEYL_1), 16);
  }
  const m0 = i32x4.splat(MULTIPLIER_0);
  const m1 = i32x4.splat(MULTIPLIER_1);
  let counters = i32x4.add(i32x4.splat(low), i32x4(0, 1, 2, 3));
  for (let at: usize = 0, end = (<usize>groups) << 5; at < end; at += 64) {
    let c0 = counters;
    let c1 = i32x4.splat(high);
    let c2 = i32x4.splat(upper0);
    let c3 = i32x4.splat(upper1);
    let d0 = i32x4.add(counters, i32x4.splat(4));
    let d1 = c1;
    let d2 = c2;
    let d3 = c3;
    for (let keys: usize = KEYS; keys < KEYS + 320; keys += 32) {
      const c0Low = i64x2.extmul_low_i32x4_u(c0, m0);
      const c0High = i64x2.extmul_high_i32x4_u(c0, m0);
      const c2Low = i64x2.extmul_low_i32x4_u(c2, m1);
      const c2High = i64x2.extmul_high_i32x4_u(c2, m1);
      const d0Low = i64x2.extmul_low_i32x4_u(d0, m0);
      const d0High = i64x2.extmul_high_i32x4_u(d0, m0);
      const d2Low = i64x2.extmul_low_i32x4_u(d2, m1);
      const d2High = i64x2.extmul_high_i32x4_u(d2, m1);
      const k0 = v128.load(keys);
      const k1 = v128.load(keys, 16);
      c0 = v128.xor(highHalves(c2Low, c2High), v128.xor(c1, k0));
      c1 = lowHalves(c2Low, c2High);
      c2 = v128.xor(highHalves(c0Low, c0High), v128.xor(c3, k1));
      c3 = lowHalves(c0Low, c0High);
      d0 = v128.xor(highHalves(d2Low, d2High), v128.xor(d1, k0));
      d1 = lowHalves(d2Low, d2High);
      d2 = v128.xor(highHalves(d0Low, d0High), v128.xor(d3, k1));
      d3 = lowHalves(d0Low, d0High);
    }
    v128.store(even + at, c0);
    v128.store(even + at, c2, 16);
    v128.store(even + at, d0, 32);
    v128.store(even + at, d2, 48);
    v128.store(odd + at, c1);
    v128.store(odd + at, c3, 16);
    v128.store(odd + at, d1, 32);
    v128.store(odd + at, d3, 48);
    counters = i32x4.add(counters, i32x4.splat(8));
  }
}
