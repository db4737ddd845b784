import { clipTextFromConfig } from '../clip-text/clip-text.ts';
import { clipTextWeightRules } from '../clip-text/weight-rules.ts';
import { defineEncoder, type EncoderPlugin, type TextEncoder } from '../define-encoder.ts';

export const clipTextProjectionEncoder: EncoderPlugin = defineEncoder({
  name: 'clip-text-projection',
  className: 'CLIPTextModelWithProjection',
  summary: "CLIP's text encoder with the projection behind it: second of SDXL, both of SD3.",
  rules: clipTextWeightRules,
  parse: (json) => clipTextFromConfig(json, { projection: 'linear' }) as TextEncoder<unknown>,
});
