import { join } from 'node:path';
import * as v from 'valibot';
import { isMovingWebp, readClip, sampleClip } from '../node/clips.ts';
import { identityOf, toneWords, type EmojiIdentity } from '../node/data/emoji/identity.ts';
import { readIconSet } from '../node/data/emoji/iconify.ts';
import { readEmojiNames } from '../node/data/emoji/names.ts';
import { EMOJILIB, FLUENT_LICENCE, FLUENT_MOVING, NAMES_LICENCE, TWEMOJI, TWEMOJI_LICENCE } from '../node/data/emoji/parts.ts';
import { filesByCode } from '../node/data/emoji/styles.ts';
import { drawingEntries, framesSchema, listOf, squared } from '../node/data/picture-options.ts';
import { fileVersion } from '../node/file-version.ts';
import { defineDataSource, type ClipItem } from '../sources/data-source.ts';
import { defineData, folderOf, type DataPlugin } from '../sources/define-data.ts';

export interface EmojiAnimatedOptions {
  /** Which of the four packages, of 165 to 197 MB each. @default [1] */
  readonly packages?: readonly (1 | 2 | 3 | 4)[];
  /** Width and height; the drawings are 256. @default 64 */
  readonly size?: number;
  /** Frames of each clip, evenly over its time. @default 16 */
  readonly frames?: number;
  /** @default white */
  readonly background?: string | readonly [red: number, green: number, blue: number];
}

const options = v.strictObject({
  ...drawingEntries,
  packages: v.optional(listOf(v.picklist([1, 2, 3, 4])), () => [1] as (1 | 2 | 3 | 4)[]),
  frames: v.optional(framesSchema, 16),
});

export const emojiAnimatedData: DataPlugin<EmojiAnimatedOptions, ClipItem> = defineData({
  name: 'emoji-animated',
  summary: 'Emoji in 3D that move, as clips with captions.',
  licences: [NAMES_LICENCE, FLUENT_LICENCE, TWEMOJI_LICENCE],
  options,
  parts: ({ packages }) => [EMOJILIB, TWEMOJI, ...[...new Set(packages)].map((number) => FLUENT_MOVING[number - 1]!)],
  open: async ({ packages, size, frames, background }, context) => {
    const names = await readEmojiNames(folderOf(EMOJILIB.name, context), await readIconSet(folderOf(TWEMOJI.name, context)));
    const files = [];
    for (const number of new Set(packages)) {
      const folder = join(folderOf(FLUENT_MOVING[number - 1]!.name, context), 'assets');
      files.push(...(await filesByCode(folder)).filter(({ path }) => path.toLowerCase().endsWith('.webp')));
    }
    // The packages hold pictures that stand still too.
    const moving: (EmojiIdentity & { readonly path: string; readonly codes: string })[] = [];
    const seen = new Set<string>();
    for (const { codes, path } of files) {
      const identity = identityOf(codes);
      if (identity === undefined || identity.key === '' || seen.has(codes) || !(await isMovingWebp(path))) continue;
      seen.add(codes);
      moving.push({ ...identity, path, codes });
    }
    const notes = moving.map(({ key, tones, codes }) => {
      const english = names.nameOf(key) ?? `U+${key.toUpperCase().replaceAll('-', ' U+')}`;
      const tone = toneWords(tones);
      return {
        caption: [english, tone, 'animated, 3D style'].filter((part) => part !== undefined).join(', '),
        name: `${english}${tone === undefined ? '' : `, ${tone}`} [${codes}]`,
        group: key,
        attributes: {
          style: '3d',
          skinTone: tones.length === 0 ? 'none' : tones.join(' and '),
          category: names.categoryOf(key) ?? 'Other',
          emoji: english,
          keywords: names.keywordsOf(key).join(', '),
          codePoints: key,
        },
      };
    });
    const form = { size, background, fit: 'contain', kernel: 'area' } as const;
    return defineDataSource<ClipItem>({
      name: 'emoji-animated',
      kind: 'clip',
      notes,
      contentOf: async (i) => JSON.stringify([form, frames, await fileVersion(moving[i]!.path)]),
      remarks: [`${moving.length} of ${files.length} drawings move; the others are left out`],
      load: async (i) => {
        const sampled = sampleClip(await readClip(moving[i]!.path, { background }), frames);
        return { frames: await Promise.all(sampled.frames.map((frame) => squared(frame, form))), framesPerSecond: sampled.framesPerSecond };
      },
    });
  },
});
