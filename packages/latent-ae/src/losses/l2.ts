import { checkNumber, mean, readOptions, square, sub } from '@langevin/tensor';
import { itemAxes } from '../item-axes.ts';
import { defineReconstructionLoss, type ReconstructionLoss } from '../reconstruction-loss.ts';

export interface L2Options {
  /** 0.5 makes it the negative logarithm of a normal distribution of variance 1, but for a constant. @default 1 */
  readonly weight?: number;
}

/**
 * Squared differences. With it a linear autoencoder finds the principal components (Baldi and Hornik 1989,
 * doi:10.1016/0893-6080(89)90014-2).
 *
 * @throws UserError for a weight below 0
 * @example await numbers(l2().apply({ target: tensor([[1, 2]]), reconstruction: tensor([[0, 4]]) })); // => [2.5]
 */
export function l2(options: L2Options = {}): ReconstructionLoss {
  const { weight = 1 } = readOptions('latent-ae/l2', options, ['weight']);
  checkNumber('latent-ae/l2', { weight }, { atLeast: 0, atMost: 1e6 });
  return defineReconstructionLoss({
    name: 'l2',
    summary: 'Squared differences.',
    source: 'Baldi and Hornik 1989, doi:10.1016/0893-6080(89)90014-2',
    weight,
    apply: ({ target, reconstruction }) => mean(square(sub(target, reconstruction)), { axes: itemAxes(target) }),
  });
}
