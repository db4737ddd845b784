import { LEAST_ALPHA, LEAST_DIVISOR, MOST_ALPHA } from '../../settings.ts';
import { TILE, VIEW_WGSL } from '../view.ts';

/** Lanes of a tile, four pixels in a row each. */
export const LANES = 64;

/**
 * What a Gaussian is to four pixels in a row. Forward and backward must take the same decisions, so that both use this.
 */
export const ALPHA_WGSL = /* wgsl */ `
const MOST_ALPHA = ${MOST_ALPHA}f;
const LEAST_DIVISOR = ${LEAST_DIVISOR}f;
// log2(1/255)
const CUTOFF = ${Math.log2(LEAST_ALPHA)}f;

// log2 of opacity * gauss. Rounding may lift the power of a long thin Gaussian above that of its centre.
fn power_of(head: vec4f, tail: vec4f, dx: vec4f, dy: f32) -> vec4f {
  return min(vec4f(tail.y), (head.z * dx + head.w * dy) * dx + (tail.x * dy * dy + tail.y));
}

// Fades from nothing at half the cut-off to all at one and a half.
fn fade_of(product: vec4f) -> vec4f {
  let u = clamp(product * 255.0 - 0.5, vec4f(0.0), vec4f(1.0));
  return u * u * (3.0 - 2.0 * u);
}

fn product_of(power: vec4f) -> vec4f {
  if (is(SMOOTH)) { return exp2(power); }
  return select(vec4f(0.0), exp2(power), power >= vec4f(CUTOFF));
}

fn alpha_of(product: vec4f) -> vec4f {
  if (is(SMOOTH)) { return select(product * fade_of(product), vec4f(MOST_ALPHA), product > vec4f(MOST_ALPHA)); }
  return min(vec4f(MOST_ALPHA), product);
}

// d(alpha) / d(product)
fn slope_of(product: vec4f) -> vec4f {
  var slope = vec4f(1.0);
  if (is(SMOOTH)) {
    let u = clamp(product * 255.0 - 0.5, vec4f(0.0), vec4f(1.0));
    slope = u * u * (3.0 - 2.0 * u) + product * 255.0 * 6.0 * u * (1.0 - u);
  }
  return select(slope, vec4f(0.0), product > vec4f(MOST_ALPHA));
}

// Sections of the picture: colour, alpha, depth, transmittance, and how many Gaussians of its tile each pixel went through.
fn alpha_at() -> u32 { return pixels() * view.more.y; }
fn depth_at() -> u32 { return pixels() * (view.more.y + 1u); }
fn left_at() -> u32 { return pixels() * (view.more.y + 2u); }
fn last_at() -> u32 { return pixels() * (view.more.y + 3u); }

// The first of a lane's four pixels: column, row.
fn corner(tile: vec2u, t: u32) -> vec2u { return tile * ${TILE}u + vec2u((t % 4u) * 4u, t / 4u); }
`;

/** The features of a Gaussian, four at a time. Needs `features`. */
export const FEATURES_WGSL = /* wgsl */ `
fn features_of(id: u32, group: u32) -> vec4f {
  let width = view.count.w;
  var values = vec4f(0.0);
  for (var c = 0u; c < 4u; c++) {
    let k = 4u * (group - 1u) + c;
    if (k < width) { values[c] = features[id * width + k]; }
  }
  return values;
}
`;

/** Blends a tile from the front: colour and depth, or with z > 0 four features. */
export const FORWARD_WGSL = /* wgsl */ `
${VIEW_WGSL}
@group(0) @binding(1) var<storage, read> records: array<vec4f>;
@group(0) @binding(2) var<storage, read> features: array<f32>;
@group(0) @binding(3) var<storage, read> owners: array<u32>;
@group(0) @binding(4) var<storage, read> pairs: array<u32>;
@group(0) @binding(5) var<storage, read> starts: array<u32>;
@group(0) @binding(6) var<storage, read_write> picture: array<f32>;
${ALPHA_WGSL}
${FEATURES_WGSL}
var<workgroup> heads: array<vec4f, ${LANES}>;
var<workgroup> tails: array<vec4f, ${LANES}>;
var<workgroup> values: array<vec4f, ${LANES}>;
var<workgroup> busy: atomic<u32>;
var<workgroup> goes_on: u32;

@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let tile = group.y * view.size.z + group.x;
  let start = starts[tile];
  let end = starts[tile + 1u];
  let at = corner(group.xy, t);
  let px = f32(at.x) + vec4f(0.5, 1.5, 2.5, 3.5);
  let py = f32(at.y) + 0.5;
  let columns = vec4u(at.x) + vec4u(0u, 1u, 2u, 3u);
  let inside = (columns < vec4u(view.size.x)) & vec4<bool>(at.y < view.size.y);
  var alive = inside;
  var left = vec4f(1.0);
  var last = vec4u(0u);
  var red = vec4f(0.0);
  var green = vec4f(0.0);
  var blue = vec4f(0.0);
  var depth = vec4f(0.0);

  for (var first = start; first < end; first += ${LANES}u) {
    // Nobody loads while others still read, and nobody goes on for nothing.
    if (any(alive)) { atomicOr(&busy, 1u); }
    workgroupBarrier();
    if (t == 0u) { goes_on = atomicExchange(&busy, 0u); }
    if (workgroupUniformLoad(&goes_on) == 0u) { break; }
    if (first + t < end) {
      let id = owners[pairs[first + t]];
      heads[t] = records[3u * id];
      tails[t] = records[3u * id + 1u];
      if (group.z == 0u) { values[t] = records[3u * id + 2u]; } else { values[t] = features_of(id, group.z); }
    }
    workgroupBarrier();
    let size = min(${LANES}u, end - first);
    for (var j = 0u; j < size; j++) {
      if (!any(alive)) { break; }
      let head = heads[j];
      let tail = tails[j];
      let alpha = alpha_of(product_of(power_of(head, tail, head.x - px, head.y - py)));
      let weight = alpha * left;
      let after = left - weight;
      let blends = alive & (alpha > vec4f(0.0));
      let finished = blends & (after <= vec4f(view.stop.x));
      alive = alive & !finished;
      let adds = blends & !finished;
      let w = select(vec4f(0.0), weight, adds);
      let value = values[j];
      red += value.x * w;
      green += value.y * w;
      blue += value.z * w;
      depth += value.w * w;
      left = select(left, after, adds);
      last = select(last, vec4u(first - start + j + 1u), adds);
    }
  }

  for (var k = 0u; k < 4u; k++) {
    if (!inside[k]) { continue; }
    let pixel = at.y * view.size.x + at.x + k;
    let base = pixel * view.more.y;
    if (group.z == 0u) {
      picture[base] = red[k] + left[k] * background(0u);
      picture[base + 1u] = green[k] + left[k] * background(1u);
      picture[base + 2u] = blue[k] + left[k] * background(2u);
      let alpha = 1.0 - left[k];
      picture[alpha_at() + pixel] = alpha;
      picture[depth_at() + pixel] = select(depth[k], depth[k] / max(LEAST_DIVISOR, alpha), is(EXPECTED));
      picture[left_at() + pixel] = left[k];
      picture[last_at() + pixel] = f32(last[k]);
    } else {
      let channel = 4u * group.z - 1u;
      let of_pixel = vec4f(red[k], green[k], blue[k], depth[k]);
      for (var c = 0u; c < 4u; c++) {
        if (channel + c < view.more.y) { picture[base + channel + c] = of_pixel[c] + left[k] * background(channel + c); }
      }
    }
  }
}
`;
