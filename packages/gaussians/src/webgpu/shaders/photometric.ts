import { REACH, WEIGHTS } from '../../losses/window.ts';
import { ROW_OF_GROUPS, VIEW_WGSL } from '../view.ts';

/** Numbers of the picture that a group of work takes. */
export const LOSS_GROUP = 256;

const LOSS_WGSL = /* wgsl */ `
struct Loss {
  // Of the absolute difference and of SSIM for each number; of disparity for each pixel whose depth is known.
  l1: f32,
  ssim: f32,
  depth: f32,
  // Bit 1: a mask was given, bit 2: depths were.
  given: u32,
}
@group(0) @binding(1) var<uniform> loss: Loss;
`;

const INDEX_WGSL = /* wgsl */ `
const WEIGHTS = array<f32, ${REACH + 1}>(${WEIGHTS.join(', ')});
fn numbers() -> u32 { return 3u * view.size.x * view.size.y; }
fn index_of(group: vec3u, t: u32) -> u32 { return (group.y * ${ROW_OF_GROUPS}u + group.x) * ${LOSS_GROUP}u + t; }
// Beyond the picture are zeros: how far a window reaches from a place along an axis, before and after it.
fn window(place: u32, side: u32) -> vec2i { return vec2i(-min(${REACH}, i32(place)), min(${REACH}, i32(side - 1u - place))); }
`;

/** What is seen of the picture: where a mask hides it, the target. Needs `picture`, `target_picture` and `mask`. */
const SEEN_WGSL = /* wgsl */ `
fn share(i: u32) -> f32 {
  if ((loss.given & 1u) == 0u) { return 1.0; }
  let pixel = i / 3u;
  return f32((mask[pixel / 4u] >> (8u * (pixel % 4u))) & 255u) / 255.0;
}
fn seen(i: u32) -> f32 {
  let weight = share(i);
  if (weight == 1.0) { return picture[i]; }
  return weight * picture[i] + (1.0 - weight) * target_picture[i];
}
`;

/** First pass of the windows of SSIM, along rows: picture, target, both squared, and their product, a plane each. */
export const LOSS_FORWARD_ROWS_WGSL = /* wgsl */ `
${VIEW_WGSL}
${LOSS_WGSL}
@group(0) @binding(2) var<storage, read> picture: array<f32>;
@group(0) @binding(3) var<storage, read> target_picture: array<f32>;
@group(0) @binding(4) var<storage, read> mask: array<u32>;
@group(0) @binding(5) var<storage, read_write> blurred: array<f32>;
${INDEX_WGSL}
${SEEN_WGSL}
@compute @workgroup_size(${LOSS_GROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = index_of(group, t);
  let n = numbers();
  if (i >= n) { return; }
  let reach = window((i / 3u) % view.size.x, view.size.x);
  var sums = vec4f(0.0);
  var product = 0.0;
  for (var k = reach.x; k <= reach.y; k++) {
    let at = u32(i32(i) + 3 * k);
    let a = seen(at);
    let b = target_picture[at];
    let w = WEIGHTS[abs(k)];
    sums += w * vec4f(a, b, a * a, b * b);
    product += w * a * b;
  }
  blurred[i] = sums.x;
  blurred[n + i] = sums.y;
  blurred[2u * n + i] = sums.z;
  blurred[3u * n + i] = sums.w;
  blurred[4u * n + i] = product;
}
`;

/**
 * Second pass, along columns: SSIM of every window, its slopes by the three means of the picture, and the sums of a group: SSIM, |d|, d^2,
 * disparity.
 */
