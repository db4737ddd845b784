import { didYouMean, UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { identityOf, toneWords } from '../node/data/emoji/identity.ts';
import { readIconSet, type IconSet } from '../node/data/emoji/iconify.ts';
import { readEmojiNames, type EmojiNames } from '../node/data/emoji/names.ts';
import {
  EMOJILIB,
  FLUENT_3D,
  FLUENT_FLAT,
  FLUENT_LICENCE,
  GOOGLE,
  GOOGLE_LICENCE,
  NAMES_LICENCE,
  NOTO_V1,
  TWEMOJI,
  TWEMOJI_LICENCE,
} from '../node/data/emoji/parts.ts';
import { codedDrawings, googleDrawings, iconDrawings, type Drawing } from '../node/data/emoji/styles.ts';
import { drawingEntries, listOf } from '../node/data/picture-options.ts';
import { defineDataSource, type ItemNotes, type PictureItem } from '../sources/data-source.ts';
import { defineData, folderOf, type DataPlugin, type OpenContext, type PackagePart } from '../sources/define-data.ts';

interface Style {
  /** As captions say it. */
  readonly words: string;
  readonly part: PackagePart;
  readonly read: (
    folder: string,
    known: { readonly names: EmojiNames; readonly sets: ReadonlyMap<string, IconSet> },
  ) => Promise<readonly Drawing[]>;
}

const iconify = async (folder: string, { names, sets }: { readonly names: EmojiNames; readonly sets: ReadonlyMap<string, IconSet> }) =>
  iconDrawings(sets.get(folder) ?? (await readIconSet(folder)), names);

const STYLES = {
  flat: { words: 'flat style', part: FLUENT_FLAT, read: iconify },
  '3d': { words: '3D style', part: FLUENT_3D, read: codedDrawings },
  twemoji: { words: 'Twitter style', part: TWEMOJI, read: iconify },
  noto: { words: 'old Android style', part: NOTO_V1, read: iconify },
  google: { words: 'Google style', part: GOOGLE, read: googleDrawings },
} as const satisfies Readonly<Record<string, Style>>;

export type EmojiStyle = keyof typeof STYLES;
const STYLE_NAMES = Object.keys(STYLES) as EmojiStyle[];

export interface EmojiDataOptions {
  /** Which drawings. @default flat, 3d, twemoji and noto: `google` is 74 MB to fetch, unless `emoji-datasource-google` is installed */
  readonly styles?: readonly EmojiStyle[];
  /** Width and height. @default 64 */
  readonly size?: number;
  /** Behind the drawing: white, black, grey, #rrggbb, or three integers. @default white */
  readonly background?: string | readonly [red: number, green: number, blue: number];
  /** Whether skin tones count as pictures of their own. @default 'include' */
  readonly skinTones?: 'include' | 'exclude';
  /** Only these categories, such as `Animals & Nature`. @default all */
  readonly categories?: readonly string[];
  /** How many keywords follow the name in a caption. @default 0 */
  readonly keywords?: number;
}

const options = v.strictObject({
  ...drawingEntries,
  styles: v.optional(
    v.pipe(
      listOf(v.picklist(STYLE_NAMES)),
      v.check((names) => new Set(names).size === names.length, 'styles without repeats'),
    ),
    () => ['flat', '3d', 'twemoji', 'noto'] as EmojiStyle[],
  ),
  skinTones: v.optional(v.picklist(['include', 'exclude']), 'include'),
  categories: v.optional(listOf(v.string())),
  keywords: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(20)), 0),
});
type Options = v.InferOutput<typeof options>;

export const emojiData: DataPlugin<EmojiDataOptions, PictureItem> = defineData({
  name: 'emoji',
  summary: 'Emoji in several styles with captions, skin tones and categories.',
  licences: [
    NAMES_LICENCE,
    FLUENT_LICENCE,
    TWEMOJI_LICENCE,
    {
      name: 'Apache-2.0',
      attribution: 'Noto Emoji (v1) by Google, packed by Iconify',
      url: 'https://github.com/googlefonts/noto-emoji/blob/main/svg/LICENSE',
      parts: [NOTO_V1.name],
    },
    GOOGLE_LICENCE,
  ],
  options,
  parts: ({ styles }) => [...new Set<PackagePart>([EMOJILIB, TWEMOJI, ...styles.map((style) => STYLES[style].part)])],
  open: async (chosen, context) => {
    const index = await readIconSet(folderOf(TWEMOJI.name, context));
    const names = await readEmojiNames(folderOf(EMOJILIB.name, context), index);
    const read = await readStyles(chosen, { context, names, index });
    const items = arranged(
      read.flatMap(({ items: each }) => each),
      { chosen, names },
    );
    const notes = notesOf(items, { names, keywords: chosen.keywords });
    const { size, background } = chosen;
    return defineDataSource<PictureItem>({
      name: 'emoji',
      kind: 'picture',
      notes,
      load: async (i) => ({ image: await items[i]!.drawing.draw({ size, background }) }),
      contentOf: (i) => JSON.stringify([(STYLES[items[i]!.style] as Style).part.integrity, size, background]),
      remarks: read.map(({ remark }) => remark),
    });
  },
});

