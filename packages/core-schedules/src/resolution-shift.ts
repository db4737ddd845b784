import { checkNumber, UserError } from '@langevin/tensor';
import type { ResolutionOptions } from './flow-shift.ts';
import { defineNoiseProcess, isVariancePreserving, variancePreserving, type NoiseProcess } from './noise-process.ts';

const WHERE = 'core-schedules/resolution-shift';

/**
 * A variance-preserving process for another resolution: log SNR + 2 log(base / resolution) at every time (Hoogeboom et al. 2023,
 * arXiv:2301.11093, section 2.1), so that an image, averaged down to the base resolution, is as noisy as there.
 *
 * Time and conditioning stay; of a chain the steps stay, its betas are others.
 *
 * @throws UserError for processes that do not preserve the variance; flows have resolutionFlowShift()
 * @example
 * const shifted = resolutionShift(vpCosine(), { base: 64, resolution: 256 });
 * shifted.lambda(0.5) - vpCosine().lambda(0.5); // => -1.3863
 */
export function resolutionShift(process: NoiseProcess, { base, resolution }: ResolutionOptions): NoiseProcess {
  checkNumber(WHERE, { base }, { above: 0 });
  checkNumber(WHERE, { resolution }, { above: 0 });
  if (!isVariancePreserving(process))
    throw new UserError(
      `[${WHERE}] the shift is one of variance-preserving processes: process=${process.name}. For flows pass flow({ shift: `
        + 'resolutionFlowShift(...) }).',
    );
  const scale = base / resolution;
  const offset = Math.log(scale);
  /** What the power of (scale alpha, sigma) is before it is made 1 again. */
  const power = (t: number): number => Math.hypot(scale * process.alpha(t), process.sigma(t));
  return defineNoiseProcess({
    name: process.name,
    domain: process.domain,
    span: process.span,
    geometry: variancePreserving,
    level: (t) => ({ alpha: (scale * process.alpha(t)) / power(t), sigma: process.sigma(t) / power(t) }),
    rates: (t) => {
      const { alpha, sigma } = process.rates(t);
      return { alpha: (scale * alpha) / power(t) ** 3, sigma: (scale ** 2 * sigma) / power(t) ** 3 };
    },
    sde: (t) => {
      // Both are multiples of sigma^2 d lambda / dt, and lambda moves as before.
      const { drift, diffusion } = process.sde(t);
      return { drift: drift / power(t) ** 2, diffusion: diffusion / power(t) ** 2 };
    },
    lambda: (t) => process.lambda(t) + offset,
    time: (lambda) => process.time(lambda - offset),
    conditioning: process.conditioning,
    ...(process.steps === undefined ? {} : { steps: process.steps }),
  });
}
