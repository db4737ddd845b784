import { type Algebra, defineDenoiser, type Denoiser, type NoiseLevels } from '@langevin/core';
import { convertPrediction } from './prediction.ts';

/** The gradient of log density of noisy states: -E[epsilon | x] / sigma. */
export type Score<T> = (x: T, at: NoiseLevels) => Promise<T>;

/**
 * The score that a denoiser implies: (alpha D - x) / sigma^2, Tweedie's formula read backwards.
 *
 * @throws UserError from the score, at sigma = 0
 * @example
 * const denoise = defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x.map(() => 0) });
 * const score = scoreOf({ denoise, algebra: arrayAlgebra() });
 * await score(Float64Array.of(2), { alpha: 1, sigma: 2 }); // => [-0.5]
 */
export function scoreOf<T>({ denoise, algebra }: { readonly denoise: Denoiser<T>; readonly algebra: Algebra<NoInfer<T>> }): Score<T> {
  return async (x, at) => convertPrediction({ algebra, x, prediction: await denoise(x, at), from: 'x0', to: 'score', at });
}

/**
 * Tweedie's formula: E[x0 | x] = (x + sigma^2 score) / alpha (Robbins 1956; Efron 2011), the denoiser that a score implies.
 *
 * @throws UserError from the denoiser, at alpha = 0
 * @example
 * // The score of N(0, 1 + sigma^2), the noisy marginal of unit data.
 * const score = async (x: Float64Array, at: NoiseLevels) => x.map((value) => -value / (1 + (at as NoiseLevel).sigma ** 2));
 * await denoiserOfScore({ score, algebra: arrayAlgebra() })(Float64Array.of(2), sigmaLevel(1)); // => [1]
 */
export function denoiserOfScore<T>({ score, algebra }: { readonly score: Score<T>; readonly algebra: Algebra<NoInfer<T>> }): Denoiser<T> {
  return defineDenoiser<T>({
    nfe: 1,
    denoise: async (x, at) => convertPrediction({ algebra, x, prediction: await score(x, at), from: 'score', to: 'x0', at }),
  });
}