interface Drawn {
  readonly style: EmojiStyle;
  readonly drawing: Drawing;
  readonly category: string;
}

interface Known {
  readonly context: OpenContext;
  readonly names: EmojiNames;
  readonly index: IconSet;
}

async function readStyles(
  { styles }: Options,
  { context, names, index }: Known,
): Promise<readonly { readonly items: readonly Drawn[]; readonly remark: string }[]> {
  const sets = new Map([[folderOf(TWEMOJI.name, context), index]]);
  const result = [];
  for (const style of styles) {
    const { part, read } = STYLES[style] as Style;
    const all = await read(folderOf(part.name, context), { names, sets });
    // A set may hold one emoji under two spellings of its code points.
    const unique = [
      ...new Map([...all].reverse().map((drawing) => [`${drawing.key} ${drawing.tones.join()}`, drawing])).values(),
    ].reverse();
    const count = (match: Drawing['match']): number => unique.filter((drawing) => drawing.match === match).length;
    const parts = [
      `${count('code point')} known by code point`,
      `${count('name')} by name`,
      `${count('none')} by nothing but their own name`,
    ];
    const twice = all.length - unique.length;
    result.push({
      items: unique.map((drawing) => ({ style, drawing, category: names.categoryOf(drawing.key) ?? drawing.category ?? 'Other' })),
      remark: [
        `${style}: ${unique.length} drawings`,
        ...parts,
        ...(twice === 0 ? [] : [`${twice} left out, the same emoji a second time`]),
      ].join(', '),
    });
  }
  return result;
}

/** Emoji by emoji in the order of the charts, each with its tones and these with their styles. */
function arranged(all: readonly Drawn[], { chosen, names }: { readonly chosen: Options; readonly names: EmojiNames }): readonly Drawn[] {
  const { categories, skinTones } = chosen;
  const known = [...new Set(all.map(({ category }) => category))].sort();
  const wrong = categories?.find((category) => !known.includes(category));
  if (wrong !== undefined)
    throw new UserError(`[io/emoji] unknown category: ${JSON.stringify(wrong)}.${didYouMean(wrong, known)} Known: ${known.join(', ')}.`);
  const orderOf = ({ drawing: { key } }: Drawn): number => names.orderOf(key);
  const textOf = ({ drawing: { key, tones } }: Drawn): string => `${key} ${tones.join()}`;
  return all
    .filter(({ category, drawing }) => (categories?.includes(category) ?? true) && (skinTones === 'include' || drawing.tones.length === 0))
    .map((item, at) => ({ item, at }))
    .sort((a, b) => orderOf(a.item) - orderOf(b.item) || compare(textOf(a.item), textOf(b.item)) || a.at - b.at)
    .map(({ item }) => item);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function notesOf(
  items: readonly Drawn[],
  { names, keywords }: { readonly names: EmojiNames; readonly keywords: number },
): readonly ItemNotes[] {
  const taken = new Set<string>();
  return items.map(({ style, category, drawing: { key, tones, name } }) => {
    const english = names.nameOf(key) ?? name ?? `U+${key.toUpperCase().replaceAll('-', ' U+')}`;
    const tone = toneWords(tones);
    const words = names.keywordsOf(key);
    const caption = [english, tone, ...words.slice(0, keywords), STYLES[style].words].filter((part) => part !== undefined).join(', ');
    const plain = `${english}${tone === undefined ? '' : `, ${tone}`} (${style})`;
    // Different emoji may have one English name.
    const unique = taken.has(plain) ? `${plain} [${key}]` : plain;
    taken.add(unique);
    return {
      caption,
      name: unique,
      group: key,
      attributes: {
        style,
        skinTone: tones.length === 0 ? 'none' : tones.join(' and '),
        category,
        emoji: english,
        keywords: words.join(', '),
        ...(identityOf(key) !== undefined && { codePoints: key }),
      },
    };
  });
}
