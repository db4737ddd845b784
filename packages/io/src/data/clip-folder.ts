import { readdir } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { fileVersion } from '../node/file-version.ts';
import type { Image } from '../images/image.ts';
import { clipExtensions, isMovingWebp, readClip, sampleClip, type Clip } from '../node/clips.ts';
import { captionEntries, readCaptions } from '../node/data/captions.ts';
import { findFiles } from '../node/data/find-files.ts';
import { folderSchema, framesSchema, photographEntries, squared, type PictureForm } from '../node/data/picture-options.ts';
import { imageExtensions, readImage, type ResizeKernel } from '../node/images.ts';
import { defineDataSource, type ClipItem } from '../sources/data-source.ts';
import { defineData, type DataPlugin } from '../sources/define-data.ts';

export interface ClipFolderOptions {
  /** Animated WebPs and GIFs, and sub-folders whose pictures are the frames of a clip each, in the order of their numbers. */
  readonly folder: string;
  /** Width and height. @default 64 */
  readonly size?: number;
  /** Frames of each clip, evenly over its time. @default all that a clip has */
  readonly frames?: number;
  /** Of clips that are folders of pictures. @default 12 */
  readonly framesPerSecond?: number;
  /** @default 'cover' */
  readonly fit?: 'cover' | 'contain' | 'fill';
  /** @default 'lanczos3' */
  readonly kernel?: ResizeKernel;
  /** @default white */
  readonly background?: string | readonly [red: number, green: number, blue: number];
  /** @default `text`, else `caption` */
  readonly captionColumn?: string;
  /** Clips without caption: the words of their name, left out, or an error. @default 'name' */
  readonly uncaptioned?: 'name' | 'skip' | 'refuse';
}

const options = v.strictObject({
  folder: folderSchema,
  ...photographEntries,
  ...captionEntries,
  frames: v.optional(framesSchema),
  framesPerSecond: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(240)), 12),
});

/** Films that sharp does not read. */
const FILMS = ['.mp4', '.webm', '.mov', '.mkv', '.avi'];

export const clipFolderData: DataPlugin<ClipFolderOptions, ClipItem> = defineData({
  name: 'clip-folder',
  summary: 'Your clips: animated WebPs and GIFs, and folders of numbered pictures, with captions as for picture-folder.',
  licences: [{ name: 'your own', attribution: 'Clips of your folder: you know who made them' }],
  options,
  open: async ({ folder, captionColumn, uncaptioned, frames, framesPerSecond, ...form }) => {
    const found = await findClips(folder);
    const captions = await readCaptions(folder, [...found.clips.keys()], { captionColumn, uncaptioned });
    const names = [...captions.keys()];
    return defineDataSource<ClipItem>({
      name: 'clip-folder',
      kind: 'clip',
      notes: names.map((name) => ({ ...captions.get(name)!, name })),
      load: async (i) => readFrames(found.clips.get(names[i]!)!, { folder, frames, framesPerSecond, form }),
      contentOf: async (i) => {
        const files = found.clips.get(names[i]!)!;
        const versions = await Promise.all(files.map((file) => fileVersion(join(folder, file))));
        return JSON.stringify([form, frames, framesPerSecond, files, versions]);
      },
      remarks: [
        ...(found.films.length === 0
          ? []
          : [
              `${found.films.length} films are left out, ${found.films[0]} the first; make a clip of each: ffmpeg -i film.mp4 -loop 0 `
                + 'film.webp',
            ]),
        ...(names.length === found.clips.size
          ? []
          : [`${found.clips.size - names.length} of ${found.clips.size} clips have no caption and are left out`]),
      ],
    });
  },
});

/** Clips by name, each one file, or the files of its frames. */
interface Found {
  readonly clips: ReadonlyMap<string, readonly string[]>;
  readonly films: readonly string[];
}

async function findClips(folder: string): Promise<Found> {
  const endings = [...new Set([...clipExtensions, ...imageExtensions, ...FILMS])];
  const files = await findFiles(folder, { endings, where: '[io/data] clip-folder' });
  const ending = (file: string): string => extname(file).toLowerCase();
  const films = files.filter((file) => FILMS.includes(ending(file)));
  const clips = new Map<string, readonly string[]>();
  const frames = new Map<string, string[]>();
  for (const file of files) {
    if (FILMS.includes(ending(file))) continue;
    if (ending(file) === '.gif' || (ending(file) === '.webp' && (await isMovingWebp(join(folder, file))))) clips.set(file, [file]);
    // What lies beside the clips themselves is no frame of one.
    else if (dirname(file) !== '.') frames.set(dirname(file), [...(frames.get(dirname(file)) ?? []), file]);
  }
  for (const [name, of] of frames) clips.set(name, of.sort(byNumber));
  if (clips.size === 0) {
    const there = (await readdir(folder)).slice(0, 3).join(', ');
    throw new UserError(
      `[io/data] folder has no clip: ${JSON.stringify(folder)}, there is ${there}. Put animated WebPs or GIFs there, or sub-folders of `
        + 'numbered pictures; of films, ffmpeg makes them: ffmpeg -i film.mp4 -loop 0 film.webp',
    );
  }
  return { clips: new Map([...clips].sort(([a], [b]) => (a < b ? -1 : 1))), films };
}

/** `frame-9.png` before `frame-10.png`. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1);
}

async function readFrames(
  files: readonly string[],
  {
    folder,
    frames,
    framesPerSecond,
    form,
  }: { readonly folder: string; readonly frames: number | undefined; readonly framesPerSecond: number; readonly form: PictureForm },
): Promise<{ readonly frames: readonly Image[]; readonly framesPerSecond: number }> {
  const [first] = files;
  const clip: Clip =
    files.length === 1 && clipExtensions.includes(extname(first!).toLowerCase())
      ? await readClip(join(folder, first!), { background: form.background })
      : await ofPictures(files, { folder, framesPerSecond, form });
  const sampled = sampleClip(clip, frames);
  return { frames: await Promise.all(sampled.frames.map((frame) => squared(frame, form))), framesPerSecond: sampled.framesPerSecond };
}

async function ofPictures(
  files: readonly string[],
  { folder, framesPerSecond, form }: { readonly folder: string; readonly framesPerSecond: number; readonly form: PictureForm },
): Promise<Clip> {
  const frames: Image[] = [];
  // Squared at once, so that a long clip of large photographs stays small.
  for (const file of files) frames.push(await squared(await readImage(join(folder, file), { background: form.background }), form));
  return { frames, delays: files.map(() => 1000 / framesPerSecond) };
}
