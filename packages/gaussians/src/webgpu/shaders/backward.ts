import { VIEW_WGSL } from '../view.ts';
import { ALPHA_WGSL, FEATURES_WGSL, LANES } from './blend.ts';

/** Numbers of a row: the moments g, g dx, g dy, g dx^2, g dx dy, g dy^2, two sums of absolute values, then colour and depth. */
export const ROW = 12;
/** Gaussians whose records are loaded at a time, and those that are summed at a time. */
const BATCH = 32;
const SUMMED = 4;
/** One lane more than there are, so that lanes and sums both find memory in different banks. */
const STRIDE = LANES + 1;

/** Cotangents lie like the picture: colour, alpha, depth. Where one did not come back it is 0. */
const COTANGENTS_WGSL = /* wgsl */ `
// Of a channel, of a lane's four pixels.
fn v_channel(pixel: u32, inside: vec4<bool>, channel: u32) -> vec4f {
  var v = vec4f(0.0);
  if (!is(GRADIENT_OF_COLOR)) { return v; }
  for (var k = 0u; k < 4u; k++) {
    if (inside[k]) { v[k] = cotangents[(pixel + k) * view.more.y + channel]; }
  }
  return v;
}
fn of_pixels(pixel: u32, inside: vec4<bool>, section: u32, outside: f32) -> vec4f {
  var values = vec4f(outside);
  for (var k = 0u; k < 4u; k++) {
    if (inside[k]) { values[k] = picture[section + pixel + k]; }
  }
  return values;
}
`;

/**
 * The backward pass of a tile, from its last Gaussian to the first: transmittance is divided out again, and what lies behind is one number
 * per pixel. Each pair of a tile and a Gaussian gets a row of sums over pixels, with g = -dL/dsigma: first over a lane's four pixels, then
 * over lanes in their order, so that the bits are always the same.
 */
