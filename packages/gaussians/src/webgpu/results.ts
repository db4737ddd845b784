import type { RenderGradients } from '../rasterizer.ts';
import { gradientLengths, type BackwardBuffers, type Sizes } from './pipeline.ts';
import type { Piece } from './session.ts';

type Ten = readonly [
  Float32Array,
  Float32Array,
  Float32Array,
  Float32Array,
  Float32Array,
  Float32Array,
  Float32Array,
  Float32Array,
  Float32Array,
  Float32Array,
];

/** The pieces that {@link gradientsFrom} takes, in its order. */
export function gradientPieces(results: BackwardBuffers, sizes: Sizes): readonly Piece[] {
  const { count, appearanceRow } = sizes;
  const { features, camera, background } = gradientLengths(sizes);
  return [
    { buffer: results.gradients, lengths: [3, 4, 3, 1, 2, 2, appearanceRow].map((row) => row * count) },
    { buffer: results.features, lengths: [features] },
    { buffer: results.camera, lengths: [camera] },
    { buffer: results.background, lengths: [background] },
  ];
}

/** Gradients from what came back. */
export function gradientsFrom(
  arrays: readonly Float32Array[],
  sizes: Sizes,
  given: { readonly colors: boolean; readonly features: boolean; readonly shLength: number },
): RenderGradients {
  const [means, quaternions, logScales, opacityLogits, means2d, absoluteMeans2d, appearance, features, ofCamera, ofBackground] =
    arrays as unknown as Ten;
  return {
    means,
    quaternions,
    logScales,
    opacityLogits,
    sh: given.colors ? new Float32Array(given.shLength) : appearance,
    ...(given.colors && { colors: appearance }),
    ...(given.features && { features }),
    background: backgroundSums(ofBackground, sizes),
    worldToCamera: cameraSums(ofCamera),
    means2d,
    absoluteMeans2d,
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
