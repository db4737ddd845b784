import type { Network } from '@langevin/core';
import { defineBackbone, type BackbonePlugin } from '../define-backbone.ts';
import { FLUX } from './config.ts';
import { fluxFromConfig } from './flux.ts';

export const fluxBackbone: BackbonePlugin = defineBackbone({
  name: 'flux',
  className: FLUX.className,
  summary: 'The transformer of Flux.1: streams for text and picture, then one for both, rotary positions (Black Forest Labs 2024).',
  parse: (json, options = {}) => fluxFromConfig(json, options) as Network<unknown>,
});
