// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import type { AutoencoderPlugin } from './define-autoencoder.ts';
import { autoencoderDcPlugin } from './autoencoder-dc/plugin.ts';
import { autoencoderKlPlugin } from './autoencoder-kl/plugin.ts';
import { autoencoderTinyPlugin } from './autoencoder-tiny/plugin.ts';
import { clipAutoencoderPlugin } from './clip-autoencoder/plugin.ts';
import { fsqModelPlugin } from './fsq-model/plugin.ts';
import { linearAutoencoderPlugin } from './linear-autoencoder/plugin.ts';
import { pointSetAutoencoderPlugin } from './point-set-autoencoder/plugin.ts';
import { sequenceAutoencoderPlugin } from './sequence-autoencoder/plugin.ts';
import { vqModelPlugin } from './vq-model/plugin.ts';

export * from './autoencoder-dc/index.ts';
export * from './autoencoder-kl/index.ts';
export * from './autoencoder-tiny/index.ts';
export * from './clip-autoencoder/index.ts';
export * from './fsq-model/index.ts';
export * from './linear-autoencoder/index.ts';
export * from './point-set-autoencoder/index.ts';
export * from './sequence-autoencoder/index.ts';
export * from './vq-model/index.ts';

/** The autoencoders that come with this package: one for each folder beside this file. */
export const autoencoderPlugins: readonly AutoencoderPlugin[] = [
  autoencoderDcPlugin,
  autoencoderKlPlugin,
  autoencoderTinyPlugin,
  clipAutoencoderPlugin,
  fsqModelPlugin,
  linearAutoencoderPlugin,
  pointSetAutoencoderPlugin,
  sequenceAutoencoderPlugin,
  vqModelPlugin,
];
