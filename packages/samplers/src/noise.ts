export { brownianTreeNoise, type BrownianTreeNoiseOptions } from './noise/brownian-tree-noise.ts';
export { imageNoise, type ImageNoiseOptions } from './noise/image-noise.ts';
export { startState, type StartOptions } from './noise/start-state.ts';
export { torchNoise } from './noise/torch-noise.ts';
