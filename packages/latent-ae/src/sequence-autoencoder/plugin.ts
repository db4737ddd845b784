import type { Autoencoder } from '@langevin/core';
import { defineAutoencoder, type AutoencoderPlugin } from '../define-autoencoder.ts';
import { SEQUENCE_AUTOENCODER } from './config.ts';
import { sequenceAutoencoderFromConfig } from './sequence-autoencoder.ts';

export const sequenceAutoencoderPlugin: AutoencoderPlugin = defineAutoencoder({
  name: 'sequence-autoencoder',
  className: SEQUENCE_AUTOENCODER.className,
  summary: 'Sequences by convolutions along one axis, with a normal posterior: sound, melodies, paths.',
  parse: (json) => sequenceAutoencoderFromConfig(json) as Autoencoder<unknown>,
});
