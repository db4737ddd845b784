import type { Image } from '@langevin/io';
import { UserError } from '@langevin/tensor';

/** A pinhole with OpenCV's lens distortion: radial k1, k2, tangential p1, p2. */
export interface LensCamera {
  readonly width: number;
  readonly height: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
  readonly k1: number;
  readonly k2: number;
  readonly p1: number;
  readonly p2: number;
}

/** The lens's numbers without distortion. */
export type Pinhole = Omit<LensCamera, 'k1' | 'k2' | 'p1' | 'p2'>;

type Point = readonly [x: number, y: number];

/** The sides of a picture. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Whether a picture of one size is one of another, shrunk or enlarged: sides may be rounded by a pixel of either. */
export function hasShapeOf(size: Size, other: Size): boolean {
  const across = size.width / other.width;
  const down = size.height / other.height;
  const larger = Math.max(other.width, other.height);
  return Math.abs(across - down) * larger <= 2 * Math.max(1, across, down);
}

/** The lens of a picture that is a smaller or larger copy of the calibrated one. */
export function resizedLens(lens: LensCamera, { width, height }: Size): LensCamera {
  const x = width / lens.width;
  const y = height / lens.height;
  return { ...lens, width, height, fx: lens.fx * x, fy: lens.fy * y, cx: lens.cx * x, cy: lens.cy * y };
}

export function isDistorted({ k1, k2, p1, p2 }: LensCamera): boolean {
  return k1 !== 0 || k2 !== 0 || p1 !== 0 || p2 !== 0;
}

/** Where the lens puts a direction (x / z, y / z): OpenCV's model with two radial and two tangential terms. */
export function distort({ k1, k2, p1, p2 }: LensCamera, [x, y]: Point): Point {
  const r2 = x * x + y * y;
  const radial = 1 + r2 * (k1 + r2 * k2);
  return [x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x), y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y];
}

/** The inverse of {@link distort} by Newton's method. @throws UserError where the lens folds, so that there is none */
export function undistort(lens: LensCamera, target: Point): Point {
  let [x, y] = target;
  const step = 1e-6;
  for (let round = 0; round < 50; round++) {
    const [dx, dy] = distort(lens, [x, y]);
    const ex = dx - target[0];
    const ey = dy - target[1];
    const [xx, yx] = central((h) => distort(lens, [x + h, y]), step);
    const [xy, yy] = central((h) => distort(lens, [x, y + h]), step);
    const det = xx * yy - xy * yx;
    if (Math.hypot(ex, ey) < 1e-10) {
      // Beyond the fold there are directions that fit, which the lens does not see.
      const r2 = x * x + y * y;
      if (det > 0 && 1 + r2 * (lens.k1 + r2 * lens.k2) > 0) return [x, y];
      break;
    }
    x -= (yy * ex - xy * ey) / det;
    y -= (xx * ey - yx * ex) / det;
    if (!Number.isFinite(x + y)) break;
  }
  throw new UserError(
    `[gaussians/lens] distortion cannot be inverted: k1=${lens.k1}, k2=${lens.k2}, p1=${lens.p1}, p2=${lens.p2} at `
      + `[${target.join(', ')}]. Undistort the images with the program that made the model.`,
  );
}

function central(f: (h: number) => Point, step: number): Point {
  const [ax, ay] = f(step);
  const [bx, by] = f(-step);
  return [(ax - bx) / (2 * step), (ay - by) / (2 * step)];
}

/**
 * The pinhole of the same size whose whole picture the lens has seen, as large a view as that allows (OpenCV's alpha = 0).
 *
 * @throws UserError when the distortion leaves no such view
 */
export function undistortedPinhole(lens: LensCamera): Pinhole {
  const { width, height, fx, fy, cx, cy } = lens;
  const direction = (u: number, v: number): Point => undistort(lens, [(u - cx) / fx, (v - cy) / fy]);
  const along = Array.from({ length: 33 }, (_, i) => i / 32);
  // Pixel centres of the border: beyond them there is nothing to interpolate.
  const xs = along.map((t) => 0.5 + t * (width - 1));
  const ys = along.map((t) => 0.5 + t * (height - 1));
  const left = Math.max(...ys.map((v) => direction(0.5, v)[0]));
  const right = Math.min(...ys.map((v) => direction(width - 0.5, v)[0]));
  const top = Math.max(...xs.map((u) => direction(u, 0.5)[1]));
  const bottom = Math.min(...xs.map((u) => direction(u, height - 0.5)[1]));
  if (!(right > left && bottom > top))
    throw new UserError(
      `[gaussians/lens] distortion leaves no rectangle that was seen: x ${left}..${right}, y ${top}..${bottom}. Check the `
        + 'parameters of the camera.',
    );
  const fxNew = Math.max(width - 1, 1) / (right - left);
  const fyNew = Math.max(height - 1, 1) / (bottom - top);
  return { width, height, fx: fxNew, fy: fyNew, cx: 0.5 - fxNew * left, cy: 0.5 - fyNew * top };
}

/** The picture that the pinhole would have taken, interpolated bilinearly. */
export function undistortImage(image: Image, lens: LensCamera, pinhole: Pinhole): Image {
  const { channels } = image;
  const { width, height } = pinhole;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [dx, dy] = distort(lens, [(x + 0.5 - pinhole.cx) / pinhole.fx, (y + 0.5 - pinhole.cy) / pinhole.fy]);
      const u = clamp(lens.fx * dx + lens.cx - 0.5, image.width - 1);
      const v = clamp(lens.fy * dy + lens.cy - 0.5, image.height - 1);
      const u0 = Math.floor(u);
      const v0 = Math.floor(v);
      const right = Math.min(u0 + 1, image.width - 1);
      const below = Math.min(v0 + 1, image.height - 1);
      for (let c = 0; c < channels; c++) {
        const at = (column: number, row: number): number => image.data[(row * image.width + column) * channels + c]!;
        const upper = at(u0, v0) + (u - u0) * (at(right, v0) - at(u0, v0));
        const lower = at(u0, below) + (u - u0) * (at(right, below) - at(u0, below));
        data[(y * width + x) * channels + c] = Math.round(upper + (v - v0) * (lower - upper));
      }
    }
  }
  return { width, height, channels, data };
}

/** A map of distances as a file holds it. */
interface StoredDepth {
  readonly width: number;
  readonly height: number;
  readonly data: Uint16Array;
  /** World units of 1 in the map. */
  readonly unit: number;
}

/**
 * The distances that a pinhole would have measured, [height, width]: for each pixel that of the nearest one in the lens's map, since a mean
 * of near and far is neither.
 *
 * @param map of the lens's picture, in its size or another one
 */
export function sampleDepth(map: StoredDepth, lens: LensCamera, pinhole: Pinhole): Float32Array {
  const { width, height } = pinhole;
  const [across, down] = [map.width / lens.width, map.height / lens.height];
  const out = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [dx, dy] = distort(lens, [(x + 0.5 - pinhole.cx) / pinhole.fx, (y + 0.5 - pinhole.cy) / pinhole.fy]);
      const u = clamp(Math.floor((lens.fx * dx + lens.cx) * across), map.width - 1);
      const v = clamp(Math.floor((lens.fy * dy + lens.cy) * down), map.height - 1);
      out[y * width + x] = map.unit * map.data[v * map.width + u]!;
    }
  }
  return out;
}

function clamp(value: number, most: number): number {
  return Math.min(Math.max(value, 0), most);
}
