export type { CodebookParams, QuantizeOptions } from './codebook.ts';
export { parseVqModelConfig, vqModelToConfig, type VqModelConfig } from './config.ts';
export { vqModelPlugin } from './plugin.ts';
export { vqModel, vqModelFromConfig, type VqAutoencoder, type VqModelParams } from './vq-model.ts';
