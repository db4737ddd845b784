import type { Autoencoder } from '@langevin/core';
import { UnsupportedError } from '@langevin/tensor';
import type { BandedCoder, BandsOptions } from './convolutional/bands/index.ts';

/** An autoencoder that can be computed in bands, with the result of the whole picture at once: exact tiling. */
export interface BandedAutoencoder<Params> extends Autoencoder<Params> {
  /**
   * A coder that goes over pictures in bands of rows, layer by layer.
   *
   * @throws UserError when an option is out of range
   */
  readonly inBands: (options?: BandsOptions) => BandedCoder<Params>;
}

/**
 * The exact tiling of an autoencoder found by its configuration.
 *
 * @throws UnsupportedError for a class that has none; UserError when an option is out of range
 * @example
 * const vae = autoencoderKl({ blockOutChannels: [32], midBlockAddAttention: false });
 * const params = vae.init(torchGenerator(0));
 * const bands = inBands(vae, { pixels: 16 });
 * const [z] = [ones([1, 4, 8, 8])];
 * const [exact, whole] = [await numbers(await bands.decode(params, z)), await numbers(vae.decode(params, z))];
 * exact.every((value, i) => Math.abs(value - whole[i]!) < 1e-4); // => true
 */
export function inBands<Params>(
  autoencoder: Autoencoder<Params> | BandedAutoencoder<Params>,
  options: BandsOptions = {},
): BandedCoder<Params> {
  if ('inBands' in autoencoder) return autoencoder.inBands(options);
  throw new UnsupportedError(
    '[latent-ae/bands] autoencoder has no exact tiling: inBands=undefined. Of '
      + 'AutoencoderKL and VQModel there is one; take decodeInTiles() for '
      + 'the others.',
  );
}
