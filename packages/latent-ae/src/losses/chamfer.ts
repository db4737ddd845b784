import {
  add,
  checkNumber,
  div,
  matmul,
  maximum,
  mean,
  min,
  mul,
  readOptions,
  square,
  sub,
  sum,
  expandDims,
  swapAxes,
  UserError,
  type Tensor,
} from '@langevin/tensor';
import { defineReconstructionLoss, type ReconstructionLoss } from '../reconstruction-loss.ts';

export interface ChamferOptions {
  /** @default 1 */
  readonly weight?: number;
}

/**
 * Distances between sets of points: the mean squared distance of each point to the nearest of the other set, both ways, for each coordinate
 * (Fan, Su and Guibas 2017, arXiv:1612.00603, eq. 2). Points are [N, coordinates, P]; their order counts for nothing.
 *
 * @throws UserError for a weight below 0; at `apply` for what is no set of points
 * @example
 * const [target, reconstruction] = [tensor([[[0, 2]]]), tensor([[[2, 1]]])];
 * await numbers(chamfer().apply({ target, reconstruction })); // => [1]
 */
export function chamfer(options: ChamferOptions = {}): ReconstructionLoss {
  const where = 'latent-ae/chamfer';
  const { weight = 1 } = readOptions(where, options, ['weight']);
  checkNumber(where, { weight }, { atLeast: 0, atMost: 1e6 });
  return defineReconstructionLoss({
    name: 'chamfer',
    summary: 'Squared distances of points to the nearest of the other set, both ways.',
    source: 'Fan, Su and Guibas 2017, arXiv:1612.00603, equation 2',
    weight,
    apply({ target, reconstruction }) {
      if (target.rank !== 3 || reconstruction.rank !== 3)
        throw new UserError(
          `[${where}] these are no sets of points: target=[${target.shape.join(', ')}], reconstruction=[${reconstruction.shape.join(', ')}]`
            + '. Give [N, coordinates, P].',
        );
      const apart = squaredDistances(target, reconstruction);
      const bothWays = add(mean(min(apart, { axes: [2] }), { axes: [1] }), mean(min(apart, { axes: [1] }), { axes: [1] }));
      return div(bothWays, target.shape[1]!);
    },
  });
}

/** |a - b|^2 of all pairs, [N, P, Q], of points [N, C, P] and [N, C, Q]; rounding does not bring it below 0. */
function squaredDistances(a: Tensor, b: Tensor): Tensor {
  const lengths = (points: Tensor): Tensor => sum(square(points), { axes: [1] });
  const products = matmul(swapAxes(a, 1, 2), b);
  return maximum(sub(add(expandDims(lengths(a), 2), expandDims(lengths(b), 1)), mul(products, 2)), 0);
}
