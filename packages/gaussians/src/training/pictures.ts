import type { Image } from '@langevin/io';
import { createSsim, type PictureSize, type Ssim, type SsimTarget } from '../losses/ssim.ts';
import type { SceneView } from '../scenes/scene.ts';

export type Rgb = readonly [number, number, number];

const UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Bytes to [height, width, 3] in 0..1; what is transparent shows the background. */
export function pictureOf({ width, height, channels, data }: Image, background: Rgb): Float32Array {
  const pixels = width * height;
  const out = new Float32Array(3 * pixels);
  if (channels === 3) {
    for (let i = 0; i < out.length; i++) out[i] = UNIT[data[i]!]!;
    return out;
  }
  const alphaAt = channels === 4 ? 3 : channels === 2 ? 1 : undefined;
  for (let pixel = 0; pixel < pixels; pixel++) {
    const alpha = alphaAt === undefined ? 1 : UNIT[data[channels * pixel + alphaAt]!]!;
    for (let c = 0; c < 3; c++)
      out[3 * pixel + c] = alpha * UNIT[data[channels * pixel + (channels < 3 ? 0 : c)]!]! + (1 - alpha) * background[c]!;
  }
  return out;
}

/** [height, width, 3] in 0..1 to bytes. */
export function imageOf(color: Float32Array, { width, height }: { readonly width: number; readonly height: number }): Image {
  // Not Uint8Array.from, which takes ten times as long.
  const data = new Uint8Array(color.length);
  for (let i = 0; i < data.length; i++) data[i] = Math.round(255 * Math.min(1, Math.max(0, color[i]!)));
  return { width, height, channels: 3, data };
}

/** What views are compared with: prepared once where memory allows and the background does not change. */
export interface Targets {
  readonly size: (view: SceneView) => PictureSize;
  readonly ssim: (size: PictureSize) => Ssim<Float32Array>;
  readonly picture: (view: SceneView, background: Rgb) => Float32Array;
  readonly target: (view: SceneView, background: Rgb) => SsimTarget<Float32Array>;
}

/** @param cacheBytes memory for pictures, and again for what is prepared of them */
export function targets(cacheBytes: number): Targets {
  const bySize = new Map<string, Ssim<Float32Array>>();
  const size = ({ camera }: SceneView): PictureSize => ({ width: camera.width, height: camera.height, channels: 3 });
  const ssim = (size: PictureSize): Ssim<Float32Array> => {
    const key = `${size.width}x${size.height}`;
    const known = bySize.get(key);
    if (known !== undefined) return known;
    const made = createSsim(size);
    bySize.set(key, made);
    return made;
  };
  const picture = cached(
    cacheBytes,
    (view, background) => pictureOf(view.image, background),
    (made) => made.byteLength,
  );
  const target = cached(
    cacheBytes,
    (view, background) => ssim(size(view)).prepare(picture(view, background)),
    (made) => 2 * made.mean.byteLength,
  );
  return { size, ssim, picture, target };
}

/** What was made of a view is kept while there is room, and made anew when the background shows through and changes. */
function cached<T>(
  mostBytes: number,
  make: (view: SceneView, background: Rgb) => T,
  bytes: (made: T) => number,
): (view: SceneView, background: Rgb) => T {
  const kept = new Map<SceneView, { readonly background: Rgb; readonly made: T }>();
  let used = 0;
  return (view, background) => {
    const known = kept.get(view);
    const opaque = view.image.channels === 3 || view.image.channels === 1;
    if (known !== undefined && (opaque || known.background.every((value, c) => value === background[c]))) return known.made;
    const made = make(view, background);
    if (known === undefined && used + bytes(made) > mostBytes) return made;
    if (known === undefined) used += bytes(made);
    kept.set(view, { background, made });
    return made;
  };
}
