import { checkNumber, mean, mul, readOptions, tensor, type Tensor } from '@langevin/tensor';
import { defineRegulariser, type Regulariser } from '../regulariser.ts';

export interface KlOptions {
  /** Of the divergence beside the reconstruction, both in nats. 1 is the evidence bound. @default 1e-6, latent diffusion's */
  readonly weight?: number;
  /** Steps over which the weight rises from 0. @default 0 */
  readonly warmUp?: number;
}

/**
 * The divergence of the posterior from N(0, I), weighed: z = mean + sigma noise, penalty = weight KL(q(z | x) || N(0, I)) (Kingma and
 * Welling 2014, arXiv:1312.6114, eq. 10; the weak weight is Rombach et al. 2022, arXiv:2112.10752, appendix G). A weak one keeps latents
 * from growing without bound, and does not make them normal.
 *
 * @throws UserError for a weight below 0
 * @example kl({ weight: 1 }).name; // => 'kl'
 */
export function kl(options: KlOptions = {}): Regulariser {
  const where = 'latent-ae/kl';
  const { weight = 1e-6, warmUp = 0 } = readOptions(where, options, ['weight', 'warmUp']);
  checkNumber(where, { weight }, { atLeast: 0, atMost: 1e6 });
  checkNumber(where, { warmUp }, { atLeast: 0, atMost: 1e9, kind: 'integer' });
  return defineRegulariser({
    name: 'kl',
    summary: 'Latents are drawn from the posterior, whose divergence from N(0, I) is weighed.',
    source: 'Kingma and Welling 2014, arXiv:1312.6114, equation 10',
    inputs: ({ step, latentShape, random }) => ({
      weight: warmUp === 0 ? weight : weight * Math.min(1, step / warmUp),
      noise: tensor(random('posterior').normal(latentShape.reduce((size, n) => size * n, 1)), { shape: latentShape }),
    }),
    misfit: (_, { divergence }) => (divergence === undefined ? 'its posteriors have no divergence' : undefined),
    apply: ({ posterior: { sample, divergence }, inputs }) => ({
      latent: sample(inputs['noise'] as Tensor),
      penalty: mul(divergence!, inputs['weight']!),
      parts: { kl: mean(divergence!) },
    }),
  });
}
