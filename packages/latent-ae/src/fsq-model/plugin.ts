import type { Autoencoder } from '@langevin/core';
import { convolutionalWeightRules } from '../convolutional/weight-rules.ts';
import { defineAutoencoder, type AutoencoderPlugin } from '../define-autoencoder.ts';
import { FSQ_MODEL } from './config.ts';
import { fsqModelFromConfig } from './fsq-model.ts';

export const fsqModelPlugin: AutoencoderPlugin = defineAutoencoder({
  name: 'fsq-model',
  className: FSQ_MODEL.className,
  summary: 'Codes on a grid: each channel is rounded to a few levels, and no book is learnt (Mentzer et al. 2023).',
  rules: convolutionalWeightRules,
  parse: (json) => fsqModelFromConfig(json) as Autoencoder<unknown>,
});
