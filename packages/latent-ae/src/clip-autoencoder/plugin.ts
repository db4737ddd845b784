import type { Autoencoder } from '@langevin/core';
import { autoencoderKlPlugin } from '../autoencoder-kl/plugin.ts';
import { convolutionalWeightRules } from '../convolutional/weight-rules.ts';
import { defineAutoencoder, type AutoencoderPlugin } from '../define-autoencoder.ts';
import { CLIP_AUTOENCODER, clipAutoencoderFromConfig } from './clip-autoencoder.ts';

export const clipAutoencoderPlugin: AutoencoderPlugin = defineAutoencoder({
  name: 'clip-autoencoder',
  className: CLIP_AUTOENCODER.className,
  summary: 'Clips frame by frame, by the weights of an autoencoder of pictures (Blattmann et al. 2023).',
  rules: convolutionalWeightRules,
  withStatistics: autoencoderKlPlugin.withStatistics!,
  parse: (json) => clipAutoencoderFromConfig(json) as Autoencoder<unknown>,
});
