export { completeUvitConfig, parseUvitConfig, uvitToConfig, type UvitConfig } from './config.ts';
export { uVitBackbone } from './plugin.ts';
export { uvit, uvitFromConfig, type UvitOptions, type UvitParams } from './u-vit.ts';
