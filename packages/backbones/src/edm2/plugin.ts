import type { Network } from '@langevin/core';
import { defineBackbone, type BackbonePlugin } from '../define-backbone.ts';
import { EDM2, parseEdm2Config } from './config.ts';
import { edm2 } from './edm2.ts';

export const edm2Backbone: BackbonePlugin = defineBackbone({
  name: 'edm2',
  className: EDM2.className,
  summary: "EDM2's magnitude-preserving U-Net over noise levels with class labels (Karras et al. 2024).",
  // A fresh one gives 0 whatever is asked for.
  parse: (json) => edm2(parseEdm2Config(json)) as Network<unknown>,
});
