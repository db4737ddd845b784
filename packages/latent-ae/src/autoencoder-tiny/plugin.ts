import type { Autoencoder } from '@langevin/core';
import { defineAutoencoder, type AutoencoderPlugin } from '../define-autoencoder.ts';
import { autoencoderTinyFromConfig } from './autoencoder-tiny.ts';
import { AUTOENCODER_TINY } from './config.ts';

export const autoencoderTinyPlugin: AutoencoderPlugin = defineAutoencoder({
  name: 'autoencoder-tiny',
  className: AUTOENCODER_TINY.className,
  summary: 'Small and without a distribution, for previews and in place of a large one: TAESD and its relatives.',
  parse: (json) => autoencoderTinyFromConfig(json) as Autoencoder<unknown>,
});
