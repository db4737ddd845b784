import { type Camera, cameraPosition } from '@langevin/core';
import type { Gaussians } from '../gaussians.ts';
import { FRUSTUM_MARGIN, type Settings } from '../settings.ts';

/** Sides of a tile in pixels. */
export const TILE = 16;
/** Groups of work in a row: devices take no more than 65535 along an axis. */
export const ROW_OF_GROUPS = 32_768;
/** Most numbers of the background, in vectors of four. */
const BACKGROUND_VECTORS = 257;

const HEAD_WORDS = 40;
/** Bytes of the struct `View` below. */
export const VIEW_BYTES = 4 * (HEAD_WORDS + 4 * BACKGROUND_VECTORS);

const FLAGS = {
  mip: 1,
  pinhole: 2,
  colors: 4,
  expected: 8,
  smooth: 16,
  gradientOfColor: 32,
  gradientOfAlpha: 64,
  gradientOfDepth: 128,
} as const;

/** The camera, the options and the sizes, as all kernels see them. */
export const VIEW_WGSL = /* wgsl */ `
struct View {
  rows: array<vec4f, 3>,
  // Of the eye in the world, then the near plane.
  eye: vec4f,
  // fx, fy, cx, cy
  lens: vec4f,
  // Where slopes are taken at most: left, right, top, bottom as ratios to z.
  edges: vec4f,
  // width, height, tiles along x, tiles along y
  size: vec4u,
  // Gaussians, degree in use, numbers in a row of the harmonics, feature channels
  count: vec4u,
  // flags, channels, most pairs, groups of four channels
  more: vec4u,
  // transmittance at which a pixel is finished
  stop: vec4f,
  background: array<vec4f, ${BACKGROUND_VECTORS}>,
}
@group(0) @binding(0) var<uniform> view: View;
${Object.entries(FLAGS)
  .map(([name, bit]) => `const ${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()} = ${bit}u;`)
  .join('\n')}
fn is(flag: u32) -> bool { return (view.more.x & flag) != 0u; }
fn pixels() -> u32 { return view.size.x * view.size.y; }
fn background(channel: u32) -> f32 { return view.background[channel / 4u][channel % 4u]; }
`;

/** Beyond this a pixel has no light left that float32 could hold. */
const SMOOTH_STOP = 1e-30;

export interface ViewNumbers {
  readonly gaussians: Gaussians;
  readonly camera: Camera;
  readonly settings: Settings<Float32Array>;
  readonly leastTransmittance: number;
  readonly pairs: number;
  /** Which gradients come back. */
  readonly present: Readonly<Record<'color' | 'alpha' | 'depth', boolean>>;
}

/** Groups of four channels: colour with depth, then features. */
export function channelGroups(featureChannels: number): number {
  return 1 + Math.ceil(featureChannels / 4);
}

/** The bytes of `View`. */
export function packView({ gaussians, camera, settings, leastTransmittance, pairs, present }: ViewNumbers): ArrayBuffer {
  const { width, height, fx, fy, cx, cy, worldToCamera, kind = 'pinhole' } = camera;
  const marginX = (FRUSTUM_MARGIN * width) / (2 * fx);
  const marginY = (FRUSTUM_MARGIN * height) / (2 * fy);
  const on: Record<keyof typeof FLAGS, boolean> = {
    mip: settings.antialiasing === 'mip',
    pinhole: kind === 'pinhole',
    colors: settings.colors !== undefined,
    expected: settings.depth === 'expected',
    smooth: settings.cutoff === 'smooth',
    gradientOfColor: present.color,
    gradientOfAlpha: present.alpha,
    gradientOfDepth: present.depth,
  };
  const flags = Object.entries(FLAGS).reduce((sum, [name, bit]) => sum + (on[name as keyof typeof FLAGS] ? bit : 0), 0);
  const bytes = new ArrayBuffer(VIEW_BYTES);
  const floats = new Float32Array(bytes);
  const words = new Uint32Array(bytes);
  floats.set([
    ...worldToCamera,
    ...cameraPosition(camera),
    settings.near,
    fx,
    fy,
    cx,
    cy,
    -cx / fx - marginX,
    (width - cx) / fx + marginX,
    -cy / fy - marginY,
    (height - cy) / fy + marginY,
  ]);
  words.set(
    [
      width,
      height,
      Math.ceil(width / TILE),
      Math.ceil(height / TILE),
      gaussians.count,
      settings.degree,
      3 * (gaussians.degree + 1) ** 2,
      settings.featureChannels,
      flags,
      settings.background.length,
      pairs,
      channelGroups(settings.featureChannels),
    ],
    24,
  );
  floats[36] = settings.cutoff === 'smooth' ? SMOOTH_STOP : leastTransmittance;
  floats.set(settings.background, HEAD_WORDS);
  return bytes;
}
