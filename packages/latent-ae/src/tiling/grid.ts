import { UserError } from '@langevin/tensor';

/** One tile along one axis, in cells of the latent. */
export interface Span {
  readonly start: number;
  readonly size: number;
  /** Cells over which it is blended with the tile before; 0 for the first. */
  readonly blend: number;
  /** Cells of it that are in the result before the next tile begins. */
  readonly kept: number;
}

/**
 * Where the last tile of an axis lies: `'aligned'` with the end, as large as the others; or what remains beyond the stride, which is
 * diffusers' grid: it can be a sliver, whose statistics are not those of a picture.
 */
export type LastTile = 'aligned' | 'remainder';

/** The tiles of an axis of `length` cells. @throws UserError when cells would be skipped */
function spansOf(
  length: number,
  { tile, stride, last }: { readonly tile: number; readonly stride: number; readonly last: LastTile },
): readonly Span[] {
  if (stride > tile)
    throw new UserError(`[latent-ae/tiling] cells would be skipped: tile=${tile}, stride=${stride}. Give a stride of at most the tile.`);
  if (last === 'remainder') return remainders(length, tile, stride);
  return length <= tile ? [whole(length)] : aligned(length, tile, stride);
}

/** The tiles of both axes; a picture that fits into one tile is one. */
export function gridOf(
  [height, width]: readonly [number, number],
  { tile, stride, last }: { readonly tile: readonly [number, number]; readonly stride: readonly [number, number]; readonly last: LastTile },
): readonly [rows: readonly Span[], columns: readonly Span[]] {
  const [rows, columns] = [
    spansOf(height, { tile: tile[0], stride: stride[0], last }),
    spansOf(width, { tile: tile[1], stride: stride[1], last }),
  ];
  return height <= tile[0] && width <= tile[1] ? [[whole(height)], [whole(width)]] : [rows, columns];
}

const whole = (length: number): Span => ({ start: 0, size: length, blend: 0, kept: length });

function aligned(length: number, tile: number, stride: number): readonly Span[] {
  const starts: number[] = [];
  for (let start = 0; start + tile < length; start += stride) starts.push(start);
  starts.push(length - tile);
  return starts.map((start, i) => ({
    start,
    size: tile,
    blend: i === 0 ? 0 : starts[i - 1]! + tile - start,
    kept: (starts[i + 1] ?? length) - start,
  }));
}

function remainders(length: number, tile: number, stride: number): readonly Span[] {
  return Array.from({ length: Math.ceil(length / stride) }, (_, i) => {
    const start = i * stride;
    const size = Math.min(tile, length - start);
    return { start, size, blend: i === 0 ? 0 : Math.min(tile - stride, size), kept: Math.min(stride, size) };
  });
}
