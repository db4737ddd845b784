import type { Autoencoder } from '@langevin/core';
import { defineAutoencoder, type AutoencoderPlugin } from '../define-autoencoder.ts';
import { LINEAR_AUTOENCODER, linearAutoencoderFromConfig } from './linear-autoencoder.ts';

export const linearAutoencoderPlugin: AutoencoderPlugin = defineAutoencoder({
  name: 'linear-autoencoder',
  className: LINEAR_AUTOENCODER.className,
  summary: 'Vectors by one linear map each way: the principal components, to measure training by (Baldi and Hornik 1989).',
  parse: (json) => linearAutoencoderFromConfig(json) as Autoencoder<unknown>,
});
