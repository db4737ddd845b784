import {
  add,
  checkNumber,
  div,
  mean,
  readOptions,
  shownValue,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  UserError,
  type Tensor,
} from '@langevin/tensor';
import { defineReconstructionLoss, type ReconstructionLoss } from '../reconstruction-loss.ts';

export interface PerceptualOptions {
  /**
   * Pictures [N, channels, H, W] in [-1, 1] to maps of features [N, features, h, w], one for each depth of a network: a function over
   * tensors, with its frozen weights inside.
   */
  readonly features: (pictures: Tensor) => readonly Tensor[];
  /** What the network is known by, such as a hash: it goes into the name, since a network that takes part in a loss may not judge. */
  readonly network: string;
  /** @default 1, latent diffusion's */
  readonly weight?: number;
}

/** Keeps features that are all 0 from dividing by zero. */
const LEAST = 1e-10;

/**
 * Distance in the features of a network: at each depth, features of each place are made unit vectors over the channels, and squared
 * differences are summed over the channels and averaged over places (after Zhang et al. 2018, arXiv:1801.03924, eq. 1, with all channels
 * of weight 1). With a network that was trained here it is this distance and no other; it is not LPIPS, which is one network with learned
 * weights of channels.
 *
 * @throws UserError when features are no function, or for a weight below 0
 * @example const corners = (x: Tensor) => [slice(x, { 3: { start: 0, stop: 1 } })];
 * perceptual({ features: corners, network: 'corners' }).name; // => 'perceptual'
 */
export function perceptual(options: PerceptualOptions): ReconstructionLoss {
  const at = 'latent-ae/perceptual';
  const { features, network, weight = 1 } = readOptions(at, options, ['features', 'network', 'weight']);
  checkNumber(at, { weight }, { atLeast: 0, atMost: 1e6 });
  if (typeof features !== 'function' || typeof network !== 'string')
    throw new UserError(
      `[${at}] there is no network to look with: features=${shownValue(features)}, network=${shownValue(network)}. `
        + 'Pass a function from pictures to maps, and what it is known by.',
    );
  return defineReconstructionLoss({
    name: 'perceptual',
    summary: `Distance in the features of ${network}.`,
    source: 'after Zhang et al. 2018, arXiv:1801.03924, equation 1',
    weight,
    apply({ target, reconstruction }) {
      const [wanted, given] = [features(stopGradient(target)), features(reconstruction)];
      return wanted.map((map, depth) => distance(stopGradient(map), given[depth]!)).reduce((total, each) => add(total, each));
    },
  });
}

function distance(a: Tensor, b: Tensor): Tensor {
  return mean(sum(square(sub(unit(a), unit(b))), { axes: [1] }), { axes: [1, 2] });
}

function unit(features: Tensor): Tensor {
  return div(features, sqrt(add(sum(square(features), { axes: [1], dims: 'keep' }), LEAST)));
}
