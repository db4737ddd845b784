import { zeros } from '@langevin/tensor';
import { defineRegulariser, type Regulariser } from '../regulariser.ts';

/**
 * No regulariser: the decoder is given the mode of the posterior, and nothing holds latents to a form. What is diffused over them has to
 * learn whatever form they take.
 *
 * @example none().name; // => 'none'
 */
export function none(): Regulariser {
  return defineRegulariser({
    name: 'none',
    summary: 'The decoder is given the mode; nothing holds latents to a form.',
    source: 'Hinton and Salakhutdinov 2006, doi:10.1126/science.1127647',
    apply: ({ posterior: { mode } }) => ({ latent: mode, penalty: zeros([mode.shape[0]!]), parts: {} }),
  });
}
