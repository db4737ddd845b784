import type { Network } from '@langevin/core';
import { defineBackbone, type BackbonePlugin } from '../define-backbone.ts';
import { unetWeightRules } from '../unet/weight-rules.ts';
import { parseUnet2dConfig, UNET2D } from './config.ts';
import { unet2d } from './unet2d.ts';

export const unet2dBackbone: BackbonePlugin = defineBackbone({
  name: 'unet2d',
  className: UNET2D.className,
  summary:
    'U-Net of residual blocks and attention over pixels: DDPM, ADM, NCSN++ (Ho et al. 2020; Dhariwal and Nichol 2021; Song et al. 2021).',
  rules: unetWeightRules,
  parse: (json, { init = 'torch' } = {}) => unet2d(parseUnet2dConfig(json), { init }) as Network<unknown>,
});
