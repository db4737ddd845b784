import { join } from 'node:path';
import * as v from 'valibot';
import { parseWith } from '../../../json.ts';
import { readJson } from '../../read-json.ts';

// Only what is used; the file has about twenty more fields. The pattern keeps a name inside the image folder.
const imageName = v.pipe(v.string(), v.regex(/^[0-9a-f-]+\.png$/));
const emojiFileSchema = v.array(
  v.object({
    name: v.nullish(v.string()),
    short_name: v.string(),
    image: imageName,
    category: v.string(),
    subcategory: v.string(),
    sort_order: v.number(),
    has_img_google: v.boolean(),
    skin_variations: v.optional(v.record(v.string(), v.object({ image: imageName, has_img_google: v.boolean() }))),
  }),
);
/** An emoji of the package's `emoji.json`. */
export type EmojiRecord = v.InferOutput<typeof emojiFileSchema>[number];

/**
 * The emoji of `emoji-datasource-google`, in the order of the Unicode charts; the package's own order is that of code points.
 *
 * @param root folder of the package
 */
export async function readEmojiFile(root: string): Promise<readonly EmojiRecord[]> {
  const path = join(root, 'emoji.json');
  const all = parseWith(emojiFileSchema, await readJson(path), `[io/emoji] emoji file ${JSON.stringify(path)}`);
  return all.sort((a, b) => a.sort_order - b.sort_order);
}

/** Where a drawing of 64x64 lies. */
export function emojiImagePath(root: string, file: string): string {
  return join(root, 'img', 'google', '64', file);
}

/** A picture of the package. */
export interface EmojiDrawing {
  readonly emoji: EmojiRecord;
  readonly file: string;
  readonly name: string;
}

/** In lower case. */
export function nameOf({ name, short_name: shortName }: EmojiRecord): string {
  return (name ?? shortName).toLowerCase();
}

/** An emoji as it is drawn: itself, and with each skin tone that there is. */
export function emojiDrawings(emoji: EmojiRecord, skinTones: 'include' | 'exclude'): EmojiDrawing[] {
  const name = nameOf(emoji);
  const base = emoji.has_img_google ? [{ emoji, file: emoji.image, name }] : [];
  if (skinTones === 'exclude') return base;
  const tones = Object.entries(emoji.skin_variations ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return base.concat(
    tones.filter(([, tone]) => tone.has_img_google).map(([code, tone]) => ({ emoji, file: tone.image, name: `${name} (${code})` })),
  );
}
