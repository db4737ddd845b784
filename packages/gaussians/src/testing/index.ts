export { compareForward, compareGradients, GRADIENTS, type ForwardComparison } from './compare.ts';
export { inBothPrecisions, randomScene, uniforms, type RandomSceneOptions } from './random-scene.ts';
export { compareGolden, compareGoldenReference, type GaussiansGolden, type GaussiansGoldenCase, type GoldenArray, type GoldenArrays, type GoldenDifference } from './golden.ts';
