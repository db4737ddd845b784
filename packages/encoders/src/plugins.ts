// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import type { EncoderPlugin } from './define-encoder.ts';
import { clipTextEncoder } from './clip-text/plugin.ts';
import { clipTextProjectionEncoder } from './clip-text-projection/plugin.ts';
import { clipVisionEncoder } from './clip-vision/plugin.ts';
import { t5Encoder } from './t5/plugin.ts';

export * from './clip-text/index.ts';
export * from './clip-text-projection/index.ts';
export * from './clip-vision/index.ts';
export * from './t5/index.ts';

/** The encoders that come with this package: one for each folder beside this file. */
export const encoderPlugins: readonly EncoderPlugin[] = [clipTextEncoder, clipTextProjectionEncoder, clipVisionEncoder, t5Encoder];
