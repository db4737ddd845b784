import type { Network } from '@langevin/core';
import { defineBackbone, type BackbonePlugin } from '../define-backbone.ts';
import { DIT, parseDitConfig } from './config.ts';
import { dit } from './dit.ts';

export const ditBackbone: BackbonePlugin = defineBackbone({
  name: 'dit',
  className: DIT.className,
  summary: 'Diffusion transformer over patches with adaLN-Zero and class labels (Peebles and Xie 2023).',
  parse: (json, { init = 'torch' } = {}) => dit(parseDitConfig(json), { init: init === 'zero' ? 'paper' : 'torch' }) as Network<unknown>,
});
