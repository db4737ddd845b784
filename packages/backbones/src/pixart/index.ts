export type { PixartBlockParams } from './block.ts';
export type { AdaLayerNormSingleParams } from './conditioning.ts';
export { parsePixartConfig, pixartToConfig, type PixartConfig } from './config.ts';
export { pixart, pixartFromConfig, type PixartOptions, type PixartParams } from './pixart.ts';
export { pixartBackbone } from './plugin.ts';
