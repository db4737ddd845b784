import type { SceneView } from './scene.ts';

/** Red, green and blue from 0 to 255. */
export type Color = readonly [number, number, number];

/** Whether a pixel shows something of the scene: at least half opaque, and of the mask. */
export function isThere({ image, mask }: SceneView, pixel: number): boolean {
  const alpha = image.channels === 4 ? 3 : image.channels === 2 ? 1 : undefined;
  return (alpha === undefined || image.data[image.channels * pixel + alpha]! >= 128) && (mask === undefined || mask[pixel]! >= 128);
}

/** The colour of a pixel; one of a grey picture has three equal parts. */
export function colorAt({ data, channels }: SceneView['image'], pixel: number): Color {
  const at = channels * pixel;
  return channels < 3 ? [data[at]!, data[at]!, data[at]!] : [data[at]!, data[at + 1]!, data[at + 2]!];
}
