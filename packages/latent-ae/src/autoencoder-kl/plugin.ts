import type { Autoencoder } from '@langevin/core';
import { defineAutoencoder, type AutoencoderPlugin } from '../define-autoencoder.ts';
import { autoencoderKlFromConfig } from './autoencoder-kl.ts';
import { AUTOENCODER_KL } from './config.ts';
import { convolutionalWeightRules } from '../convolutional/weight-rules.ts';

export const autoencoderKlPlugin: AutoencoderPlugin = defineAutoencoder({
  name: 'autoencoder-kl',
  className: AUTOENCODER_KL.className,
  summary: 'Normal posterior, for latent diffusion: Stable Diffusion, SDXL, SD3, Flux (Rombach et al. 2022).',
  rules: convolutionalWeightRules,
  withStatistics: (config, { mean, std }) => ({
    ...config,
    latents_mean: [...mean],
    latents_std: [...std],
    scaling_factor: 1,
    shift_factor: 0,
  }),
  parse: (json) => autoencoderKlFromConfig(json) as Autoencoder<unknown>,
});
