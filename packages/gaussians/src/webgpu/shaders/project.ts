import { LEAST_ALPHA, MOST_REACH } from '../../settings.ts';
import { ROW_OF_GROUPS, TILE, VIEW_WGSL } from '../view.ts';
import { HARMONICS_WGSL, LENS_WGSL } from './lens.ts';

/** Gaussians of a group of work. */
export const PROJECT_GROUP = 64;

/**
 * A Gaussian becomes a record of three vectors: (mx, my, A, B), (C, L, -, -), (red, green, blue, depth), where log2(alpha) = A dx^2 + B dx
 * dy + C dy^2 + L; the tiles that it reaches, how many they are, the bits of its depth, and its reach in pixels.
 */
export const PROJECT_WGSL = /* wgsl */ `
${VIEW_WGSL}
@group(0) @binding(1) var<storage, read> geometry: array<f32>;
// Spherical harmonics, or colours in their place.
@group(0) @binding(2) var<storage, read> appearance: array<f32>;
@group(0) @binding(3) var<storage, read> features: array<f32>;
@group(0) @binding(4) var<storage, read_write> records: array<vec4f>;
// First and last column, first and last row of tiles: 16 bits each.
@group(0) @binding(5) var<storage, read_write> spans: array<vec2u>;
@group(0) @binding(6) var<storage, read_write> keys: array<u32>;
@group(0) @binding(7) var<storage, read_write> radii: array<f32>;
${LENS_WGSL}
${HARMONICS_WGSL}
const LEAST_ALPHA = ${LEAST_ALPHA}f;
// Beyond this a number is of no use in float32.
const FAR = 1e9f;
const NO_TILE = vec2u(1u, 1u);

fn visible(i: u32) -> bool {
  let mean = mean_of(i);
  let logit = logit_of(i);
  if (!finite3(mean) || !finite(logit) || !finite3(log_scales_of(i))) { return false; }
  let raw = quaternion_of(i);
  if (!finite(raw.x) || !finite(raw.y) || !finite(raw.z) || !finite(raw.w) || all(raw == vec4f(0.0))) { return false; }
  let place = place_of(mean);
  if (!finite3(place) || place.z < view.eye.w) { return false; }
  // Half as much already fades in where the cut-off is smooth. Far below it exp would overflow.
  let least = select(LEAST_ALPHA, 0.5 * LEAST_ALPHA, is(SMOOTH));
  if (logit < -20.0) { return false; }
  let f = flatten(i, place);
  let opacity = compensation(f) / (1.0 + exp(-logit));
  if (!(opacity >= least)) { return false; }
  let over = select(1.0, 1.0 / place.z, is(PINHOLE));
  let center = view.lens.xy * place.xy * over + view.lens.zw;
  let deviations = sqrt(f.covariance.xz + BLUR);
  let steps = 2.0 * log(max(1.0, opacity / LEAST_ALPHA));
  let reach = min(${MOST_REACH}f, sqrt(steps)) * deviations;
  if (!finite(f.blurred) || !finite(deviations.x) || !finite(deviations.y) || !finite(center.x) || !finite(center.y)) { return false; }
  if (!(all(reach < vec2f(FAR)) && all(abs(center) < vec2f(FAR)))) { return false; }
  let size = vec2f(view.size.xy);
  let whole = ceil(reach);
  if (!is(SMOOTH) && (any(center + whole <= vec2f(0.0)) || any(center - whole >= size))) { return false; }

  var color: vec3f;
  if (is(COLORS)) {
    color = vec3f(appearance[3u * i], appearance[3u * i + 1u], appearance[3u * i + 2u]);
  } else {
    color = shade(i, normalize(mean - view.eye.xyz));
  }
  if (!finite3(color)) { return false; }
  if (!is(COLORS)) { color = max(vec3f(0.0), color); }
  for (var k = 0u; k < view.count.w; k++) {
    if (!finite(features[i * view.count.w + k])) { return false; }
  }

  let inverse = 1.0 / f.blurred;
  records[3u * i] = vec4f(center, -0.5 * LOG2E * (f.covariance.z + BLUR) * inverse, LOG2E * f.covariance.y * inverse);
  records[3u * i + 1u] = vec4f(-0.5 * LOG2E * (f.covariance.x + BLUR) * inverse, log2(opacity), 0.0, 0.0);
  records[3u * i + 2u] = vec4f(color, place.z);
  keys[i] = bitcast<u32>(place.z);
  radii[i] = max(whole.x, whole.y);

  // Tiles under the rectangle; a little more than the reach, for what rounding does to it: alpha decides.
  let wide = select(reach, sqrt(2.0 * log(2.0 * opacity / LEAST_ALPHA)) * deviations, is(SMOOTH)) * 1.00001 + 0.01;
  let first = max(vec2f(0.0), ceil(center - 0.5 - wide));
  let last = min(size - 1.0, floor(center - 0.5 + wide));
  if (any(first > last)) {
    spans[i] = NO_TILE;
  } else {
    let begin = vec2u(first) / ${TILE}u;
    let until = vec2u(last) / ${TILE}u;
    spans[i] = begin | (until << vec2u(16u));
  }
  return true;
}

@compute @workgroup_size(${PROJECT_GROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let i = (group.y * ${ROW_OF_GROUPS}u + group.x) * ${PROJECT_GROUP}u + t;
  if (i >= view.count.x) { return; }
  if (visible(i)) { return; }
  spans[i] = NO_TILE;
  keys[i] = 0xffffffffu;
  radii[i] = 0.0;
}
`;

/** Tiles under a span: an empty one has its last column before its first. */
export const SPANS_WGSL = /* wgsl */ `
fn columns(span: vec2u) -> u32 { return (span.x >> 16u) + 1u - (span.x & 0xffffu); }
fn tiles_of(span: vec2u) -> u32 { return columns(span) * ((span.y >> 16u) + 1u - (span.y & 0xffffu)); }
`;
