export { compareForward, compareGradients, GRADIENTS, type ForwardComparison } from './compare.ts';
export { inBothPrecisions, randomScene, uniforms, type RandomSceneOptions } from './random-scene.ts';
