import { ADAM_COUNT, ADAM_GROUPS, ADAM_RULE, CHUNK, COUNT, number, word } from './layout';

// Adam in float64 between float32 arrays: the same operations in the same order as src/optimizer/adam.ts, and so the same bits.

/**
 * Bytes of a group: eight u32 (values, gradient, mean, square, numbers of a row, first and last column, nothing), then size and correction.
 */
const GROUP: usize = 48;

/** A step for the rows of a chunk of Gaussians, all groups of columns. */
export function adamChunk(chunk: i32): void {
  const first = chunk * CHUNK;
  const rows = min(word(COUNT), first + CHUNK) - first;
  const rule = <usize>word(ADAM_RULE);
  let group = <usize>word(ADAM_GROUPS);
  for (let k = word(ADAM_COUNT); k > 0; k--, group += GROUP) {
    const length = load<i32>(group, 16);
    const from = load<i32>(group, 20);
    const columns = load<i32>(group, 24) - from;
    // Whole rows lie one behind the other.
    const whole = columns == length;
    const times = whole ? 1 : rows;
    const numbers = whole ? rows * columns : columns;
    for (let row = 0; row < times; row++) step(group, (<usize>((first + row) * length + from)) << 2, numbers, rule);
  }
}

@inline
function step(group: usize, offset: usize, numbers: i32, rule: usize): void {
  let value = <usize>load<u32>(group) + offset;
  let gradient = <usize>load<u32>(group, 4) + offset;
  let first = <usize>load<u32>(group, 8) + offset;
  let second = <usize>load<u32>(group, 12) + offset;
  const size = f64x2.splat(load<f64>(group, 32));
  const correction = f64x2.splat(load<f64>(group, 40));
  const keep1 = f64x2.splat(number(rule, 0));
  const take1 = f64x2.splat(number(rule, 1));
  const keep2 = f64x2.splat(number(rule, 2));
  const take2 = f64x2.splat(number(rule, 3));
  const epsilon = f64x2.splat(number(rule, 4));
  for (; numbers > 0; numbers -= 2) {
    // Of the last one alone, the other lane reads on and is not written.
    const g = f64x2.promote_low_f32x4(v128.load64_zero(gradient));
    const m = f64x2.add(f64x2.mul(keep1, f64x2.promote_low_f32x4(v128.load64_zero(first))), f64x2.mul(take1, g));
    const v = f64x2.add(f64x2.mul(keep2, f64x2.promote_low_f32x4(v128.load64_zero(second))), f64x2.mul(f64x2.mul(take2, g), g));
    const by = f64x2.div(f64x2.mul(size, m), f64x2.add(f64x2.mul(f64x2.sqrt(v), correction), epsilon));
    const changed = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(value)), by);
    const single = numbers == 1;
    put(first, f32x4.demote_f64x2_zero(m), single);
    put(second, f32x4.demote_f64x2_zero(v), single);
    put(value, f32x4.demote_f64x2_zero(changed), single);
    value += 8;
    gradient += 8;
    first += 8;
    second += 8;
  }
}

@inline
function put(at: usize, pair: v128, single: bool): void {
  if (single) v128.store32_lane(at, pair, 0);
  else v128.store64_lane(at, pair, 0);
}
