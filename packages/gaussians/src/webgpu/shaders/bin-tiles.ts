import { ROW_OF_GROUPS, VIEW_WGSL } from '../view.ts';
import { SPANS_WGSL } from './project.ts';
import { SORT_BLOCK } from './sort.ts';

/** Gaussians of a group of work that counts pairs. */
export const SCAN_BLOCK = 2048;
/** Pairs of a group of work that writes them. */
export const EMIT_GROUP = 256;

/** An inclusive sum over 256 lanes, in place. */
const SUM_WGSL = /* wgsl */ `
var<workgroup> sums: array<u32, 256>;
fn running_sum(t: u32) {
  for (var step = 1u; step < 256u; step *= 2u) {
    var before = 0u;
    if (t >= step) { before = sums[t - step]; }
    workgroupBarrier();
    sums[t] = add(sums[t], before);
    workgroupBarrier();
  }
}
// Stays at the most rather than begin anew.
fn add(a: u32, b: u32) -> u32 { return select(a + b, 0xffffffffu, a + b < a); }
`;

/** Where the pairs of each Gaussian begin within its block, Gaussians from near to far; and how many pairs a block has. */
export const SCAN_WGSL = /* wgsl */ `
${VIEW_WGSL}
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> spans: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> firsts: array<u32>;
@group(0) @binding(4) var<storage, read_write> blocks: array<u32>;
${SPANS_WGSL}
${SUM_WGSL}
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let first = group.x * ${SCAN_BLOCK}u + t * 8u;
  var counts: array<u32, 8>;
  var total = 0u;
  for (var k = 0u; k < 8u; k++) {
    if (first + k < view.count.x) { counts[k] = tiles_of(spans[order[first + k]]); }
    total = add(total, counts[k]);
  }
  sums[t] = total;
  workgroupBarrier();
  running_sum(t);
  var at = sums[t] - total;
  for (var k = 0u; k < 8u; k++) {
    if (first + k < view.count.x) { firsts[first + k] = at; }
    at += counts[k];
  }
  if (t == 255u) { blocks[group.x] = sums[255]; }
}
`;

/** One group: where the pairs of each block begin, how many there are in all, and with that the sizes of what follows. */
export const TOTALS_WGSL = /* wgsl */ `
${VIEW_WGSL}
@group(0) @binding(1) var<storage, read_write> blocks: array<u32>;
// Gaussians, pairs that there is room for, pairs
@group(0) @binding(2) var<storage, read_write> counters: array<u32>;
// Sizes of the writing of pairs, and of their sorting
@group(0) @binding(3) var<storage, read_write> sizes: array<u32>;
${SUM_WGSL}
@compute @workgroup_size(256)
fn main(@builtin(local_invocation_index) t: u32) {
  let count = (view.count.x + ${SCAN_BLOCK - 1}u) / ${SCAN_BLOCK}u;
  var carry = 0u;
  for (var first = 0u; first < count; first += 256u) {
    var own = 0u;
    if (first + t < count) { own = blocks[first + t]; }
    sums[t] = own;
    workgroupBarrier();
    running_sum(t);
    if (first + t < count) { blocks[first + t] = add(carry, sums[t] - own); }
    carry = add(carry, sums[255]);
    workgroupBarrier();
  }
  if (t != 0u) { return; }
  let pairs = min(carry, view.more.z);
  counters[1] = pairs;
  counters[2] = carry;
  let groups = (pairs + ${EMIT_GROUP - 1}u) / ${EMIT_GROUP}u;
  sizes[0] = min(groups, ${ROW_OF_GROUPS}u);
  sizes[1] = (groups + ${ROW_OF_GROUPS - 1}u) / ${ROW_OF_GROUPS}u;
  sizes[2] = 1u;
  sizes[3] = (pairs + ${SORT_BLOCK - 1}u) / ${SORT_BLOCK}u;
  sizes[4] = 1u;
  sizes[5] = 1u;
}
`;

/**
 * Pairs of a Gaussian and a tile, from near to far and for a Gaussian in the order of tiles: whose it is, and which tile. A lane for each
 * pair.
 */
export const EMIT_WGSL = /* wgsl */ `
${VIEW_WGSL}
@group(0) @binding(1) var<storage, read> order: array<u32>;
@group(0) @binding(2) var<storage, read> spans: array<vec2u>;
@group(0) @binding(3) var<storage, read> firsts: array<u32>;
@group(0) @binding(4) var<storage, read> blocks: array<u32>;
@group(0) @binding(5) var<storage, read> counters: array<u32>;
@group(0) @binding(6) var<storage, read_write> owners: array<u32>;
@group(0) @binding(7) var<storage, read_write> tiles: array<u32>;
${SPANS_WGSL}
@compute @workgroup_size(${EMIT_GROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let pair = (group.y * ${ROW_OF_GROUPS}u + group.x) * ${EMIT_GROUP}u + t;
  if (pair >= counters[1]) { return; }
  // The last Gaussian that begins at or before the pair.
  var low = 0u;
  var high = view.count.x - 1u;
  while (low < high) {
    let middle = low + (high - low + 1u) / 2u;
    if (blocks[middle / ${SCAN_BLOCK}u] + firsts[middle] <= pair) { low = middle; } else { high = middle - 1u; }
  }
  let owner = order[low];
  let span = spans[owner];
  let place = pair - (blocks[low / ${SCAN_BLOCK}u] + firsts[low]);
  let wide = columns(span);
  owners[pair] = owner;
  tiles[pair] = ((span.y & 0xffffu) + place / wide) * view.size.z + (span.x & 0xffffu) + place % wide;
}
`;

/** Where the sorted pairs of each tile begin, and after the last tile where they end. */
export const STARTS_WGSL = /* wgsl */ `
${VIEW_WGSL}
@group(0) @binding(1) var<storage, read> counters: array<u32>;
@group(0) @binding(2) var<storage, read> sorted_tiles: array<u32>;
@group(0) @binding(3) var<storage, read_write> starts: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let tile = group.x * 64u + t;
  if (tile > view.size.z * view.size.w) { return; }
  var low = 0u;
  var high = counters[1];
  while (low < high) {
    let middle = low + (high - low) / 2u;
    if (sorted_tiles[middle] < tile) { low = middle + 1u; } else { high = middle; }
  }
  starts[tile] = low;
}
`;
