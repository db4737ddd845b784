import type { Autoencoder } from '@langevin/core';
import {
  checkChoice,
  checkNumber,
  float32Data,
  readOptions,
  shapeOf,
  shownValue,
  UserError,
  type Engine,
  type Tensor,
} from '@langevin/tensor';
import { blendColumns, blendRows } from './blend.ts';
import { gridOf, type LastTile, type Span } from './grid.ts';
import { batchOf, cutOut, emptyPlanes, picturesOf, putInto, type Box, type Planes } from './planes.ts';

/** How far a call has come. */
export interface TileProgress {
  readonly done: number;
  readonly of: number;
}

export interface TilesOptions {
  /** The encoder or decoder for one tile [1, C, H, W]; compiled, it is compiled once for each size of a tile. */
  readonly run: (tile: Tensor) => Promise<Tensor>;
  /** Whose tiles they are: how much smaller a latent is, and what becomes of odd sides. */
  readonly autoencoder: Pick<Autoencoder<never>, 'info' | 'latentShape'>;
  /** Height and width of a tile, in cells of the latent. @default [64, 64]: 512 pixels for a factor of 8, diffusers' */
  readonly tile?: readonly [number, number];
  /** From one tile to the next, in cells of the latent. @default three quarters of the tile, diffusers' */
  readonly stride?: readonly [number, number];
  /** @default 'aligned' */
  readonly last?: LastTile;
  /**
   * `'around'` goes on at the opposite side, so that copies of the picture fit together: the latent is given a border of a quarter of a
   * tile from there, which is cut off again. @default 'ends'
   */
  readonly sides?: 'ends' | 'around';
  /** Called after each tile. */
  readonly onProgress?: (progress: TileProgress) => void;
  /** Looked at before each tile: what it was aborted with is thrown. */
  readonly signal?: AbortSignal;
  /** Reads what `run` gives. @default the default engine */
  readonly engine?: Engine;
}

const WHERE = 'latent-ae/tiling';
const OPTIONS = ['run', 'autoencoder', 'tile', 'stride', 'last', 'sides', 'onProgress', 'signal', 'engine'] as const;
const WHOLE = { kind: 'integer', atLeast: 1, atMost: 2 ** 24 } as const;

/**
 * Decode latents [N, C, h, w] tile by tile, picture by picture, blended linearly where tiles overlap, as diffusers' `tiled_decode` does.
 * Memory is that
 * of a tile. Tiles do not know each other: norms see a tile's own statistics, so tones can differ between them, which blending hides and
 * does not mend. Where that matters decode exactly, in bands.
 *
 * @returns [N, outputs, h * factor, w * factor]
 * @throws UserError when a stride is larger than its tile, or `run` gives another size than the autoencoder says; what the signal was
 * aborted with
 */
export async function decodeInTiles(z: Tensor, options: TilesOptions): Promise<Tensor> {
  const given = readOptions(WHERE, options, OPTIONS);
  const plan = planOf(z, given);
  const [up, across] = plan.factor;
  return each(z, given, async (picture, report) => {
    const border = given.sides === 'around' ? borderOf(picture, plan.tile) : { rows: 0, columns: 0 };
    const around = wrapped(picture, border);
    const [rows, columns] = gridOf([around.height, around.width], plan);
    const whole = await assembled({
      rows: rows.map((span) => ({ source: [span.start, span.size], target: scaledSpan(span, up) })),
      columns: columns.map((span) => ({ source: [span.start, span.size], target: scaledSpan(span, across) })),
      picture: around,
      given,
      report,
    });
    return cropped(whole, {
      top: border.rows * up,
      left: border.columns * across,
      height: picture.height * up,
      width: picture.width * across,
    });
  });
}

/**
 * Encode pictures [N, C, H, W] tile by tile as {@link decodeInTiles} decodes them. `run` gives anything of the size of the latent; to
 * blend distributions give it their `moments`, and take {@link gaussianPosterior} of the result. An odd remainder of the sides goes with
 * the last tile.
 *
 * @returns [N, C, h, w]
 * @throws UserError as {@link decodeInTiles} does
 */
