import type { Network } from '@langevin/core';
import { defineBackbone, type BackbonePlugin } from '../define-backbone.ts';
import { unetWeightRules } from '../unet/weight-rules.ts';
import { UNET2D_CONDITION } from './config.ts';
import { unet2dConditionFromConfig } from './unet2d-condition.ts';

export const unet2dConditionBackbone: BackbonePlugin = defineBackbone({
  name: 'unet2d-condition',
  className: UNET2D_CONDITION.className,
  summary: 'U-Net that attends to a text: Stable Diffusion 1 and 2, SDXL and its refiner, upscalers (Rombach et al. 2022).',
  rules: unetWeightRules,
  parse: (json) => unet2dConditionFromConfig(json) as Network<unknown>,
});
