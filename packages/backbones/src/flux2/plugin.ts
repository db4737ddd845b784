import type { Network } from '@langevin/core';
import { defineBackbone, type BackbonePlugin } from '../define-backbone.ts';
import { FLUX2 } from './config.ts';
import { flux2FromConfig } from './flux2.ts';

export const flux2Backbone: BackbonePlugin = defineBackbone({
  name: 'flux2',
  className: FLUX2.className,
  summary: 'The transformer of Flux.2 and Flux.2 klein: blocks that share their modulation, gated feed-forwards (Black Forest Labs 2025).',
  parse: (json, options = {}) => flux2FromConfig(json, options) as Network<unknown>,
});
