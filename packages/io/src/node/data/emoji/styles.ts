import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@langevin/tensor';
import { emojiDrawings, emojiImagePath, readEmojiFile } from './google.ts';
import type { Image, Rgb } from '../../../images/image.ts';
import { cannotRead } from '../../file-source.ts';
import { readPicture } from '../picture-options.ts';
import { identityOf, isSwatch, slugOf, splitShortTone, splitTones, type SkinTone } from './identity.ts';
import type { IconSet } from './iconify.ts';
import type { EmojiNames } from './names.ts';

/** How a drawing was recognised. */
export type Match = 'code point' | 'name' | 'none';

/** One emoji in one style. */
export interface Drawing {
  /** Code points of the emoji, or `name:` and its name where they are not known. */
  readonly key: string;
  readonly tones: readonly SkinTone[];
  readonly match: Match;
  /** What its set calls it. */
  readonly name: string | undefined;
  readonly category: string | undefined;
  readonly draw: (form: DrawingForm) => Promise<Image>;
}

export interface DrawingForm {
  readonly size: number;
  readonly background: Rgb;
}

const FORM = { fit: 'contain', kernel: 'area' } as const;

/** Files named by code points, such as `1f44b-1f3ff.webp`. */
export async function filesByCode(folder: string): Promise<readonly { readonly codes: string; readonly path: string }[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw cannotRead(folder, cause);
  });
  const files = names.sort().flatMap((name) => {
    const match = /^([0-9a-f-]+)\.(?:webp|png)$/iu.exec(name);
    return match === null ? [] : [{ codes: match[1]!, path: join(folder, name) }];
  });
  if (files.length === 0)
    throw new UserError(`[io/emoji] folder has no drawing named by code points: ${JSON.stringify(folder)}. Fetch it again.`);
  return files;
}

/** A package of pictures in `assets`. */
export async function codedDrawings(folder: string): Promise<readonly Drawing[]> {
  const files = await filesByCode(join(folder, 'assets'));
  return files.flatMap(({ codes, path }) => {
    const identity = identityOf(codes);
    if (identity === undefined || identity.key === '') return [];
    const draw = (form: DrawingForm): Promise<Image> => readPicture(path, { ...FORM, ...form });
    return [{ ...identity, match: 'code point', name: undefined, category: undefined, draw } as const];
  });
}

/** The package emoji-datasource-google. */
export async function googleDrawings(folder: string): Promise<readonly Drawing[]> {
  const emoji = await readEmojiFile(folder);
  return emoji
    .filter(({ category }) => category !== 'Component')
    .flatMap((each) => emojiDrawings(each, 'include'))
    .flatMap(({ emoji: { category }, file, name }) => {
      const identity = identityOf(file.replace(/\.png$/u, ''));
      if (identity === undefined || identity.key === '') return [];
      const draw = (form: DrawingForm): Promise<Image> => readPicture(emojiImagePath(folder, file), { ...FORM, ...form });
      return [{ ...identity, match: 'code point', name: name.replace(/ \([^)]*\)$/u, ''), category, draw } as const];
    });
}

/** An Iconify set: by code point where it tells them, else by its names. */
export function iconDrawings(set: IconSet, names: EmojiNames): readonly Drawing[] {
  return set.names.flatMap((icon) => {
    const codes = set.codes.get(icon);
    const identity = codes === undefined ? identityByName(icon, { set, names }) : { ...identityOf(codes)!, match: 'code point' as const };
    if (identity.key === '') return [];
    const category = set.categories.get(icon);
    return [{ ...identity, name: splitTones(icon).slug.replaceAll('-', ' '), category, draw: (form: DrawingForm) => set.draw(icon, form) }];
  });
}

function identityByName(
  icon: string,
  { set, names }: { readonly set: IconSet; readonly names: EmojiNames },
): Pick<Drawing, 'key' | 'tones' | 'match'> {
  if (isSwatch(icon)) return { key: '', tones: [], match: 'none' };
  const spellings = [icon, ...(set.aliases.get(icon) ?? [])];
  for (const { slug, tones } of [...spellings.map(splitTones), ...spellings.flatMap((each) => splitShortTone(each) ?? [])]) {
    const key = names.keyOf(slugOf(slug));
    if (key !== undefined) return { key, tones, match: 'name' };
  }
  const { slug, tones } = splitTones(icon);
  return { key: `name:${slug}`, tones, match: 'none' };
}
