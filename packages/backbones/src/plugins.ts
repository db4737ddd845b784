// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import type { BackbonePlugin } from './define-backbone.ts';
import { diffitBackbone } from './diffit/plugin.ts';
import { ditBackbone } from './dit/plugin.ts';
import { edm2Backbone } from './edm2/plugin.ts';
import { fluxBackbone } from './flux/plugin.ts';
import { flux2Backbone } from './flux2/plugin.ts';
import { pixartBackbone } from './pixart/plugin.ts';
import { sd3Backbone } from './sd3/plugin.ts';
import { uVitBackbone } from './u-vit/plugin.ts';
import { unet2dBackbone } from './unet2d/plugin.ts';
import { unet2dConditionBackbone } from './unet2d-condition/plugin.ts';

export * from './diffit/index.ts';
export * from './dit/index.ts';
export * from './edm2/index.ts';
export * from './flux/index.ts';
export * from './flux2/index.ts';
export * from './pixart/index.ts';
export * from './sd3/index.ts';
export * from './u-vit/index.ts';
export * from './unet2d/index.ts';
export * from './unet2d-condition/index.ts';

/** The backbones that come with this package: one for each folder beside this file. */
export const backbonePlugins: readonly BackbonePlugin[] = [
  diffitBackbone,
  ditBackbone,
  edm2Backbone,
  fluxBackbone,
  flux2Backbone,
  pixartBackbone,
  sd3Backbone,
  uVitBackbone,
  unet2dBackbone,
  unet2dConditionBackbone,
];
