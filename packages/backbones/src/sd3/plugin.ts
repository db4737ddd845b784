import type { Network } from '@langevin/core';
import { defineBackbone, type BackbonePlugin } from '../define-backbone.ts';
import { parseSd3Config, SD3 } from './config.ts';
import { sd3 } from './sd3.ts';

export const sd3Backbone: BackbonePlugin = defineBackbone({
  name: 'sd3',
  className: SD3.className,
  summary: 'Text and picture as two streams with one attention: Stable Diffusion 3 and 3.5 (Esser et al. 2024).',
  parse: (json, { init = 'torch' } = {}) => sd3(parseSd3Config(json), { init }) as Network<unknown>,
});
