import type { Network } from '@langevin/core';
import { defineBackbone, type BackbonePlugin } from '../define-backbone.ts';
import { DIFFIT } from './config.ts';
import { diffitFromConfig } from './diffit.ts';

export const diffitBackbone: BackbonePlugin = defineBackbone({
  name: 'diffit',
  className: DIFFIT.className,
  summary: 'DiffiT of pictures: a U-shape whose attention within windows depends on time (Hatamizadeh et al. 2023).',
  parse: (json, options = {}) => diffitFromConfig(json, options) as Network<unknown>,
});
