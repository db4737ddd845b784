import { defineEncoder, type EncoderPlugin, type TextEncoder } from '../define-encoder.ts';
import { clipTextFromConfig } from './clip-text.ts';
import { clipTextWeightRules } from './weight-rules.ts';

export const clipTextEncoder: EncoderPlugin = defineEncoder({
  name: 'clip-text',
  className: 'CLIPTextModel',
  summary: "CLIP's text encoder: of Stable Diffusion 1 and 2, first of SDXL (Radford et al. 2021).",
  rules: clipTextWeightRules,
  parse: (json) => clipTextFromConfig(json) as TextEncoder<unknown>,
});
