export { defineBackbone, type BackbonePlugin, type ParseOptions } from './define-backbone.ts';
export { joinedChannels } from './joined-channels.ts';
export { patched } from './patched.ts';
export { referenceUnet, type ReferenceUnetParams } from './reference-unet.ts';
// The networks themselves, and `backbonePlugins`
export * from './plugins.ts';
export { backboneFromConfig, findBackbone } from './registry.ts';
// Networks that steer others, and `steeringPlugins`
export { controlled, hintName, hintScaleName, type ControlledParams, type Controlling } from './steering/controlled.ts';
export {
  defineSteering,
  steeringFromConfig,
  type Steering,
  type SteeringInfo,
  type SteeringInputs,
  type SteeringPlugin,
} from './steering/define-steering.ts';
export { findSteering } from './steering/registry.ts';
export * from './steering/plugins.ts';
// Image prompts
export * from './ip-adapter/index.ts';
