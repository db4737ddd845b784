// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import type { AutoencoderPlugin } from './define-autoencoder.ts';
import { autoencoderKlPlugin } from './autoencoder-kl/plugin.ts';

export * from './autoencoder-kl/index.ts';

/** The autoencoders that come with this package: one for each folder beside this file. */
export const autoencoderPlugins: readonly AutoencoderPlugin[] = [autoencoderKlPlugin];
