// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import type { BackbonePlugin } from './define-backbone.ts';
import { ditBackbone } from './dit/plugin.ts';
import { unet2dBackbone } from './unet2d/plugin.ts';

export * from './dit/index.ts';
export * from './unet2d/index.ts';

/** The backbones that come with this package: one for each folder beside this file. */
export const backbonePlugins: readonly BackbonePlugin[] = [ditBackbone, unet2dBackbone];
