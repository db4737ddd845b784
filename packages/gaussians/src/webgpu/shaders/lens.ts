import { BLUR, LEAST_COMPENSATION } from '../../settings.ts';

/** From a Gaussian in the world to its covariance in the picture; both directions use it. Needs `View` and `geometry`. */
export const LENS_WGSL = /* wgsl */ `
const BLUR = ${BLUR}f;
const LEAST_COMPENSATION = ${LEAST_COMPENSATION}f;
const LOG2E = 1.4426950408889634f;

// Compilers may take it that no number is infinite; bits are bits.
fn finite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }
fn finite3(v: vec3f) -> bool { return finite(v.x) && finite(v.y) && finite(v.z); }

// Sections of the geometry: means, quaternions, logarithms of scales, logits.
fn mean_of(i: u32) -> vec3f { return vec3f(geometry[3u * i], geometry[3u * i + 1u], geometry[3u * i + 2u]); }
fn quaternion_of(i: u32) -> vec4f {
  let at = 3u * view.count.x + 4u * i;
  return vec4f(geometry[at], geometry[at + 1u], geometry[at + 2u], geometry[at + 3u]);
}
fn log_scales_of(i: u32) -> vec3f {
  let at = 7u * view.count.x + 3u * i;
  return vec3f(geometry[at], geometry[at + 1u], geometry[at + 2u]);
}
fn logit_of(i: u32) -> f32 { return geometry[10u * view.count.x + i]; }

fn place_of(mean: vec3f) -> vec3f {
  let turned = vec3f(dot(view.rows[0].xyz, mean), dot(view.rows[1].xyz, mean), dot(view.rows[2].xyz, mean));
  return turned + vec3f(view.rows[0].w, view.rows[1].w, view.rows[2].w);
}

struct Flat {
  // Where the slope is taken, as ratios to z.
  ratio: vec2f,
  // Slopes of the projection: j00, j02, j11, j12; then by world axes, a row each.
  slant: vec4f,
  slope_x: vec3f,
  slope_y: vec3f,
  // Rows of the rotation, the unit quaternion that makes it and its length.
  turn: array<vec3f, 3>,
  unit: vec4f,
  length: f32,
  scales: vec3f,
  // slope * rotation * scales: the covariance in the picture is this times its transpose.
  spread_x: vec3f,
  spread_y: vec3f,
  // xx, xy, yy without the blur; determinants before and after it.
  covariance: vec3f,
  sharp: f32,
  blurred: f32,
}

fn flatten(i: u32, place: vec3f) -> Flat {
  var f: Flat;
  f.slant = vec4f(view.lens.x, 0.0, view.lens.y, 0.0);
  if (is(PINHOLE)) {
    let over = 1.0 / place.z;
    f.ratio = vec2f(clamp(place.x * over, view.edges.x, view.edges.y), clamp(place.y * over, view.edges.z, view.edges.w));
    f.slant = vec4f(view.lens.x * over, -view.lens.x * over * f.ratio.x, view.lens.y * over, -view.lens.y * over * f.ratio.y);
  }
  f.slope_x = f.slant.x * view.rows[0].xyz + f.slant.y * view.rows[2].xyz;
  f.slope_y = f.slant.z * view.rows[1].xyz + f.slant.w * view.rows[2].xyz;

  // The largest component first: squares of tiny ones would vanish.
  let raw = quaternion_of(i);
  let largest = max(max(abs(raw.x), abs(raw.y)), max(abs(raw.z), abs(raw.w)));
  let near_unit = raw / largest;
  f.unit = near_unit / length(near_unit);
  f.length = largest * length(near_unit);
  let q = f.unit;
  f.turn[0] = vec3f(1.0 - 2.0 * (q.z * q.z + q.w * q.w), 2.0 * (q.y * q.z - q.x * q.w), 2.0 * (q.y * q.w + q.x * q.z));
  f.turn[1] = vec3f(2.0 * (q.y * q.z + q.x * q.w), 1.0 - 2.0 * (q.y * q.y + q.w * q.w), 2.0 * (q.z * q.w - q.x * q.y));
  f.turn[2] = vec3f(2.0 * (q.y * q.w - q.x * q.z), 2.0 * (q.z * q.w + q.x * q.y), 1.0 - 2.0 * (q.y * q.y + q.z * q.z));
  f.scales = exp(log_scales_of(i));
  f.spread_x = (f.slope_x.x * f.turn[0] + f.slope_x.y * f.turn[1] + f.slope_x.z * f.turn[2]) * f.scales;
  f.spread_y = (f.slope_y.x * f.turn[0] + f.slope_y.y * f.turn[1] + f.slope_y.z * f.turn[2]) * f.scales;

  f.covariance = vec3f(dot(f.spread_x, f.spread_x), dot(f.spread_x, f.spread_y), dot(f.spread_y, f.spread_y));
  // The determinant as a sum of squares (Lagrange's identity): a thin Gaussian loses no digits.
  let minors = cross(f.spread_x, f.spread_y);
  f.sharp = dot(minors, minors);
  f.blurred = f.sharp + BLUR * (f.covariance.x + f.covariance.z) + BLUR * BLUR;
  return f;
}

fn compensation(f: Flat) -> f32 {
  if (!is(MIP)) { return 1.0; }
  return max(LEAST_COMPENSATION, sqrt(f.sharp / f.blurred));
}
`;

/** Spherical harmonics as polynomials of a unit vector; needs `View` and `appearance`. */
export const HARMONICS_WGSL = /* wgsl */ `
fn coefficient(i: u32, k: u32) -> vec3f {
  let at = i * view.count.z + 3u * k;
  return vec3f(appearance[at], appearance[at + 1u], appearance[at + 2u]);
}

fn coefficients() -> u32 { return (view.count.y + 1u) * (view.count.y + 1u); }

fn basis(d: vec3f) -> array<f32, 16> {
  let s = d * d;
  return array<f32, 16>(
    0.28209479177387814,
    -0.4886025119029199 * d.y,
    0.4886025119029199 * d.z,
    -0.4886025119029199 * d.x,
    1.0925484305920792 * d.x * d.y,
    -1.0925484305920792 * d.y * d.z,
    0.31539156525252005 * (2.0 * s.z - s.x - s.y),
    -1.0925484305920792 * d.x * d.z,
    0.5462742152960396 * (s.x - s.y),
    -0.5900435899266435 * d.y * (3.0 * s.x - s.y),
    2.890611442640554 * d.x * d.y * d.z,
    -0.4570457994644658 * d.y * (4.0 * s.z - s.x - s.y),
    0.3731763325901154 * d.z * (2.0 * s.z - 3.0 * s.x - 3.0 * s.y),
    -0.4570457994644658 * d.x * (4.0 * s.z - s.x - s.y),
    1.445305721320277 * d.z * (s.x - s.y),
    -0.5900435899266435 * d.x * (s.x - 3.0 * s.y),
  );
}

// Before it is cut off at 0.
fn shade(i: u32, d: vec3f) -> vec3f {
  var values = basis(d);
  var color = vec3f(0.5);
  for (var k = 0u; k < coefficients(); k++) { color += values[k] * coefficient(i, k); }
  return color;
}
`;
