import type { Autoencoder } from '@langevin/core';
import { defineAutoencoder, type AutoencoderPlugin } from '../define-autoencoder.ts';
import { autoencoderDcFromConfig } from './autoencoder-dc.ts';
import { AUTOENCODER_DC } from './config.ts';

export const autoencoderDcPlugin: AutoencoderPlugin = defineAutoencoder({
  name: 'autoencoder-dc',
  className: AUTOENCODER_DC.className,
  summary: 'Deep compression, sides 32 to 128 times smaller: SANA (Chen et al. 2024).',
  rules: { ignored: [{ pattern: /.*\.num_batches_tracked/u, reason: 'a count of training steps' }] },
  parse: (json) => autoencoderDcFromConfig(json) as Autoencoder<unknown>,
});
