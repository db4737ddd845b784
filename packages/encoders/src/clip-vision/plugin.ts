import { defineEncoder, type EncoderPlugin, type ImageEncoder } from '../define-encoder.ts';
import { clipVisionFromConfig } from './clip-vision.ts';

export const clipVisionEncoder: EncoderPlugin = defineEncoder({
  name: 'clip-vision',
  className: 'CLIPVisionModelWithProjection',
  summary: "CLIP's image encoder with the projection behind it: of IP-Adapters (Radford et al. 2021).",
  rules: {
    ignored: [{ pattern: /vision_model\.embeddings\.position_ids/u, reason: 'positions are 0, 1, 2 and so on' }],
  },
  parse: (json) => clipVisionFromConfig(json) as ImageEncoder<unknown>,
});
