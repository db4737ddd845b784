import { type Algebra, defineDenoiser, type Denoiser } from '@langevin/core';
import { arrayAlgebra } from '@langevin/core-schedules';

/**
 * A denoiser that gives every part a sampler may ask for: as if guided with weight 1, where the unconditional prediction is the
 * prediction, and with zeros for the network's second output, the middle of a learned range of variances.
 *
 * @example
 * const denoise = withParts(defineDenoiser({ nfe: 1, denoise: (x: Float64Array) => x }));
 * Object.keys(await denoise.detailed(Float64Array.of(1), sigmaLevel(1))); // => ['denoised', 'unconditional', 'variance']
 */
export function withParts<T>(
  denoise: Denoiser<T>,
  algebra: Pick<Algebra<T>, 'linear'> = arrayAlgebra() as unknown as Algebra<T>,
): Denoiser<T> {
  return defineDenoiser<T>({
    nfe: denoise.nfe,
    detailed: async (x, at) => {
      const denoised = await denoise(x, at);
      return { denoised, unconditional: denoised, variance: algebra.linear([0, x]) };
    },
  });
}
