import { ROW_OF_GROUPS, VIEW_WGSL } from '../view.ts';
import { ROW } from './backward.ts';
import { SCAN_BLOCK } from './bin-tiles.ts';
import { HARMONICS_WGSL, LENS_WGSL } from './lens.ts';
import { SPANS_WGSL } from './project.ts';

export const SUM_GROUP = 256;
/** Gaussians of a group of work. */
export const PROJECT_BACKWARD_GROUP = 64;

/** Adds the rows of each Gaussian in the order of tiles: a lane for each Gaussian and four numbers. */
export const SUM_ROWS_WGSL = /* wgsl */ `
${VIEW_WGSL}
struct Shape {
  // Vectors in a row, numbers in a sum
  vectors: u32,
  numbers: u32,
}
@group(0) @binding(1) var<uniform> shape: Shape;
@group(0) @binding(2) var<storage, read> order: array<u32>;
@group(0) @binding(3) var<storage, read> spans: array<vec2u>;
@group(0) @binding(4) var<storage, read> firsts: array<u32>;
@group(0) @binding(5) var<storage, read> blocks: array<u32>;
@group(0) @binding(6) var<storage, read> rows: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> sums: array<f32>;
${SPANS_WGSL}
@compute @workgroup_size(${SUM_GROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let lane = (group.y * ${ROW_OF_GROUPS}u + group.x) * ${SUM_GROUP}u + t;
  let place = lane / shape.vectors;
  let part = lane % shape.vectors;
  if (place >= view.count.x) { return; }
  let id = order[place];
  let first = blocks[place / ${SCAN_BLOCK}u] + firsts[place];
  let end = first + tiles_of(spans[id]);
  var sum = vec4f(0.0);
  for (var pair = first; pair < end; pair++) { sum += rows[pair * shape.vectors + part]; }
  for (var c = 0u; c < 4u; c++) {
    if (4u * part + c < shape.numbers) { sums[id * shape.numbers + 4u * part + c] = sum[c]; }
  }
}
`;

/**
 * From the sums of a Gaussian's rows by the chain rule down to what training changes; and the camera's gradient, summed over a group of
 * Gaussians.
 */
