import type { Autoencoder } from '@langevin/core';
import { convolutionalWeightRules } from '../convolutional/weight-rules.ts';
import { defineAutoencoder, type AutoencoderPlugin } from '../define-autoencoder.ts';
import { VQ_MODEL } from './config.ts';
import { vqModelFromConfig } from './vq-model.ts';

export const vqModelPlugin: AutoencoderPlugin = defineAutoencoder({
  name: 'vq-model',
  className: VQ_MODEL.className,
  summary: 'A book of codes in place of a distribution: VQGAN, early latent diffusion (Esser et al. 2021).',
  rules: convolutionalWeightRules,
  parse: (json) => vqModelFromConfig(json) as Autoencoder<unknown>,
});
