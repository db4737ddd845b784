import { add, cast, matmul, reshape, slice, stopGradient, UserError, zeros, type Generator, type Tensor } from '@langevin/tensor';
import { conv, defineModule, scoped, shapesOnly, type ConvParams, type LinearInit, type Module } from '@langevin/nn';
import { toPatches } from './patches.ts';
import { gridPositions } from './positions.ts';

/**
 * How patches learn where they lie:
 * - `stretched`: a grid of any size covers the places of the `base` x `base` grid, divided by `interpolation` (1 by default)
 * - `cropped`: the middle of a table of `largest` x `largest` places, which files of weights hold; a grid of another size keeps the
 *   distance of its patches (Esser et al. 2024, arXiv:2403.03206, sec. 5.3.2)
 */
export type PatchPositions =
  | { readonly kind: 'stretched'; readonly base: number; readonly interpolation?: number }
  | { readonly kind: 'cropped'; readonly base: number; readonly largest: number };

export interface PatchEmbedConfig {
  /** "package/part", as errors begin. */
  readonly where: string;
  readonly channels: number;
  /** Features of a token; a multiple of 4. */
  readonly width: number;
  readonly patch: number;
  readonly positions: PatchPositions;
  /** How the projection starts. @default PyTorch's */
  readonly init?: LinearInit;
}

/** Names of diffusers. */
export interface PatchEmbedParams {
  readonly proj: ConvParams;
  /** [1, largest^2, width], fixed: no gradient flows to it. Only for cropped positions. */
  readonly pos_embed?: Tensor;
}

/**
 * Squares of pixels to tokens that know their place: diffusers' `PatchEmbed`. Dosovitskiy et al. 2021.
 *
 * `apply(params, x [N, channels, H, W])` gives [N, H W / patch^2, width], rows first.
 *
 * @throws UserError at `apply` when the picture has more patches along a side than the table of places
 */
export function patchEmbed(config: PatchEmbedConfig): Module<PatchEmbedParams, readonly [x: Tensor], Tensor> {
  const { channels, width, patch, positions } = config;
  const proj = scoped('proj', conv({ inputs: channels, outputs: width, kernel: patch, stride: patch, ...config.init }));
  return defineModule({
    init(generator: Generator): PatchEmbedParams {
      const params = { proj: proj.init(generator) };
      if (positions.kind === 'stretched') return params;
      const { base, largest } = positions;
      // The table of a large network takes hundreds of megabytes: only where it is asked for.
      const isTemplate = generator === shapesOnly;
      const table = isTemplate ? zeros([1, largest ** 2, width]) : gridPositions({ size: width, grid: [largest, largest], base });
      return { ...params, pos_embed: table };
    },
    apply(params: PatchEmbedParams, x: Tensor) {
      const grid = [x.shape[2]! / patch, x.shape[3]! / patch] as const;
      const { weight, bias } = params.proj;
      const tokens = matmul(toPatches(x, patch), reshape(weight, [width, channels * patch * patch]), { transposeB: true });
      return add(add(tokens, bias!), cast(placesOf(config, { grid, table: params.pos_embed }), x.dtype));
    },
  });
}

function placesOf(
  { where, width, patch, positions }: PatchEmbedConfig,
  { grid, table }: { readonly grid: readonly [number, number]; readonly table: Tensor | undefined },
): Tensor {
  if (positions.kind === 'stretched') return gridPositions({ ...positions, size: width, grid });
  const { largest } = positions;
  const [rows, columns] = grid;
  if (rows > largest || columns > largest) {
    throw new UserError(
      `[${where}] picture has more patches than places: sides=[${rows * patch}, ${columns * patch}], pos_embed_max_size=${largest}. Sides `
        + `go up to ${largest * patch}.`,
    );
  }
  const top = Math.floor((largest - rows) / 2);
  const left = Math.floor((largest - columns) / 2);
  const all = reshape(stopGradient(table!), [1, largest, largest, width]);
  const middle = slice(all, { 1: { start: top, stop: top + rows }, 2: { start: left, stop: left + columns } });
  return reshape(middle, [1, rows * columns, width]);
}
