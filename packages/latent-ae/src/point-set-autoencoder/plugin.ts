import type { Autoencoder } from '@langevin/core';
import { defineAutoencoder, type AutoencoderPlugin } from '../define-autoencoder.ts';
import { POINT_SET_AUTOENCODER } from './config.ts';
import { pointSetAutoencoderFromConfig } from './point-set-autoencoder.ts';

export const pointSetAutoencoderPlugin: AutoencoderPlugin = defineAutoencoder({
  name: 'point-set-autoencoder',
  className: POINT_SET_AUTOENCODER.className,
  summary: 'Sets of points, whose order counts for nothing, as a few tokens (Zhang et al. 2023).',
  parse: (json) => pointSetAutoencoderFromConfig(json) as Autoencoder<unknown>,
});
