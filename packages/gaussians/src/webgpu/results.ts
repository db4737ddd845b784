import type { RenderGradients } from '../rasterizer.ts';
import { gradientLengths, type BackwardBuffers, type Sizes } from './pipeline.ts';
import type { Piece } from './session.ts';

/** The pieces that {@link gradientsFrom} takes, in its order. */
export function gradientPieces(results: BackwardBuffers, sizes: Sizes): readonly Piece[] {
  const lengths = gradientLengths(sizes);
  return (['gradients', 'features', 'camera', 'background'] as const).map((name) => ({ buffer: results[name], length: lengths[name] }));
}

/** Gradients as arrays of their own, from what the kernels wrote. */
export function gradientsFrom(pieces: readonly Float32Array[], sizes: Sizes, given: { readonly colors: boolean; readonly features: boolean; readonly shLength: number }): RenderGradients {
  const [all, features, ofCamera, ofBackground] = pieces as readonly [Float32Array, Float32Array, Float32Array, Float32Array];
  const { count } = sizes;
  const section = (from: number, to: number): Float32Array => all.slice(from * count, to * count);
  const appearance = section(15, 15 + sizes.appearanceRow);
  return {
    means: section(0, 3),
    quaternions: section(3, 7),
    logScales: section(7, 10),
    opacityLogits: section(10, 11),
    sh: given.colors ? new Float32Array(given.shLength) : appearance,
    ...(given.colors && { colors: appearance }),
    ...(given.features && { features }),
    background: backgroundSums(ofBackground, sizes),
    worldToCamera: cameraSums(ofCamera),
    means2d: section(11, 13),
    absoluteMeans2d: section(13, 15),
  };
}

/** Sums of the groups' rows of 12, in their order. */
function cameraSums(rows: Float32Array): Float32Array {
  const sums = new Float64Array(12);
  for (let i = 0; i < rows.length; i++) sums[i % 12]! += rows[i]!;
  return Float32Array.from(sums);
}

/** Sums over tiles: four channels of all tiles lie together. */
function backgroundSums(vectors: Float32Array, { tilesX, tilesY, channels }: Sizes): Float32Array {
  const sums = new Float64Array(4 * Math.ceil(channels / 4));
  const each = 4 * tilesX * tilesY;
  for (let i = 0; i < vectors.length; i++) sums[4 * Math.floor(i / each) + (i % 4)]! += vectors[i]!;
  return Float32Array.from(sums.subarray(0, channels));
}
