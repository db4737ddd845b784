import { broadcastTo, checkChoice, checkNumber, mul, readOptions } from '@langevin/tensor';
import { isCoded, type CodedAutoencoder } from '../coded-autoencoder.ts';
import { perplexity } from '../code-statistics.ts';
import { defineRegulariser, type Regulariser } from '../regulariser.ts';

export interface CodesOptions {
  /** How much the latent is held to its code, relative to the code to the latent. @default 0.25, van den Oord et al. 2017 */
  readonly beta?: number;
  /**
   * What `beta` is on: `'corrected'` on the latent, as the paper has it; `'legacy'` on the code, a fault of the first programs.
   *
   * @default 'corrected'
   */
  readonly placement?: 'corrected' | 'legacy';
  /** Of the pull beside the reconstruction for each element. @default 1, latent diffusion's */
  readonly weight?: number;
}

/**
 * Latents are codes of a book that gradients move: the decoder is given the nearest code, whose gradient goes to the latent as it is, and
 * code and latent are pulled together (van den Oord et al. 2017, arXiv:1711.00937, eq. 3). Codes without a book of their own, of scalar
 * quantisation, are pulled nowhere.
 *
 * @throws UserError for an option out of range
 * @example codes({ beta: 0.5 }).name; // => 'codes'
 */
export function codes(options: CodesOptions = {}): Regulariser {
  const where = 'latent-ae/codes';
  const { beta = 0.25, placement = 'corrected', weight = 1 } = readOptions(where, options, ['beta', 'placement', 'weight']);
  checkNumber(where, { beta, weight }, { atLeast: 0, atMost: 1e6 });
  checkChoice(where, { placement }, ['corrected', 'legacy']);
  return defineRegulariser({
    name: 'codes',
    summary: 'The decoder is given the nearest code of a book that gradients move.',
    source: 'van den Oord et al. 2017, arXiv:1711.00937, equation 3',
    misfit: (autoencoder) => (isCoded(autoencoder) ? undefined : 'it has no codes'),
    apply({ autoencoder, params, posterior: { mode }, elements }) {
      const coded = autoencoder as CodedAutoencoder<unknown>;
      const { latent, indices, loss } = coded.quantize(params, mode, { beta, placement });
      return {
        latent,
        // A mean over elements of the latent, as much as the reconstruction's mean over those of the item.
        penalty: broadcastTo(mul(loss, weight * elements), [mode.shape[0]!]),
        parts: { quantisation: loss, perplexity: perplexity(indices, coded.codes) },
      };
    },
  });
}
