import { MX, MY, RX, RY } from './layout';

/**
 * The blocks of a tile under the rectangle of a Gaussian, a bit for each: 8 rows of 4 blocks, each 4 pixels wide and 2 high. `x0` and `y0`
 * are the centre of the tile's first pixel.
 */
@inline
export function cover(record: usize, x0: f32, y0: f32): u32 {
  const mx = load<f32>(record, MX) - x0;
  const my = load<f32>(record, MY) - y0;
  const rx = load<f32>(record, RX);
  const ry = load<f32>(record, RY);
  const left = <i32>max<f32>(0, ceil<f32>(mx - rx));
  const right = <i32>max<f32>(-1, min<f32>(15, floor<f32>(mx + rx)));
  const top = <i32>max<f32>(0, ceil<f32>(my - ry));
  const bottom = <i32>max<f32>(-1, min<f32>(15, floor<f32>(my + ry)));
  if (left > right || top > bottom) return 0;
  const columns = ((2 << (right >> 2)) - (1 << (left >> 2))) * 0x11111111;
  const rows = ((<u32>-1) << (4 * (top >> 1))) & ((<u32>-1) >> (28 - 4 * (bottom >> 1)));
  return (<u32>columns) & rows;
}

/** The blocks of a tile that reach into the picture; `right` and `bottom` are how many of its pixels do. */
export function inside(right: i32, bottom: i32): u32 {
  const columns = ((2 << (min(15, right - 1) >> 2)) - 1) * 0x11111111;
  return (<u32>columns) & ((<u32>-1) >> (28 - 4 * (min(15, bottom - 1) >> 1)));
}
