export type { BlockAttentionParams } from './body.ts';
export { parseUnet2dConditionConfig, unet2dConditionToConfig, type Unet2dConditionConfig } from './config.ts';
export type { EmbeddingsParams } from './embeddings.ts';
export { unet2dConditionBackbone } from './plugin.ts';
export { adapterName, controlName } from './residuals.ts';
export { unet2dCondition, unet2dConditionFromConfig, type Unet2dCondition, type Unet2dConditionParams } from './unet2d-condition.ts';
