import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import type { Image } from '@langevin/io';

/**
 * What a picture of any size is reduced to: its mean colours in 8x8 fields, and how much neighbouring pixels differ in 4x4 fields, both in
 * units of 0..1. Not Inception's features, so never to be compared with published distances: they see colours, outlines and texture.
 */
export function featuresOf({ data, width, height, channels }: Image): Float64Array {
  const colour = (x: number, y: number, c: number): number => data[(y * width + x) * channels + Math.min(c, channels - 1)]! / 255;
  const means = new Float64Array(8 * 8 * 3);
  const texture = new Float64Array(4 * 4 * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const field = (cells: number): number => Math.floor((y * cells) / height) * cells + Math.floor((x * cells) / width);
      for (let c = 0; c < 3; c++) {
        const here = colour(x, y, c);
        means[field(8) * 3 + c]! += (here * 64) / (width * height);
        const right = x + 1 < width ? Math.abs(colour(x + 1, y, c) - here) : 0;
        const below = y + 1 < height ? Math.abs(colour(x, y + 1, c) - here) : 0;
        texture[field(4) * 3 + c]! += ((right + below) * 16) / (width * height);
      }
    }
  }
  return Float64Array.from([...means, ...texture]);
}

/** Mean and covariance of features. */
export interface FeatureStatistics {
  readonly mean: Float64Array;
  readonly covariance: Matrix;
}

export function statisticsOf(features: readonly Float64Array[]): FeatureStatistics {
  const size = features[0]!.length;
  const mean = new Float64Array(size);
  for (const row of features) row.forEach((value, i) => (mean[i]! += value / features.length));
  const centred = new Matrix(features.map((row) => Array.from(row, (value, i) => value - mean[i]!)));
  return {
    mean,
    covariance: centred
      .transpose()
      .mmul(centred)
      .div(features.length - 1),
  };
}

/** Frechet distance of two Gaussians: |m - m'|^2 + tr(C + C' - 2 (C^1/2 C' C^1/2)^1/2) (Dowson and Landau 1982). */
export function frechetDistance(a: FeatureStatistics, b: FeatureStatistics): number {
  const root = squareRoot(a.covariance);
  const inner = root.mmul(b.covariance).mmul(root);
  const cross = symmetric(inner).realEigenvalues.reduce((sum, value) => sum + Math.sqrt(Math.max(0, value)), 0);
  const means = a.mean.reduce((sum, value, i) => sum + (value - b.mean[i]!) ** 2, 0);
  return means + a.covariance.trace() + b.covariance.trace() - 2 * cross;
}

function squareRoot(matrix: Matrix): Matrix {
  const { eigenvectorMatrix, realEigenvalues } = symmetric(matrix);
  return eigenvectorMatrix
    .mmul(Matrix.diag(realEigenvalues.map((value) => Math.sqrt(Math.max(0, value)))))
    .mmul(eigenvectorMatrix.transpose());
}

function symmetric(matrix: Matrix): EigenvalueDecomposition {
  return new EigenvalueDecomposition(matrix, { assumeSymmetric: true });
}
