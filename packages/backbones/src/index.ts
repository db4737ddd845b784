export { defineBackbone, type BackbonePlugin, type ParseOptions } from './define-backbone.ts';
export { patched, pixelShuffle, pixelUnshuffle } from './patched.ts';
export { referenceUnet, type ReferenceUnetParams } from './reference-unet.ts';
// The networks themselves, and `backbonePlugins`
export * from './plugins.ts';
export { backboneFromConfig, findBackbone } from './registry.ts';
