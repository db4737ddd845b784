export type { Backbone, BackboneInputs } from './backbone.ts';
export type { DownBlockParams, UpBlockParams } from './unet2d/blocks.ts';
export { parseUnet2dConfig, unet2dToConfig, type DownBlockType, type Unet2dConfig, type UpBlockType } from './unet2d/config.ts';
export type { StagesParams } from './unet2d/stages.ts';
export type { ClassEmbeddingParams, TimeFeaturesParams } from './unet2d/time-embedding.ts';
export { unet2d, unet2dFromConfig, type Unet2dOptions, type Unet2dParams } from './unet2d/unet2d.ts';
export { referenceUnet, type ReferenceUnetParams } from './reference-unet.ts';
