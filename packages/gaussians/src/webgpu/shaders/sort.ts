/** Keys of a group of work, in rows of 256. */
export const SORT_ROWS = 16;
export const SORT_BLOCK = 256 * SORT_ROWS;
/** Values of a digit. */
export const DIGITS = 256;

const PASS_WGSL = /* wgsl */ `
struct Pass {
  // Where the digit begins, which of the counters says how many keys there are, whether values are still the places themselves.
  shift: u32,
  counter: u32,
  identity: u32,
  unused: u32,
}
@group(0) @binding(0) var<uniform> sorting: Pass;
@group(0) @binding(1) var<storage, read> counters: array<u32>;
`;

/** A stable radix sort by eight bits at a time, first step: how often each digit occurs in each block. */
export const HISTOGRAM_WGSL = /* wgsl */ `
${PASS_WGSL}
@group(0) @binding(2) var<storage, read> keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> table: array<u32>;
var<workgroup> bins: array<atomic<u32>, ${DIGITS}>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let n = counters[sorting.counter];
  let first = group.x * ${SORT_BLOCK}u;
  for (var row = 0u; row < ${SORT_ROWS}u; row++) {
    let i = first + row * 256u + t;
    if (i < n) { atomicAdd(&bins[(keys[i] >> sorting.shift) & 255u], 1u); }
  }
  workgroupBarrier();
  table[group.x * ${DIGITS}u + t] = atomicLoad(&bins[t]);
}
`;

/** Second step, one group: where each digit of each block begins among its digit, and where each digit begins. */
export const COLUMNS_WGSL = /* wgsl */ `
${PASS_WGSL}
@group(0) @binding(2) var<storage, read_write> table: array<u32>;
@group(0) @binding(3) var<storage, read_write> bases: array<u32>;
var<workgroup> totals: array<u32, ${DIGITS}>;

@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) t: u32) {
  let blocks = (counters[sorting.counter] + ${SORT_BLOCK - 1}u) / ${SORT_BLOCK}u;
  var total = 0u;
  // Eight loads are under way at a time.
  for (var block = 0u; block < blocks; block += 8u) {
    var counts: array<u32, 8>;
    for (var k = 0u; k < 8u; k++) {
      // Not every compiler empties a variable anew in each round.
      counts[k] = 0u;
      if (block + k < blocks) { counts[k] = table[(block + k) * ${DIGITS}u + t]; }
    }
    for (var k = 0u; k < 8u; k++) {
      if (block + k < blocks) { table[(block + k) * ${DIGITS}u + t] = total; }
      total += counts[k];
    }
  }
  totals[t] = total;
  workgroupBarrier();
  var before = 0u;
  for (var step = 1u; step < ${DIGITS}u; step *= 2u) {
    before = 0u;
    if (t >= step) { before = totals[t - step]; }
    workgroupBarrier();
    totals[t] += before;
    workgroupBarrier();
  }
  bases[t] = totals[t] - total;
}
`;

/**
 * Third step: every key goes to its place. Within a row of 256 a key's rank is the number of lanes before it with the same digit; lanes
 * mark themselves in a mask of bits per digit, which is the same whoever comes first.
 */
export const SCATTER_WGSL = /* wgsl */ `
${PASS_WGSL}
@group(0) @binding(2) var<storage, read> keys: array<u32>;
@group(0) @binding(3) var<storage, read> values: array<u32>;
@group(0) @binding(4) var<storage, read> table: array<u32>;
@group(0) @binding(5) var<storage, read> bases: array<u32>;
@group(0) @binding(6) var<storage, read_write> sorted_keys: array<u32>;
@group(0) @binding(7) var<storage, read_write> sorted_values: array<u32>;
// 8 words of 32 lanes for each digit.
var<workgroup> lanes: array<atomic<u32>, ${8 * DIGITS}>;
var<workgroup> places: array<u32, ${DIGITS}>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let n = counters[sorting.counter];
  let first = group.x * ${SORT_BLOCK}u;
  places[t] = bases[t] + table[group.x * ${DIGITS}u + t];
  let word = t / 32u;
  let lane = 1u << (t % 32u);
  workgroupBarrier();
  for (var row = 0u; row < ${SORT_ROWS}u; row++) {
    if (first + row * 256u >= n) { break; }
    let i = first + row * 256u + t;
    var key = 0u;
    var digit = 0u;
    if (i < n) {
      key = keys[i];
      digit = (key >> sorting.shift) & 255u;
      atomicOr(&lanes[word * ${DIGITS}u + digit], lane);
    }
    workgroupBarrier();
    if (i < n) {
      var place = places[digit] + countOneBits(atomicLoad(&lanes[word * ${DIGITS}u + digit]) & (lane - 1u));
      for (var w = 0u; w < word; w++) { place += countOneBits(atomicLoad(&lanes[w * ${DIGITS}u + digit])); }
      sorted_keys[place] = key;
      if (sorting.identity != 0u) { sorted_values[place] = i; } else { sorted_values[place] = values[i]; }
    }
    workgroupBarrier();
    var count = 0u;
    for (var w = 0u; w < 8u; w++) { count += countOneBits(atomicExchange(&lanes[w * ${DIGITS}u + t], 0u)); }
    places[t] += count;
    workgroupBarrier();
  }
}
`;