export const BACKWARD_WGSL = /* wgsl */ `
${VIEW_WGSL}
@group(0) @binding(1) var<storage, read> records: array<vec4f>;
@group(0) @binding(2) var<storage, read> features: array<f32>;
@group(0) @binding(3) var<storage, read> owners: array<u32>;
@group(0) @binding(4) var<storage, read> pairs: array<u32>;
@group(0) @binding(5) var<storage, read> starts: array<u32>;
@group(0) @binding(6) var<storage, read> picture: array<f32>;
@group(0) @binding(7) var<storage, read> cotangents: array<f32>;
@group(0) @binding(8) var<storage, read_write> rows: array<f32>;
${ALPHA_WGSL}
${FEATURES_WGSL}
${COTANGENTS_WGSL}
const LN2 = 0.6931471805599453f;
var<workgroup> heads: array<vec4f, ${BATCH}>;
var<workgroup> tails: array<vec4f, ${BATCH}>;
var<workgroup> values: array<vec4f, ${BATCH}>;
var<workgroup> places: array<vec2u, ${BATCH}>;
var<workgroup> parts: array<f32, ${SUMMED * ROW * STRIDE}>;
var<workgroup> most: atomic<u32>;
var<workgroup> through: u32;

fn sum4(v: vec4f) -> f32 { return (v.x + v.y) + (v.z + v.w); }

@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let tile = group.y * view.size.z + group.x;
  let start = starts[tile];
  let end = starts[tile + 1u];
  if (start == end) { return; }
  let at = corner(group.xy, t);
  let px = f32(at.x) + vec4f(0.5, 1.5, 2.5, 3.5);
  let py = f32(at.y) + 0.5;
  let inside = ((vec4u(at.x) + vec4u(0u, 1u, 2u, 3u)) < vec4u(view.size.x)) & vec4<bool>(at.y < view.size.y);
  let pixel = at.y * view.size.x + at.x;
  let last = vec4u(of_pixels(pixel, inside, last_at(), 0.0));
  var left = of_pixels(pixel, inside, left_at(), 1.0);

  let v_red = v_channel(pixel, inside, 0u);
  let v_green = v_channel(pixel, inside, 1u);
  let v_blue = v_channel(pixel, inside, 2u);
  var v_alpha = vec4f(0.0);
  var v_depth = vec4f(0.0);
  for (var k = 0u; k < 4u; k++) {
    if (!inside[k]) { continue; }
    if (is(GRADIENT_OF_ALPHA)) { v_alpha[k] = cotangents[alpha_at() + pixel + k]; }
    if (is(GRADIENT_OF_DEPTH)) { v_depth[k] = cotangents[depth_at() + pixel + k]; }
  }
  if (is(EXPECTED)) {
    // Expected depth is accumulated depth over alpha: its gradient goes to both.
    let alpha = of_pixels(pixel, inside, alpha_at(), 0.0);
    let divided = v_depth / max(vec4f(LEAST_DIVISOR), alpha);
    v_alpha -= select(vec4f(0.0), divided * of_pixels(pixel, inside, depth_at(), 0.0), alpha > vec4f(LEAST_DIVISOR));
    v_depth = divided;
  }
  var behind = background(0u) * v_red + background(1u) * v_green + background(2u) * v_blue - v_alpha;
  for (var channel = 3u; channel < view.more.y; channel++) { behind += background(channel) * v_channel(pixel, inside, channel); }
  behind *= left;

  atomicMax(&most, max(max(last.x, last.y), max(last.z, last.w)));
  workgroupBarrier();
  if (t == 0u) { through = atomicLoad(&most); }
  let used = workgroupUniformLoad(&through);
  // Nobody saw these: their rows say so.
  for (var e = start + used + t; e < end; e += ${LANES}u) {
    let row = pairs[e] * ${ROW}u;
    for (var k = 0u; k < ${ROW}u; k++) { rows[row + k] = 0.0; }
  }

  for (var rest = used; rest > 0u;) {
    let size = min(${BATCH}u, rest);
    if (t < size) {
      let pair = pairs[start + rest - 1u - t];
      let id = owners[pair];
      places[t] = vec2u(id, pair);
      heads[t] = records[3u * id];
      tails[t] = records[3u * id + 1u];
      values[t] = records[3u * id + 2u];
    }
    workgroupBarrier();
    for (var j = 0u; j < size; j += ${SUMMED}u) {
      let several = min(${SUMMED}u, size - j);
      for (var b = 0u; b < several; b++) {
        let head = heads[j + b];
        let tail = tails[j + b];
        let value = values[j + b];
        let dx = head.x - px;
        let dy = head.y - py;
        let part = b * ${ROW * STRIDE}u + t;
        let seen = vec4u(rest - 1u - j - b) < last;
        let product = select(vec4f(0.0), product_of(power_of(head, tail, dx, dy)), seen);
        let alpha = alpha_of(product);
        if (all(alpha == vec4f(0.0))) {
          for (var k = 0u; k < ${ROW}u; k++) { parts[part + k * ${STRIDE}u] = 0.0; }
          continue;
        }
        let over = 1.0 / (1.0 - alpha);
        left *= over;
        let weight = alpha * left;
        var d = value.x * v_red + value.y * v_green + value.z * v_blue + value.w * v_depth;
        for (var g = 1u; g < view.more.w; g++) {
          let of_group = features_of(places[j + b].x, g);
          for (var c = 0u; c < min(4u, view.more.y - (4u * g - 1u)); c++) { d += of_group[c] * v_channel(pixel, inside, 4u * g - 1u + c); }
        }
        let v_of_alpha = left * d - behind * over;
        behind += weight * d;
        let g = product * slope_of(product) * v_of_alpha;
        let gx = g * dx;
        let gy = g * dy;
        parts[part] = sum4(g);
        parts[part + ${STRIDE}u] = sum4(gx);
        parts[part + ${2 * STRIDE}u] = sum4(gy);
        parts[part + ${3 * STRIDE}u] = sum4(gx * dx);
        parts[part + ${4 * STRIDE}u] = sum4(gx * dy);
        parts[part + ${5 * STRIDE}u] = sum4(gy * dy);
        parts[part + ${6 * STRIDE}u] = sum4(abs(g * (2.0 * head.z * dx + head.w * dy))) * LN2;
        parts[part + ${7 * STRIDE}u] = sum4(abs(g * (head.w * dx + 2.0 * tail.x * dy))) * LN2;
        parts[part + ${8 * STRIDE}u] = sum4(weight * v_red);
        parts[part + ${9 * STRIDE}u] = sum4(weight * v_green);
        parts[part + ${10 * STRIDE}u] = sum4(weight * v_blue);
        parts[part + ${11 * STRIDE}u] = sum4(weight * v_depth);
      }
      workgroupBarrier();
      if (t < several * ${ROW}u) {
        var sum = vec4f(0.0);
        let base = t * ${STRIDE}u;
        for (var lane = base; lane < base + ${LANES}u; lane += 4u) {
          sum += vec4f(parts[lane], parts[lane + 1u], parts[lane + 2u], parts[lane + 3u]);
        }
        rows[places[j + t / ${ROW}u].y * ${ROW}u + t % ${ROW}u] = sum4(sum);
      }
      workgroupBarrier();
    }
    rest -= size;
  }
}
`;

