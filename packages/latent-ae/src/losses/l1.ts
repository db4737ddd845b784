import { abs, checkNumber, mean, readOptions, sub } from '@langevin/tensor';
import { itemAxes } from '../item-axes.ts';
import { defineReconstructionLoss, type ReconstructionLoss } from '../reconstruction-loss.ts';

export interface L1Options {
  /** @default 1 */
  readonly weight?: number;
}

/**
 * Absolute differences: the negative logarithm of a Laplace distribution, but for a constant. Sharper than squares, as it bears outliers.
 *
 * @throws UserError for a weight below 0
 * @example await numbers(l1().apply({ target: tensor([[1, 2]]), reconstruction: tensor([[0, 4]]) })); // => [1.5]
 */
export function l1(options: L1Options = {}): ReconstructionLoss {
  const { weight = 1 } = readOptions('latent-ae/l1', options, ['weight']);
  checkNumber('latent-ae/l1', { weight }, { atLeast: 0, atMost: 1e6 });
  return defineReconstructionLoss({
    name: 'l1',
    summary: 'Absolute differences.',
    source: 'Rombach et al. 2022, arXiv:2112.10752, appendix G',
    weight,
    apply: ({ target, reconstruction }) => mean(abs(sub(target, reconstruction)), { axes: itemAxes(target) }),
  });
}
