import { abs, add, checkNumber, clamp, log, mean, mul, neg, readOptions, sigmoid, sub, type Tensor } from '@langevin/tensor';
import { itemAxes } from '../item-axes.ts';
import { defineReconstructionLoss, type ReconstructionLoss } from '../reconstruction-loss.ts';

export interface LogitLaplaceOptions {
  /** @default 1 */
  readonly weight?: number;
  /** How far logits lie from what the decoder gives, b of the density; DALL-E's decoder gives it too, here it is fixed. @default 1 */
  readonly scale?: number;
}

/** How far pixels are kept from 0 and 1, where logits are infinite: DALL-E's. */
const EDGE = 0.1;

/** Pixels in [-1, 1] to numbers within (0, 1), 0.1 from both ends (Ramesh et al. 2021, arXiv:2102.12092, eq. 5). */
export function mapPixels(x: Tensor): Tensor {
  return add(mul(add(x, 1), (1 - 2 * EDGE) / 2), EDGE);
}

/** The inverse of {@link mapPixels}; what lies beyond pixels becomes the nearest. */
export function unmapPixels(y: Tensor): Tensor {
  return clamp(sub(mul(sub(y, EDGE), 2 / (1 - 2 * EDGE)), 1), { min: -1, max: 1 });
}

/** Logarithm of the density at y in (0, 1): that of a Laplace distribution of logits around `location` (Ramesh et al. 2021, eq. 4). */
export function logitLaplaceDensity(y: Tensor, { location, scale }: { readonly location: Tensor; readonly scale: number }): Tensor {
  const [logY, logRest] = [log(y), log(sub(1, y))];
  const far = mul(abs(sub(sub(logY, logRest), location)), 1 / scale);
  return neg(add(add(far, add(logY, logRest)), Math.log(2 * scale)));
}

/**
 * Negative logarithm of the density of pixels whose logits have a Laplace distribution around what the decoder gives: pixels are bounded,
 * and so is this density, where that of L1 and L2 is not (Ramesh et al. 2021, arXiv:2102.12092, appendix A.3). In nats, without what does
 * not depend on the reconstruction, so that it is 0 where logits agree.
 *
 * @throws UserError for a weight below 0 or a scale that is not above 0
 * @example await numbers(logitLaplace().apply({ target: tensor([[0, 0]]), reconstruction: tensor([[1, -3]]) })); // => [2]
 */
export function logitLaplace(options: LogitLaplaceOptions = {}): ReconstructionLoss {
  const where = 'latent-ae/logit-laplace';
  const { weight = 1, scale = 1 } = readOptions(where, options, ['weight', 'scale']);
  checkNumber(where, { weight }, { atLeast: 0, atMost: 1e6 });
  checkNumber(where, { scale }, { above: 0, atMost: 1e6 });
  return defineReconstructionLoss({
    name: 'logit-laplace',
    summary: 'Absolute differences of logits of pixels, which are bounded.',
    source: 'Ramesh et al. 2021, arXiv:2102.12092, appendix A.3',
    weight,
    apply({ target, reconstruction }) {
      const y = mapPixels(target);
      const logits = sub(log(y), log(sub(1, y)));
      return mean(mul(abs(sub(logits, reconstruction)), 1 / scale), { axes: itemAxes(target) });
    },
    toPicture: (logits) => unmapPixels(sigmoid(logits)),
  });
}
