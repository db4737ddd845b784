export { clipText, clipTextFromConfig, type ClipTextOptions, type ClipTextParams } from './clip-text.ts';
export { parseClipTextConfig, type ClipTextConfig } from './config.ts';
export { clipTextEncoder } from './plugin.ts';
