import type { Autoencoder } from '@langevin/core';
import type { Tensor } from '@langevin/tensor';
import type { QuantizeOptions } from './vq-model/codebook.ts';

/** What becomes of a latent at its nearest codes. */
export interface Quantized {
  /** The codes, of the shape of the latent; their gradient goes to it as it is (van den Oord et al. 2017, arXiv:1711.00937, sec. 3.2). */
  readonly latent: Tensor;
  /** int32 [N, ...]: one for each place of the latent. */
  readonly indices: Tensor;
  /** A number: what pulls codes and latents together, as a mean over all elements; 0 where codes are not learnt. */
  readonly loss: Tensor;
}

/** An autoencoder whose decoder is given codes: one of finitely many at each place. */
export interface CodedAutoencoder<Params> extends Autoencoder<Params> {
  /** How many codes there are. */
  readonly codes: number;
  /** The nearest codes of a latent [N, channels, ...], with what training needs. */
  readonly quantize: (params: Params, z: Tensor, options?: QuantizeOptions) => Quantized;
  /** What is decoded of codes that are codes already, [N, channels, ...]: `decode` without looking for the nearest. */
  readonly decodeQuantized: (params: Params, code: Tensor) => Tensor;
  /** What is decoded of the indices of codes, int32 [N, ...], as a model over indices makes them. */
  readonly decodeIndices: (params: Params, indices: Tensor) => Tensor;
  /** The book among the parameters, [codes, channels], and parameters with another; absent where codes are no book. */
  readonly book?: { readonly of: (params: Params) => Tensor; readonly with: (params: Params, book: Tensor) => Params };
}

/** Whether an autoencoder's decoder is given codes. */
export function isCoded<Params>(autoencoder: Autoencoder<Params>): autoencoder is CodedAutoencoder<Params> {
  return 'quantize' in autoencoder && 'decodeQuantized' in autoencoder;
}
