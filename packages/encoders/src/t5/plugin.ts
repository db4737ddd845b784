import { defineEncoder, type EncoderPlugin, type TextEncoder } from '../define-encoder.ts';
import { t5FromConfig } from './t5.ts';
import { t5WeightRules } from './weight-rules.ts';

export const t5Encoder: EncoderPlugin = defineEncoder({
  name: 't5',
  className: 'T5EncoderModel',
  summary: 'The encoder of T5: of PixArt, Flux, Imagen, third of SD3 (Raffel et al. 2020).',
  rules: t5WeightRules,
  parse: (json) => t5FromConfig(json) as TextEncoder<unknown>,
});
