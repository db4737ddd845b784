import type { Autoencoder } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { autoencoderKl, type AutoencoderKlParams } from '../autoencoder-kl/autoencoder-kl.ts';
import { AUTOENCODER_KL, autoencoderKlToConfig, parseAutoencoderKlConfig, type AutoencoderKlConfig } from '../autoencoder-kl/config.ts';
import { framewise } from './framewise.ts';

export const CLIP_AUTOENCODER = { where: 'latent-ae/clip-autoencoder', className: 'ClipAutoencoder' } as const;

/**
 * An autoencoder of clips [N, inChannels, T, H, W]: {@link autoencoderKl} frame by frame, with its configuration and its parameters. For
 * clips by another autoencoder of pictures take {@link framewise}.
 *
 * @throws UserError when the configuration is inconsistent, or at `encode` and `decode` when shapes do not fit
 * @example const { latentShape } = clipAutoencoder({ blockOutChannels: [8], normNumGroups: 2 });
 * latentShape([2, 3, 5, 16, 8]); // => [2, 4, 5, 16, 8]
 */
export function clipAutoencoder(config: Partial<AutoencoderKlConfig> = {}): Autoencoder<AutoencoderKlParams> {
  return framewise(autoencoderKl(config));
}

/** {@link clipAutoencoder} from a parsed `config.json`. @throws UserError naming the entry that is wrong */
export function clipAutoencoderFromConfig(json: unknown): Autoencoder<AutoencoderKlParams> {
  const { where, className } = CLIP_AUTOENCODER;
  const { _class_name: named, ...rest } = readOptions<Readonly<Record<string, unknown>>>(where, json as Readonly<Record<string, unknown>>);
  const ofPictures = named === className ? AUTOENCODER_KL.className : named;
  return clipAutoencoder(parseAutoencoderKlConfig({ ...rest, ...(ofPictures !== undefined && { _class_name: ofPictures }) }));
}

/** The content of `config.json`. */
export function clipAutoencoderToConfig(config: Partial<AutoencoderKlConfig>): Readonly<Record<string, unknown>> {
  return { ...autoencoderKlToConfig(config), _class_name: CLIP_AUTOENCODER.className };
}
