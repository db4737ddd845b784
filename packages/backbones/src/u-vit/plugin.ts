import type { Network } from '@langevin/core';
import { defineBackbone, type BackbonePlugin } from '../define-backbone.ts';
import { UVIT } from './config.ts';
import { uvitFromConfig } from './u-vit.ts';

export const uVitBackbone: BackbonePlugin = defineBackbone({
  name: 'u-vit',
  className: UVIT.className,
  summary: 'U-ViT: time, condition and patches are tokens of one transformer, with long skips (Bao et al. 2023).',
  parse: (json, options = {}) => uvitFromConfig(json, options) as Network<unknown>,
});
