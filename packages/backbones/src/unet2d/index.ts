export type { DownBlockParams, UpBlockParams } from '../unet/blocks.ts';
export { parseUnet2dConfig, unet2dToConfig, type DownBlockType, type Unet2dConfig, type UpBlockType } from './config.ts';
export type { SkipDownBlockParams, SkipUpBlockParams } from './skip-blocks.ts';
export { unet2dBackbone } from './plugin.ts';
export type { StagesParams } from '../unet/stages.ts';
export type { ClassEmbeddingParams, TimeFeaturesParams } from './time-embedding.ts';
export { unet2d, unet2dFromConfig, type Unet2dOptions, type Unet2dParams } from './unet2d.ts';
