import { stopGradient } from '@langevin/tensor';
import { checkLpipsOptions, lpipsDistance, type LpipsParams } from '../lpips/lpips.ts';
import { defineReconstructionLoss, type ReconstructionLoss } from '../reconstruction-loss.ts';

export interface LpipsOptions {
  /** The published weights, from a file that you bring: `lpipsWeights`. */
  readonly params: LpipsParams;
  /** @default 1, latent diffusion's */
  readonly weight?: number;
}

/**
 * LPIPS itself: VGG16 with its published linear heads, whose weights you bring in a file (Zhang et al. 2018, arXiv:1801.03924). The
 * perceptual loss of latent diffusion. For a network of your own, `perceptual`.
 *
 * @throws UserError for a weight below 0
 * @example lpips({ params: initLpips(torchGenerator(0)), weight: 0.5 }).weight; // => 0.5
 */
export function lpips(options: LpipsOptions): ReconstructionLoss {
  const weight = checkLpipsOptions(options);
  const { params } = options;
  return defineReconstructionLoss({
    name: 'lpips',
    summary: 'LPIPS: features of VGG16, with its published linear heads, from a file.',
    source: 'Zhang et al. 2018, arXiv:1801.03924, equation 1',
    weight,
    apply: ({ target, reconstruction }) => lpipsDistance(params, { a: stopGradient(target), b: reconstruction }),
  });
}
