export { controlNetToConfig, parseControlNetConfig, type ControlNetConfig } from './config.ts';
export { controlNet, controlNetFromConfig, guessStrengths, type ControlNetParams } from './controlnet.ts';
export type { HintEmbeddingParams } from './hint-embedding.ts';
export { controlNetPlugin } from './plugin.ts';