/**
 * Gradients of features: for each pair and four features, the sum over pixels of weight times gradient. From the front, with z the group of
 * features.
 */
export const FEATURES_BACKWARD_WGSL = /* wgsl */ `
${VIEW_WGSL}
@group(0) @binding(1) var<storage, read> records: array<vec4f>;
@group(0) @binding(2) var<storage, read> owners: array<u32>;
@group(0) @binding(3) var<storage, read> pairs: array<u32>;
@group(0) @binding(4) var<storage, read> starts: array<u32>;
@group(0) @binding(5) var<storage, read> picture: array<f32>;
@group(0) @binding(6) var<storage, read> cotangents: array<f32>;
@group(0) @binding(7) var<storage, read_write> rows: array<f32>;
${ALPHA_WGSL}
${COTANGENTS_WGSL}
var<workgroup> parts: array<f32, ${4 * SUMMED * STRIDE}>;

@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let tile = group.y * view.size.z + group.x;
  let start = starts[tile];
  let end = starts[tile + 1u];
  let at = corner(group.xy, t);
  let px = f32(at.x) + vec4f(0.5, 1.5, 2.5, 3.5);
  let py = f32(at.y) + 0.5;
  let inside = ((vec4u(at.x) + vec4u(0u, 1u, 2u, 3u)) < vec4u(view.size.x)) & vec4<bool>(at.y < view.size.y);
  let pixel = at.y * view.size.x + at.x;
  let last = vec4u(of_pixels(pixel, inside, last_at(), 0.0));
  let groups = view.more.w - 1u;
  let channel = 4u * group.z + 3u;
  var left = vec4f(1.0);
  var v: array<vec4f, 4>;
  for (var c = 0u; c < 4u; c++) {
    if (channel + c < view.more.y) { v[c] = v_channel(pixel, inside, channel + c); }
  }
  for (var e = start; e < end; e += ${SUMMED}u) {
    let several = min(${SUMMED}u, end - e);
    for (var b = 0u; b < several; b++) {
      let id = owners[pairs[e + b]];
      let head = records[3u * id];
      let power = power_of(head, records[3u * id + 1u], head.x - px, head.y - py);
      let alpha = select(vec4f(0.0), alpha_of(product_of(power)), vec4u(e - start + b) < last);
      let weight = alpha * left;
      left -= weight;
      for (var c = 0u; c < 4u; c++) { parts[(4u * b + c) * ${STRIDE}u + t] = dot(weight, v[c]); }
    }
    workgroupBarrier();
    if (t < 4u * several) {
      var sum = 0.0;
      for (var lane = 0u; lane < ${LANES}u; lane++) { sum += parts[t * ${STRIDE}u + lane]; }
      rows[(pairs[e + t / 4u] * groups + group.z) * 4u + t % 4u] = sum;
    }
    workgroupBarrier();
  }
}
`;

/** Gradient of the background: for each tile, the sum over its pixels of transmittance times gradient, four channels to a group. */
export const BACKGROUND_WGSL = /* wgsl */ `
${VIEW_WGSL}
@group(0) @binding(1) var<storage, read> picture: array<f32>;
@group(0) @binding(2) var<storage, read> cotangents: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec4f>;
${ALPHA_WGSL}
${COTANGENTS_WGSL}
var<workgroup> parts: array<vec4f, ${LANES}>;

@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) t: u32) {
  let at = corner(group.xy, t);
  let inside = ((vec4u(at.x) + vec4u(0u, 1u, 2u, 3u)) < vec4u(view.size.x)) & vec4<bool>(at.y < view.size.y);
  let pixel = at.y * view.size.x + at.x;
  let left = of_pixels(pixel, inside, left_at(), 0.0);
  var own = vec4f(0.0);
  for (var c = 0u; c < 4u; c++) {
    if (4u * group.z + c < view.more.y) { own[c] = dot(left, v_channel(pixel, inside, 4u * group.z + c)); }
  }
  parts[t] = own;
  for (var half = ${LANES / 2}u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (t < half) { parts[t] += parts[t + half]; }
  }
  if (t == 0u) { sums[(group.z * view.size.w + group.y) * view.size.z + group.x] = parts[0]; }
}
`;
