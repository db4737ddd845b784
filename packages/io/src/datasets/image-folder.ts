import { join } from 'node:path';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import type { Rgb } from '../images/image.ts';
import { parseWith } from '../json.ts';
import type { ResizeKernel } from '../node/images.ts';
import { imageExtensions } from '../node/images.ts';
import type { DatasetPlugin } from './dataset.ts';
import { defineDataset, memoryDataset } from './dataset.ts';
import { findFiles } from './find-files.ts';
import { kernelSchema, loadImages, rgbSchema, sizeSchema } from './load-images.ts';

export interface ImageFolderOptions {
  readonly folder: string;
  /** Width and height of every item. @default 64 */
  readonly size?: number;
  /** @default 'rgb' */
  readonly channels?: 'rgb' | 'grey';
  /** How other shapes become square: see `resizeImage`. @default 'cover', which keeps proportions and fills the frame */
  readonly fit?: 'cover' | 'contain' | 'fill';
  /** @default 'lanczos3' */
  readonly kernel?: ResizeKernel;
  /** Behind transparent pixels. @default white */
  readonly background?: Rgb;
  /** 'skip' leaves damaged files out and lists them in `skipped`. @default 'error', naming the file */
  readonly onUnreadable?: 'error' | 'skip';
}

const schema = v.strictObject({
  folder: v.pipe(v.string(), v.nonEmpty()),
  size: v.optional(sizeSchema, 64),
  channels: v.optional(v.picklist(['rgb', 'grey']), 'rgb'),
  fit: v.optional(v.picklist(['cover', 'contain', 'fill']), 'cover'),
  kernel: v.optional(kernelSchema, 'lanczos3'),
  background: v.optional(rgbSchema, () => [255, 255, 255] as [number, number, number]),
  onUnreadable: v.optional(v.picklist(['error', 'skip']), 'error'),
});

export const imageFolderDataset: DatasetPlugin<ImageFolderOptions> = defineDataset({
  name: 'image-folder',
  summary: 'PNG, JPEG and WebP files under a folder; its sub-folders are the classes.',
  parse: (options) => parseWith(schema, options, '[io/datasets] image-folder options'),
  load: async ({ folder, ...image }) => {
    const paths = await findFiles(folder, { endings: imageExtensions, where: '[io/datasets] image-folder' });
    const classOf = paths.map((path) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : null));
    const classes = [...new Set(classOf.filter((name) => name !== null))].sort();
    if (classes.length > 0 && classOf.includes(null)) {
      throw new UserError(
        `[io/datasets] image-folder ${JSON.stringify(folder)} has images both beside and inside its sub-folders `
          + `(${classes.slice(0, 3).join(', ')}), `
          + `so their class is unclear. Move ${JSON.stringify(paths[classOf.indexOf(null)])} into a sub-folder.`,
      );
    }
    const { images, imageShape, kept, skipped } = await loadImages({
      name: 'image-folder',
      paths: paths.map((path) => join(folder, path)),
      ...image,
    });
    const labelled = classes.length > 0;
    return memoryDataset({
      name: 'image-folder',
      imageShape,
      images,
      labels: Int32Array.from(kept, (i) => (labelled ? classes.indexOf(classOf[i]!) : 0)),
      classes: labelled ? classes : null,
      names: kept.map((i) => paths[i]!),
      skipped,
    });
  },
});
