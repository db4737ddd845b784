export { clipVision, clipVisionFromConfig, type ClipVisionParams } from './clip-vision.ts';
export { parseClipVisionConfig, type ClipVisionConfig } from './config.ts';
export { clipVisionEncoder } from './plugin.ts';
