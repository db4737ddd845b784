import type { Network } from '@langevin/core';
import { defineBackbone, type BackbonePlugin } from '../define-backbone.ts';
import { parsePixartConfig, PIXART } from './config.ts';
import { pixart } from './pixart.ts';

export const pixartBackbone: BackbonePlugin = defineBackbone({
  name: 'pixart',
  className: PIXART.className,
  summary: 'Text-to-image transformer with shared modulation and cross-attention: PixArt-alpha, PixArt-sigma (Chen et al. 2023, 2024).',
  parse: (json, { init = 'torch' } = {}) => pixart(parsePixartConfig(json), { init }) as Network<unknown>,
});
