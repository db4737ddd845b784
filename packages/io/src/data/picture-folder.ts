import { join } from 'node:path';
import * as v from 'valibot';
import { findFiles } from '../datasets/find-files.ts';
import { captionEntries, readCaptions } from '../node/data/captions.ts';
import { folderSchema, photographEntries, readPicture } from '../node/data/picture-options.ts';
import { imageExtensions, type ResizeKernel } from '../node/images.ts';
import { defineDataSource, type PictureItem } from '../sources/data-source.ts';
import { defineData, type DataPlugin } from '../sources/define-data.ts';

export interface PictureFolderOptions {
  readonly folder: string;
  /** Width and height. @default 64 */
  readonly size?: number;
  /** How other shapes become square: see `resizeImage`. @default 'cover', which keeps proportions and fills the frame */
  readonly fit?: 'cover' | 'contain' | 'fill';
  /** @default 'lanczos3' */
  readonly kernel?: ResizeKernel;
  /** Behind transparent pixels. @default white */
  readonly background?: string | readonly [red: number, green: number, blue: number];
  /** Column of `metadata.jsonl` or `metadata.csv` that is the caption. @default `text`, else `caption` */
  readonly captionColumn?: string;
  /** Pictures without caption: the words of their name, left out, or an error. @default 'name' */
  readonly uncaptioned?: 'name' | 'skip' | 'refuse';
}

const options = v.strictObject({ folder: folderSchema, ...photographEntries, ...captionEntries });

export const pictureFolderData: DataPlugin<PictureFolderOptions, PictureItem> = defineData({
  name: 'picture-folder',
  summary: 'Your pictures, with captions from .txt files beside them or a metadata.jsonl or .csv, as Hugging Face has it.',
  licences: [{ name: 'your own', attribution: 'Pictures of your folder: you know who made them' }],
  options,
  open: async ({ folder, captionColumn, uncaptioned, ...form }) => {
    const all = await findFiles(folder, { endings: imageExtensions, where: '[io/data] picture-folder' });
    const captions = await readCaptions(folder, all, { captionColumn, uncaptioned });
    const files = [...captions.keys()];
    return defineDataSource<PictureItem>({
      name: 'picture-folder',
      kind: 'picture',
      notes: files.map((file) => ({ ...captions.get(file)!, name: file })),
      load: async (i) => ({ image: await readPicture(join(folder, files[i]!), form) }),
      remarks:
        files.length === all.length ? [] : [`${all.length - files.length} of ${all.length} pictures have no caption and are left out`],
    });
  },
});
