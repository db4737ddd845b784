import type { Planes } from './planes.ts';

/** Mix the last `extent` rows of `above` into the first of `tile`, linearly from the one to the other: diffusers' `blend_v`. */
export function blendRows(above: Planes, tile: Planes, extent: number): void {
  for (let c = 0; c < tile.channels; c++)
    for (let y = 0; y < extent; y++) {
      const from = (c * above.height + above.height - extent + y) * above.width;
      const to = (c * tile.height + y) * tile.width;
      mix(above.data, tile.data, { from, to, count: tile.width, weight: y / extent });
    }
}

/** Mix the last `extent` columns of `before` into the first of `tile`: diffusers' `blend_h`. */
export function blendColumns(before: Planes, tile: Planes, extent: number): void {
  for (let c = 0; c < tile.channels; c++)
    for (let y = 0; y < tile.height; y++)
      for (let x = 0; x < extent; x++) {
        const from = (c * before.height + y) * before.width + before.width - extent + x;
        mix(before.data, tile.data, { from, to: (c * tile.height + y) * tile.width + x, count: 1, weight: x / extent });
      }
}

interface Run {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Of what is written over. */
  readonly weight: number;
}

function mix(source: Float32Array, target: Float32Array, { from, to, count, weight }: Run): void {
  for (let i = 0; i < count; i++) {
    const at = to + i;
    target[at] = source[from + i]! * (1 - weight) + target[at]! * weight;
  }
}
