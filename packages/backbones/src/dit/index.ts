export type { DitBlockParams } from './block.ts';
export type { ConditioningParams } from './conditioning.ts';
export { ditToConfig, parseDitConfig, type DitConfig } from './config.ts';
export { dit, ditFromConfig, type DitOptions, type DitParams } from './dit.ts';
export { ditBackbone } from './plugin.ts';
export { ditPresets, type DitPresetName } from './presets.ts';
