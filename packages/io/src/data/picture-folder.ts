import { join } from 'node:path';
import * as v from 'valibot';
import { captionEntries, readCaptions } from '../node/data/captions.ts';
import { findFiles } from '../node/data/find-files.ts';
import { folderSchema, photographEntries, readPicture } from '../node/data/picture-options.ts';
import { readableFiles } from '../node/data/readable-files.ts';
import { fileVersion } from '../node/file-version.ts';
import { imageExtensions, type ResizeKernel } from '../node/images.ts';
import { defineDataSource, type PictureItem } from '../sources/data-source.ts';
import { defineData, type DataPlugin } from '../sources/define-data.ts';

export interface PictureFolderOptions {
  readonly folder: string;
  /** Width and height. @default 64 */
  readonly size?: number;
  /** @default 'rgb' */
  readonly channels?: 'rgb' | 'grey';
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
  /**
   * 'skip' reads all pictures when the folder is opened, leaves out those that cannot be read and names them in the remarks.
   * @default 'error', when such a picture is asked for
   */
  readonly onUnreadable?: 'error' | 'skip';
}

const options = v.strictObject({
  folder: folderSchema,
  ...photographEntries,
  channels: v.optional(v.picklist(['rgb', 'grey']), 'rgb'),
  ...captionEntries,
  onUnreadable: v.optional(v.picklist(['error', 'skip']), 'error'),
});

export const pictureFolderData: DataPlugin<PictureFolderOptions, PictureItem> = defineData({
  name: 'picture-folder',
  summary: 'Your pictures, with captions from .txt files beside them or a metadata.jsonl or .csv, as Hugging Face has it.',
  licences: [{ name: 'your own', attribution: 'Pictures of your folder: you know who made them' }],
  options,
  open: async ({ folder, captionColumn, uncaptioned, onUnreadable, ...form }) => {
    const all = await findFiles(folder, { endings: imageExtensions, where: '[io/data] picture-folder' });
    const captions = await readCaptions(folder, all, { captionColumn, uncaptioned });
    const captioned = [...captions.keys()];
    const read = async (file: string) => readPicture(join(folder, file), form);
    const { files, remarks } = onUnreadable === 'skip' ? await readableFiles(captioned, read) : { files: captioned, remarks: [] };
    return defineDataSource<PictureItem>({
      name: 'picture-folder',
      kind: 'picture',
      notes: files.map((file) => ({ ...captions.get(file)!, name: file })),
      load: async (i) => ({ image: await read(files[i]!) }),
      contentOf: async (i) => JSON.stringify([form, await fileVersion(join(folder, files[i]!))]),
      remarks: [
        ...(captioned.length === all.length
          ? []
          : [`${all.length - captioned.length} of ${all.length} pictures have no caption and are left out`]),
        ...remarks,
      ],
    });
  },
});