export async function encodeInTiles(x: Tensor, options: TilesOptions): Promise<Tensor> {
  const given = readOptions(WHERE, options, OPTIONS);
  const plan = planOf(x, given);
  const [up, across] = plan.factor;
  return each(x, given, async (picture, report) => {
    const [h, w] = given.autoencoder.latentShape([1, picture.channels, picture.height, picture.width]).slice(2) as [number, number];
    const around = given.sides === 'around';
    if (around && (picture.height % up !== 0 || picture.width % across !== 0))
      throw new UserError(
        `[${WHERE}] sides do not go around in whole cells: picture=${picture.height}x${picture.width}, `
          + `factor=${up}x${across}. Give multiples.`,
      );
    const border = around ? borderOf({ height: h, width: w }, plan.tile) : { rows: 0, columns: 0 };
    const source = wrapped(picture, { rows: border.rows * up, columns: border.columns * across });
    const [rows, columns] = gridOf([h + 2 * border.rows, w + 2 * border.columns], plan);
    const whole = await assembled({
      rows: withPixels(rows, { length: source.height, factor: up, tile: plan.tile[0] }),
      columns: withPixels(columns, { length: source.width, factor: across, tile: plan.tile[1] }),
      picture: source,
      given,
      report,
    });
    return around ? cropped(whole, { top: border.rows, left: border.columns, height: h, width: w }) : whole;
  });
}

interface Plan {
  readonly factor: readonly [number, number];
  readonly tile: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly last: LastTile;
}

function planOf(batch: Tensor, { run, autoencoder, tile = [64, 64], stride, last = 'aligned', sides = 'ends' }: TilesOptions): Plan {
  if (typeof run !== 'function') throw new UserError(`[${WHERE}] there is nothing to run: run=${typeof run}. Pass a function of one tile.`);
  const named: unknown = autoencoder;
  if (typeof named !== 'object' || named === null || !('info' in named) || !('latentShape' in named))
    throw new UserError(`[${WHERE}] it is not said whose tiles they are: autoencoder=${shownValue(named)}. Pass the autoencoder.`);
  const { factor } = autoencoder.info;
  checkChoice(WHERE, { last }, ['aligned', 'remainder']);
  checkChoice(WHERE, { sides }, ['ends', 'around']);
  const steps = stride ?? tile.map((size) => Math.max(1, Math.floor(size * 0.75)));
  for (const [name, values] of Object.entries({ factor, tile, stride: steps })) {
    if (!Array.isArray(values) || values.length !== 2)
      throw new UserError(`[${WHERE}] ${name} is not of height and width: ${name}=${JSON.stringify(values)}. Give two numbers.`);
    values.forEach((value, i) => {
      checkNumber(WHERE, { [`${name}[${i}]`]: value as number }, WHOLE);
    });
  }
  if (shapeOf(WHERE, batch).length !== 4 || batch.size === 0)
    throw new UserError(`[${WHERE}] there is no batch of pictures: shape=[${batch.shape.join(', ')}]. Give [N, C, H, W].`);
  return { factor: factor as never, tile, stride: steps as never, last };
}

const scaledSpan = ({ start, size, blend, kept }: Span, factor: number): Span => ({
  start: start * factor,
  size: size * factor,
  blend: blend * factor,
  kept: kept * factor,
});

/** The pixels of the tiles of an axis: the last one goes to the end of the picture, and takes what is left over of whole cells. */
function withPixels(spans: readonly Span[], { length, factor, tile }: Readonly<Record<'length' | 'factor' | 'tile', number>>): AxisTile[] {
  return spans.map((target, i) => {
    const start = target.start * factor;
    const end = i === spans.length - 1 ? length : Math.min(start + tile * factor, length);
    return { source: [start, end - start], target };
  });
}

/** Every picture of a batch by itself, with progress over all of them. */
async function each(
  batch: Tensor,
  { engine, onProgress }: TilesOptions,
  make: (picture: Planes, report: (progress: TileProgress) => void) => Promise<Planes>,
): Promise<Tensor> {
  const pictures = await picturesOf(batch, engine === undefined ? {} : { engine });
  const made: Planes[] = [];
  for (const [i, picture] of pictures.entries())
    made.push(await make(picture, ({ done, of }) => onProgress?.({ done: i * of + done, of: pictures.length * of })));
  return batchOf(made);
}

