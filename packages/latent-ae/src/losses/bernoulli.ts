import { add, checkNumber, div, mean, mul, readOptions, sigmoid, softplus, sub } from '@langevin/tensor';
import { itemAxes } from '../item-axes.ts';
import { defineReconstructionLoss, type ReconstructionLoss } from '../reconstruction-loss.ts';

export interface BernoulliOptions {
  /** @default 1 */
  readonly weight?: number;
}

/**
 * Negative logarithm of the probability of black and white pixels, whose logits the decoder gives, in nats (Kingma and Welling 2014,
 * arXiv:1312.6114, appendix C.1). Pixels are -1 and 1; those between count as how probable 1 is.
 *
 * @throws UserError for a weight below 0
 * @example await numbers(bernoulli().apply({ target: tensor([[1, -1]]), reconstruction: tensor([[0, 0]]) })); // => [0.6931471824645996]
 */
export function bernoulli(options: BernoulliOptions = {}): ReconstructionLoss {
  const { weight = 1 } = readOptions('latent-ae/bernoulli', options, ['weight']);
  checkNumber('latent-ae/bernoulli', { weight }, { atLeast: 0, atMost: 1e6 });
  return defineReconstructionLoss({
    name: 'bernoulli',
    summary: 'Negative log-probability of black and white pixels, whose logits the decoder gives.',
    source: 'Kingma and Welling 2014, arXiv:1312.6114, appendix C.1',
    weight,
    apply: ({ target, reconstruction }) =>
      // -t log s(l) - (1 - t) log(1 - s(l)) = softplus(l) - t l, for t = (x + 1) / 2.
      mean(sub(softplus(reconstruction), mul(div(add(target, 1), 2), reconstruction)), { axes: itemAxes(target) }),
    toPicture: (logits) => sub(mul(sigmoid(logits), 2), 1),
  });
}
