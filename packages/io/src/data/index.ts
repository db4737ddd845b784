// Made by tooling/scripts/generate-registry.mjs from the files of this folder. Do not edit.
import type { DataPlugin } from '../sources/define-data.ts';
import { captionedShapesData } from './captioned-shapes.ts';
import { cifar10Data } from './cifar10.ts';
import { clipFolderData } from './clip-folder.ts';
import { emojiData } from './emoji.ts';
import { emojiAnimatedData } from './emoji-animated.ts';
import { emojiGoogleData } from './emoji-google.ts';
import { idxData } from './idx.ts';
import { mnistData } from './mnist.ts';
import { movingMnistData } from './moving-mnist.ts';
import { pictureFolderData } from './picture-folder.ts';

export * from './captioned-shapes.ts';
export * from './cifar10.ts';
export * from './clip-folder.ts';
export * from './emoji.ts';
export * from './emoji-animated.ts';
export * from './emoji-google.ts';
export * from './idx.ts';
export * from './mnist.ts';
export * from './moving-mnist.ts';
export * from './picture-folder.ts';

/** The data sets that come with this package: one for each file of this folder. */
export const dataPlugins: readonly DataPlugin<never>[] = [
  captionedShapesData,
  cifar10Data,
  clipFolderData,
  emojiData,
  emojiAnimatedData,
  emojiGoogleData,
  idxData,
  mnistData,
  movingMnistData,
  pictureFolderData,
];
