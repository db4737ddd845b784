export type { Edm2BlockParams } from './block.ts';
export { edm2ToConfig, parseEdm2Config, type Edm2Config } from './config.ts';
export { edm2, edm2FromConfig, type Edm2Params } from './edm2.ts';
export { edm2Backbone } from './plugin.ts';
export { edm2Presets, type Edm2PresetName } from './presets.ts';