export const PROJECT_BACKWARD_WGSL = /* wgsl */ `
${VIEW_WGSL}
@group(0) @binding(1) var<storage, read> geometry: array<f32>;
@group(0) @binding(2) var<storage, read> appearance: array<f32>;
@group(0) @binding(3) var<storage, read> spans: array<vec2u>;
@group(0) @binding(4) var<storage, read> sums: array<f32>;
// Sections: means, quaternions, logarithms of scales, logits, centres in the picture, absolute values of the same, appearance.
@group(0) @binding(5) var<storage, read_write> gradients: array<f32>;
@group(0) @binding(6) var<storage, read_write> of_camera: array<vec4f>;
${LENS_WGSL}
${HARMONICS_WGSL}
${SPANS_WGSL}
var<workgroup> parts: array<array<vec4f, 3>, ${PROJECT_BACKWARD_GROUP}>;

fn sum(i: u32, k: u32) -> f32 { return sums[i * ${ROW}u + k]; }
fn put3(at: u32, v: vec3f) {
  gradients[at] = v.x;
  gradients[at + 1u] = v.y;
  gradients[at + 2u] = v.z;
}
fn appearance_row() -> u32 { return select(view.count.z, 3u, is(COLORS)); }

// By x, y and z.
fn basis_slopes(d: vec3f) -> array<vec3f, 16> {
  let x = d.x;
  let y = d.y;
  let z = d.z;
  let s = d * d;
  return array<vec3f, 16>(
    vec3f(0.0),
    vec3f(0.0, -0.4886025119029199, 0.0),
    vec3f(0.0, 0.0, 0.4886025119029199),
    vec3f(-0.4886025119029199, 0.0, 0.0),
    1.0925484305920792 * vec3f(y, x, 0.0),
    -1.0925484305920792 * vec3f(0.0, z, y),
    0.31539156525252005 * vec3f(-2.0 * x, -2.0 * y, 4.0 * z),
    -1.0925484305920792 * vec3f(z, 0.0, x),
    0.5462742152960396 * vec3f(2.0 * x, -2.0 * y, 0.0),
    -0.5900435899266435 * vec3f(6.0 * x * y, 3.0 * s.x - 3.0 * s.y, 0.0),
    2.890611442640554 * vec3f(y * z, x * z, x * y),
    -0.4570457994644658 * vec3f(-2.0 * x * y, 4.0 * s.z - s.x - 3.0 * s.y, 8.0 * y * z),
    0.3731763325901154 * vec3f(-6.0 * x * z, -6.0 * y * z, 6.0 * s.z - 3.0 * s.x - 3.0 * s.y),
    -0.4570457994644658 * vec3f(4.0 * s.z - 3.0 * s.x - s.y, -2.0 * x * y, 8.0 * x * z),
    1.445305721320277 * vec3f(2.0 * x * z, -2.0 * y * z, s.x - s.y),
    -0.5900435899266435 * vec3f(3.0 * s.x - 3.0 * s.y, -6.0 * x * y, 0.0),
  );
}

// Writes the gradients of the coefficients; returns that of the direction.
fn harmonics_backward(i: u32, d: vec3f, v: vec3f) -> vec3f {
  var values = basis(d);
  var slopes = basis_slopes(d);
  var to = vec3f(0.0);
  for (var k = 0u; k < coefficients(); k++) {
    put3(15u * view.count.x + i * view.count.z + 3u * k, values[k] * v);
    to += slopes[k] * dot(v, coefficient(i, k));
  }
  return to;
}

// Returns the gradient of worldToCamera, a row each.
fn project_backward(i: u32) -> array<vec4f, 3> {
  let n = view.count.x;
  let mean = mean_of(i);
  let place = place_of(mean);
  let f = flatten(i, place);

  // Sums over pixels: everything in terms of sigma, whose gradient is -g.
  let xx = f.covariance.x;
  let xy = f.covariance.y;
  let yy = f.covariance.z;
  let inverse = 1.0 / f.blurred;
  let a = (yy + BLUR) * inverse;
  let b = -xy * inverse;
  let c = (xx + BLUR) * inverse;
  // sigmoid, and its slope without cancellation
  let logit = logit_of(i);
  let small = exp(-abs(logit));
  let plain = select(small, 1.0, logit > 0.0) / (1.0 + small);
  let factor = compensation(f);
  let v_log = sum(i, 0u);
  let v_center = -vec2f(a * sum(i, 1u) + b * sum(i, 2u), b * sum(i, 1u) + c * sum(i, 2u));
  let va = -0.5 * sum(i, 3u);
  let vb = -0.5 * sum(i, 4u);
  let vc = -0.5 * sum(i, 5u);
  gradients[10u * n + i] = v_log * (1.0 - plain);
  if (logit > 0.0) { gradients[10u * n + i] = v_log * small / (1.0 + small); }
  gradients[11u * n + 2u * i] = v_center.x;
  gradients[11u * n + 2u * i + 1u] = v_center.y;
  gradients[13u * n + 2u * i] = sum(i, 6u);
  gradients[13u * n + 2u * i + 1u] = sum(i, 7u);

  // The covariance in the picture: minus the conic on both sides of its own gradient.
  let a00 = va * a + vb * b;
  let a01 = va * b + vb * c;
  let a10 = vb * a + vc * b;
  let a11 = vb * b + vc * c;
  var gxx = -(a * a00 + b * a10);
  var gxy = -(a * a01 + b * a11);
  var gyy = -(b * a01 + c * a11);
  if (is(MIP) && factor > LEAST_COMPENSATION) {
    // factor^2 = sharp / blurred, and v_log is opacity times its gradient.
    let v_sharp = v_log / (2.0 * f.sharp);
    let v_blurred = -0.5 * v_log * inverse;
    gxx += v_sharp * yy + v_blurred * (yy + BLUR);
    gxy -= (v_sharp + v_blurred) * xy;
    gyy += v_sharp * xx + v_blurred * (xx + BLUR);
  }

  // Through spread = slope * rotation * scales.
  let v_spread_x = 2.0 * (gxx * f.spread_x + gxy * f.spread_y);
  let v_spread_y = 2.0 * (gxy * f.spread_x + gyy * f.spread_y);
  put3(7u * n + 3u * i, v_spread_x * f.spread_x + v_spread_y * f.spread_y);
  let v_turned_x = v_spread_x * f.scales;
  let v_turned_y = v_spread_y * f.scales;
  var v_slope_x = vec3f(dot(v_turned_x, f.turn[0]), dot(v_turned_x, f.turn[1]), dot(v_turned_x, f.turn[2]));
  var v_slope_y = vec3f(dot(v_turned_y, f.turn[0]), dot(v_turned_y, f.turn[1]), dot(v_turned_y, f.turn[2]));

  // The rotation matrix, the quaternion that makes it, its normalisation.
  let r0 = f.slope_x.x * v_turned_x + f.slope_y.x * v_turned_y;
  let r1 = f.slope_x.y * v_turned_x + f.slope_y.y * v_turned_y;
  let r2 = f.slope_x.z * v_turned_x + f.slope_y.z * v_turned_y;
  let q = f.unit;
  let v_unit = 2.0 * vec4f(
    q.y * (r2.y - r1.z) + q.z * (r0.z - r2.x) + q.w * (r1.x - r0.y),
    q.x * (r2.y - r1.z) - 2.0 * q.y * (r1.y + r2.z) + q.z * (r0.y + r1.x) + q.w * (r0.z + r2.x),
    q.x * (r0.z - r2.x) + q.y * (r0.y + r1.x) - 2.0 * q.z * (r0.x + r2.z) + q.w * (r1.z + r2.y),
    q.x * (r1.x - r0.y) + q.y * (r0.z + r2.x) + q.z * (r1.z + r2.y) - 2.0 * q.w * (r0.x + r1.y),
  );
  let v_quaternion = (v_unit - q * dot(q, v_unit)) / f.length;
  for (var k = 0u; k < 4u; k++) { gradients[3u * n + 4u * i + k] = v_quaternion[k]; }

  // Through the projection to the place in camera axes.
  var v_place = vec3f(view.lens.xy * v_center, sum(i, 11u));
  if (is(PINHOLE)) {
    let over = 1.0 / place.z;
    let v_j00 = dot(v_slope_x, view.rows[0].xyz);
    let v_j02 = dot(v_slope_x, view.rows[2].xyz);
    let v_j11 = dot(v_slope_y, view.rows[1].xyz);
    let v_j12 = dot(v_slope_y, view.rows[2].xyz);
    v_place = vec3f(v_place.xy * over, v_place.z);
    v_place.z -= over * dot(place.xy, v_place.xy);
    v_place.z -= over * (f.slant.x * v_j00 + f.slant.z * v_j11 + f.slant.y * v_j02 + f.slant.w * v_j12);
    // Beyond the margin the slope stays that of the margin.
    let ratio = place.xy * over;
    if (ratio.x >= view.edges.x && ratio.x <= view.edges.y) {
      v_place.x -= over * f.slant.x * v_j02;
      v_place.z += over * f.slant.x * f.ratio.x * v_j02;
    }
    if (ratio.y >= view.edges.z && ratio.y <= view.edges.w) {
      v_place.y -= over * f.slant.z * v_j12;
      v_place.z += over * f.slant.z * f.ratio.y * v_j12;
    }
  }
  var v_mean = v_place.x * view.rows[0].xyz + v_place.y * view.rows[1].xyz + v_place.z * view.rows[2].xyz;
  var camera: array<vec4f, 3>;
  camera[0] = vec4f(v_place.x * mean + f.slant.x * v_slope_x, v_place.x);
  camera[1] = vec4f(v_place.y * mean + f.slant.z * v_slope_y, v_place.y);
  camera[2] = vec4f(v_place.z * mean + f.slant.y * v_slope_x + f.slant.w * v_slope_y, v_place.z);

  let at = 15u * n + i * appearance_row();
  let v_color = vec3f(sum(i, 8u), sum(i, 9u), sum(i, 10u));
  if (is(COLORS)) {
    put3(at, v_color);
  } else {
    let offset = mean - view.eye.xyz;
    let away = length(offset);
    let direction = offset / away;
    let v_raw = select(vec3f(0.0), v_color, shade(i, direction) > vec3f(0.0));
    let v_direction = harmonics_backward(i, direction, v_raw);
    for (var k = 3u * coefficients(); k < view.count.z; k++) { gradients[at + k] = 0.0; }
    let v_offset = (v_direction - direction * dot(direction, v_direction)) / away;
    v_mean += v_offset;
    // The eye is at -R^T t.
    for (var axis = 0u; axis < 3u; axis++) { camera[axis] += vec4f(view.rows[axis].w * v_offset, dot(view.rows[axis].xyz, v_offset)); }
  }
  put3(3u * i, v_mean);
  return camera;
}

fn nothing(i: u32) {
  let n = view.count.x;
  put3(3u * i, vec3f(0.0));
  for (var k = 0u; k < 4u; k++) { gradients[3u * n + 4u * i + k] = 0.0; }
  put3(7u * n + 3u * i, vec3f(0.0));
  gradients[10u * n + i] = 0.0;
  for (var k = 0u; k < 2u; k++) {
    gradients[11u * n + 2u * i + k] = 0.0;
    gradients[13u * n + 2u * i + k] = 0.0;
  }
  let row = appearance_row();
  for (var k = 0u; k < row; k++) { gradients[15u * n + i * row + k] = 0.0; }
}

@compute @workgroup_size(${PROJECT_BACKWARD_GROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let block = group.y * ${ROW_OF_GROUPS}u + group.x;
  let i = block * ${PROJECT_BACKWARD_GROUP}u + t;
  if (i < view.count.x) {
    if (tiles_of(spans[i]) > 0u) { parts[t] = project_backward(i); } else { nothing(i); }
  }
  for (var half = ${PROJECT_BACKWARD_GROUP / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) {
      for (var k = 0u; k < 3u; k++) { parts[t][k] += parts[t + half][k]; }
    }
  }
  if (t == 0u && block * ${PROJECT_BACKWARD_GROUP}u < view.count.x) {
    for (var k = 0u; k < 3u; k++) { of_camera[3u * block + k] = parts[0][k]; }
  }
}
`;