interface AxisTile {
  /** Where it begins in the source, and how much of it is taken. */
  readonly source: readonly [number, number];
  readonly target: Span;
}

interface Assembly {
  readonly rows: readonly AxisTile[];
  readonly columns: readonly AxisTile[];
  readonly picture: Planes;
  readonly given: TilesOptions;
  readonly report: (progress: TileProgress) => void;
}

/** Each tile is blended with the one above and the one before, which were blended themselves, and the part up to the next is kept. */
async function assembled({ rows, columns, picture, given: { run, signal, engine }, report }: Assembly): Promise<Planes> {
  let whole: Planes | undefined;
  let above: readonly Planes[] = [];
  const [height, width] = [totalOf(rows), totalOf(columns)];
  for (const [i, row] of rows.entries()) {
    const current: Planes[] = [];
    for (const [j, column] of columns.entries()) {
      signal?.throwIfAborted();
      const box = { top: row.source[0], height: row.source[1], left: column.source[0], width: column.source[1] };
      const out = await run(cutOut(picture, box));
      const tile = await tileOf(out, { height: row.target.size, width: column.target.size }, engine);
      if (i > 0) blendRows(above[j]!, tile, row.target.blend);
      if (j > 0) blendColumns(current[j - 1]!, tile, column.target.blend);
      current.push(tile);
      whole ??= emptyPlanes({ channels: tile.channels, height, width });
      putInto(whole, tile, { top: row.target.start, left: column.target.start, height: row.target.kept, width: column.target.kept });
      report({ done: i * columns.length + j + 1, of: rows.length * columns.length });
    }
    above = current;
  }
  return whole!;
}

const totalOf = (tiles: readonly AxisTile[]): number => tiles.at(-1)!.target.start + tiles.at(-1)!.target.kept;

/** What was made of one tile, in the size that was expected. */
async function tileOf(
  out: Tensor,
  { height, width }: { readonly height: number; readonly width: number },
  engine: Engine | undefined,
): Promise<Planes> {
  if (shapeOf(WHERE, out).length !== 4 || out.shape[0] !== 1 || out.shape[2] !== height || out.shape[3] !== width)
    throw new UserError(
      `[${WHERE}] tile has another size than the autoencoder says: got=[${out.shape.join(', ')}], expected=[1, C, ${height}, ${width}]. `
        + 'Run the autoencoder that is named, and give tiles whose sides it takes.',
    );
  const data = await float32Data(out, engine === undefined ? {} : { engine });
  return { channels: out.shape[1]!, height, width, data: Float32Array.from(data) };
}

/** A quarter of a tile from the opposite side, of a small picture no more than all of it. */
const borderOf = ({ height, width }: { readonly height: number; readonly width: number }, tile: readonly [number, number]) => ({
  rows: Math.min(height, Math.ceil(tile[0] / 4)),
  columns: Math.min(width, Math.ceil(tile[1] / 4)),
});

/** A picture with a border that is what lies at its opposite side. */
function wrapped(picture: Planes, { rows, columns }: { readonly rows: number; readonly columns: number }): Planes {
  if (rows === 0 && columns === 0) return picture;
  const { channels, height, width } = picture;
  const out = emptyPlanes({ channels, height: height + 2 * rows, width: width + 2 * columns });
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < out.height; y++)
      for (let x = 0; x < out.width; x++) {
        const from = (c * height + ((y - rows + height) % height)) * width + ((x - columns + width) % width);
        out.data[(c * out.height + y) * out.width + x] = picture.data[from]!;
      }
  return out;
}

function cropped(whole: Planes, box: Box): Planes {
  if (box.height === whole.height && box.width === whole.width) return whole;
  const out = emptyPlanes({ channels: whole.channels, height: box.height, width: box.width });
  for (let c = 0; c < whole.channels; c++)
    for (let y = 0; y < box.height; y++) {
      const start = (c * whole.height + box.top + y) * whole.width + box.left;
      out.data.set(whole.data.subarray(start, start + box.width), (c * box.height + y) * box.width);
    }
  return out;
}