export const LOSS_FORWARD_COLUMNS_WGSL = /* wgsl */ `
${VIEW_WGSL}
${LOSS_WGSL}
@group(0) @binding(2) var<storage, read> picture: array<f32>;
@group(0) @binding(3) var<storage, read> target_picture: array<f32>;
@group(0) @binding(4) var<storage, read> mask: array<u32>;
@group(0) @binding(5) var<storage, read> blurred: array<f32>;
@group(0) @binding(6) var<storage, read_write> slopes: array<f32>;
@group(0) @binding(7) var<storage, read_write> totals: array<vec4f>;
${INDEX_WGSL}
${SEEN_WGSL}
const C1 = 0.0001;
const C2 = 0.0009;
var<workgroup> parts: array<vec4f, ${LOSS_GROUP}>;

fn compare(i: u32) -> vec4f {
  let n = numbers();
  let row = 3u * view.size.x;
  let reach = window(i / row, view.size.y);
  var sums = vec4f(0.0);
  var product = 0.0;
  for (var k = reach.x; k <= reach.y; k++) {
    let at = u32(i32(i) + i32(row) * k);
    let w = WEIGHTS[abs(k)];
    sums += w * vec4f(blurred[at], blurred[n + at], blurred[2u * n + at], blurred[3u * n + at]);
    product += w * blurred[4u * n + at];
  }
  let mx = sums.x;
  let my = sums.y;
  let a1 = 2.0 * mx * my + C1;
  let a2 = 2.0 * (product - mx * my) + C2;
  let b1 = mx * mx + my * my + C1;
  let b2 = (sums.z - mx * mx) + (sums.w - my * my) + C2;
  let inverse = 1.0 / (b1 * b2);
  let s = a1 * a2 * inverse;
  slopes[i] = loss.ssim * (2.0 * my * (a2 - a1) * inverse + 2.0 * mx * s * (1.0 / b2 - 1.0 / b1));
  slopes[n + i] = -loss.ssim * s / b2;
  slopes[2u * n + i] = loss.ssim * 2.0 * a1 * inverse;
  let d = seen(i) - target_picture[i];
  return vec4f(s, abs(d), d * d, 0.0);
}

fn disparity(pixel: u32) -> f32 {
  let wanted = target_picture[numbers() + pixel];
  if (!(wanted > 0.0)) { return 0.0; }
  // Where nothing was drawn there is no disparity.
  let z = picture[view.size.x * view.size.y * 4u + pixel];
  if (!(z > 0.0)) { return 1.0 / wanted; }
  return abs(1.0 / z - 1.0 / wanted);
}

@compute @workgroup_size(${LOSS_GROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = index_of(group, t);
  if (i < numbers()) {
    var own = compare(i);
    if ((loss.given & 2u) != 0u && i % 3u == 0u) { own.w = disparity(i / 3u); }
    parts[t] = own;
  }
  for (var half = ${LOSS_GROUP / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) { parts[t] += parts[t + half]; }
  }
  if (t == 0u && i < numbers()) { totals[i / ${LOSS_GROUP}u] = parts[0]; }
}
`;

/** The windows' transpose, which with zeros beyond the picture is themselves: first along rows. */
export const LOSS_BACKWARD_ROWS_WGSL = /* wgsl */ `
${VIEW_WGSL}
@group(0) @binding(1) var<storage, read> slopes: array<f32>;
@group(0) @binding(2) var<storage, read_write> spread: array<f32>;
${INDEX_WGSL}
@compute @workgroup_size(${LOSS_GROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = index_of(group, t);
  let n = numbers();
  if (i >= n) { return; }
  let reach = window((i / 3u) % view.size.x, view.size.x);
  var sums = vec3f(0.0);
  for (var k = reach.x; k <= reach.y; k++) {
    let at = u32(i32(i) + 3 * k);
    sums += WEIGHTS[abs(k)] * vec3f(slopes[at], slopes[n + at], slopes[2u * n + at]);
  }
  spread[i] = sums.x;
  spread[n + i] = sums.y;
  spread[2u * n + i] = sums.z;
}
`;

/** Then along columns: the gradient of the loss by the picture, where the backward pass looks for it. */
export const LOSS_BACKWARD_COLUMNS_WGSL = /* wgsl */ `
${VIEW_WGSL}
${LOSS_WGSL}
@group(0) @binding(2) var<storage, read> picture: array<f32>;
@group(0) @binding(3) var<storage, read> target_picture: array<f32>;
@group(0) @binding(4) var<storage, read> mask: array<u32>;
@group(0) @binding(5) var<storage, read> spread: array<f32>;
@group(0) @binding(6) var<storage, read_write> cotangents: array<f32>;
${INDEX_WGSL}
${SEEN_WGSL}
fn depth_slope(pixel: u32) -> f32 {
  let wanted = target_picture[numbers() + pixel];
  let z = picture[view.size.x * view.size.y * 4u + pixel];
  if (!(wanted > 0.0 && z > 0.0)) { return 0.0; }
  return -loss.depth * sign(1.0 / z - 1.0 / wanted) / (z * z);
}

@compute @workgroup_size(${LOSS_GROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = index_of(group, t);
  let n = numbers();
  if (i >= n) { return; }
  let row = 3u * view.size.x;
  let reach = window(i / row, view.size.y);
  var sums = vec3f(0.0);
  for (var k = reach.x; k <= reach.y; k++) {
    let at = u32(i32(i) + i32(row) * k);
    sums += WEIGHTS[abs(k)] * vec3f(spread[at], spread[n + at], spread[2u * n + at]);
  }
  let own = seen(i);
  let wanted = target_picture[i];
  cotangents[i] = (loss.l1 * sign(own - wanted) + sums.x + 2.0 * own * sums.y + wanted * sums.z) * share(i);
  if ((loss.given & 2u) != 0u && i % 3u == 0u) { cotangents[view.size.x * view.size.y * 4u + i / 3u] = depth_slope(i / 3u); }
}
`;
