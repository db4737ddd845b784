export { completeDiffitConfig, diffitToConfig, parseDiffitConfig, type DiffitConfig } from './config.ts';
export { diffit, diffitFromConfig, type DiffitOptions, type DiffitParams } from './diffit.ts';
export { diffitBackbone } from './plugin.ts';
export { timeAttention, type TimeAttentionConfig, type TimeAttentionInputs, type TimeAttentionParams } from './time-attention.ts';
