import { didYouMean, UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { emojiDrawings, emojiImagePath, nameOf, readEmojiFile, type EmojiRecord } from '../node/data/emoji/google.ts';
import { GOOGLE, GOOGLE_LICENCE } from '../node/data/emoji/parts.ts';
import { drawingEntries, folderSchema, kernelSchema, listOf, readPicture, sizeSchema } from '../node/data/picture-options.ts';
import { fileVersion } from '../node/file-version.ts';
import type { ResizeKernel } from '../node/images.ts';
import { defineDataSource, type PictureItem } from '../sources/data-source.ts';
import { defineData, folderOf, type DataPlugin } from '../sources/define-data.ts';

export interface EmojiGoogleOptions {
  /** Width and height; the drawings are 64. @default 32 */
  readonly size?: number;
  /** Whether the five skin tones of a person count as emoji of their own. @default 'exclude' */
  readonly skinTones?: 'include' | 'exclude';
  /** Whether the man and the woman of an emoji that stands for any person count as emoji of their own. @default 'include' */
  readonly genders?: 'include' | 'exclude';
  /** Categories to leave out. @default Component, which holds skin colours and hair, not pictures */
  readonly excludeCategories?: readonly string[];
  /** Subcategories to leave out. @default none */
  readonly excludeSubcategories?: readonly string[];
  /** Keep only these subcategories. @default all */
  readonly onlySubcategories?: readonly string[];
  /** Behind the drawing, which is transparent around its edge: white, black, grey, #rrggbb, or three integers. @default white */
  readonly background?: string | readonly [red: number, green: number, blue: number];
  /** @default 'area': from 64 to 32 each pixel is the mean of four, and flat colours do not ring */
  readonly kernel?: ResizeKernel;
  /** Where emoji-datasource-google lies. @default the package as it is installed, else it is fetched, 74 MB */
  readonly folder?: string;
}

const names = listOf(v.string());
const options = v.strictObject({
  ...drawingEntries,
  size: v.optional(sizeSchema, 32),
  skinTones: v.optional(v.picklist(['include', 'exclude']), 'exclude'),
  genders: v.optional(v.picklist(['include', 'exclude']), 'include'),
  excludeCategories: v.optional(names, () => ['Component']),
  excludeSubcategories: v.optional(names),
  onlySubcategories: v.optional(names),
  kernel: v.optional(kernelSchema, 'area'),
  folder: v.optional(folderSchema),
});
type Options = v.InferOutput<typeof options>;

/** A sequence that adds the sign of a man or a woman, or begins with one and goes on: code points by which files are named. */
const GENDERED = /-200d-264[02]|^1f46[89]-200d/u;

export const emojiGoogleData: DataPlugin<EmojiGoogleOptions, PictureItem> = defineData({
  name: 'emoji-google',
  summary: 'The emoji of the npm package emoji-datasource-google, with name, subcategory and category.',
  licences: [GOOGLE_LICENCE],
  options,
  parts: ({ folder }) => (folder === undefined ? [GOOGLE] : []),
  open: async ({ folder, size, background, kernel, ...which }, context) => {
    const root = folder ?? folderOf(GOOGLE.name, context);
    const drawings = choose(await readEmojiFile(root), which).flatMap((emoji) => emojiDrawings(emoji, which.skinTones));
    if (drawings.length === 0) throw new UserError('[io/emoji] no emoji is left: the options exclude all. Exclude fewer.');
    const taken = new Set<string>();
    return defineDataSource<PictureItem>({
      name: 'emoji-google',
      kind: 'picture',
      notes: drawings.map(({ emoji, file, name }) => {
        // Different emoji may have one English name.
        const unique = taken.has(name) ? `${name} [${file}]` : name;
        taken.add(unique);
        const { category, subcategory } = emoji;
        return { caption: name, name: unique, group: emoji.image, attributes: { name: nameOf(emoji), subcategory, category } };
      }),
      load: async (i) => ({ image: await readPicture(emojiImagePath(root, drawings[i]!.file), { size, background, kernel, fit: 'fill' }) }),
      contentOf: async (i) => JSON.stringify([size, background, kernel, await fileVersion(emojiImagePath(root, drawings[i]!.file))]),
    });
  },
});

function choose(
  all: readonly EmojiRecord[],
  { genders, excludeCategories, excludeSubcategories = [], onlySubcategories }: Omit<Options, 'size' | 'background' | 'kernel' | 'folder'>,
): readonly EmojiRecord[] {
  const subcategories = all.map((emoji) => emoji.subcategory);
  checkKnown('excludeCategories', { given: excludeCategories, known: [...all.map((emoji) => emoji.category), 'Component'] });
  checkKnown('excludeSubcategories', { given: excludeSubcategories, known: subcategories });
  checkKnown('onlySubcategories', { given: onlySubcategories ?? [], known: subcategories });
  return all
    .filter(({ category }) => !excludeCategories.includes(category))
    .filter(({ subcategory }) => !excludeSubcategories.includes(subcategory) && (onlySubcategories?.includes(subcategory) ?? true))
    .filter(({ image }) => genders === 'include' || !GENDERED.test(image));
}

function checkKnown(option: string, { given, known }: { readonly given: readonly string[]; readonly known: readonly string[] }): void {
  const wrong = given.find((name) => !known.includes(name));
  if (wrong === undefined) return;
  const unique = [...new Set(known)].sort();
  throw new UserError(
    `[io/emoji] option names what does not exist: ${option}=${JSON.stringify(wrong)}.${didYouMean(wrong, unique)} `
      + `Known: ${unique.join(', ')}.`,
  );
}
