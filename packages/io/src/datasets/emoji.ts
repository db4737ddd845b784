import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UnsupportedError, UserError } from '@langevin/tensor';
import * as v from 'valibot';
import type { Rgb } from '../images/image.ts';
import { parseWith } from '../json.ts';
import type { ResizeKernel } from '../node/images.ts';
import type { DatasetPlugin } from './dataset.ts';
import { defineDataset, memoryDataset } from './dataset.ts';
import { emojiDrawings, emojiImagePath, nameOf, readEmojiFile, type EmojiDrawing } from '../node/data/emoji/google.ts';
import { kernelSchema, loadImages, rgbSchema, sizeSchema } from './load-images.ts';

export interface EmojiOptions {
  /** Width and height; the drawings are 64. @default 32 */
  readonly size?: number;
  /** What a label is: one of about 9 categories, of about 100 subcategories, or the emoji itself. @default 'category' */
  readonly labels?: 'category' | 'subcategory' | 'name';
  /** Whether the five skin tones of a person count as emoji of their own. @default 'exclude' */
  readonly skinTones?: 'include' | 'exclude';
  /** Whether the man and the woman of an emoji that stands for any person count as emoji of their own. @default 'include' */
  readonly genders?: 'include' | 'exclude';
  /** Categories to leave out. @default ['Component'], which holds skin colours and hair, not pictures */
  readonly excludeCategories?: readonly string[];
  /** Subcategories to leave out. @default none */
  readonly excludeSubcategories?: readonly string[];
  /** Keep only these subcategories. @default all */
  readonly onlySubcategories?: readonly string[];
  /** Behind the drawing, which is transparent around its edge. @default white */
  readonly background?: Rgb;
  /** @default 'area': from 64 to 32 each pixel is the mean of four, and flat colours do not ring */
  readonly kernel?: ResizeKernel;
  /** Where emoji-datasource-google lies. @default wherever Node finds the package */
  readonly folder?: string;
}

const schema = v.strictObject({
  size: v.optional(sizeSchema, 32),
  labels: v.optional(v.picklist(['category', 'subcategory', 'name']), 'category'),
  skinTones: v.optional(v.picklist(['include', 'exclude']), 'exclude'),
  genders: v.optional(v.picklist(['include', 'exclude']), 'include'),
  excludeCategories: v.optional(v.array(v.string()), () => ['Component']),
  excludeSubcategories: v.optional(v.array(v.string()), () => []),
  onlySubcategories: v.optional(v.array(v.string())),
  background: v.optional(rgbSchema, () => [255, 255, 255] as [number, number, number]),
  kernel: v.optional(kernelSchema, 'area'),
  folder: v.optional(v.pipe(v.string(), v.nonEmpty())),
});

export const emojiDataset: DatasetPlugin<EmojiOptions> = defineDataset({
  name: 'emoji',
  summary: 'The emoji of the npm package emoji-datasource-google, drawn at 64x64, by category, subcategory or name.',
  parse: (options) => parseWith(schema, options, '[io/datasets] emoji options'),
  load: async ({ labels: labelBy, skinTones, genders, excludeCategories, excludeSubcategories, onlySubcategories, folder, ...image }) => {
    const root = folder ?? findPackage();
    const all = await readEmojiFile(root);
    checkKnown('excludeCategories', excludeCategories, all.map((emoji) => emoji.category).concat('Component'));
    const subcategories = all.map((emoji) => emoji.subcategory);
    checkKnown('excludeSubcategories', excludeSubcategories, subcategories);
    checkKnown('onlySubcategories', onlySubcategories ?? [], subcategories);
    const chosen = all
      .filter(({ category }) => !excludeCategories.includes(category))
      .filter(({ subcategory }) => !excludeSubcategories.includes(subcategory) && (onlySubcategories?.includes(subcategory) ?? true))
      .filter(({ image: file }) => genders === 'include' || !GENDERED.test(file))
      .flatMap((emoji) => emojiDrawings(emoji, skinTones));
    if (chosen.length === 0) throw new UserError('[io/datasets] emoji: the options leave no emoji. Exclude fewer categories.');
    const { images, imageShape, kept } = await loadImages({
      name: 'emoji',
      paths: chosen.map(({ file }) => emojiImagePath(root, file)),
      channels: 'rgb',
      fit: 'fill',
      onUnreadable: 'error',
      ...image,
    });
    const labelOf = ({ emoji }: EmojiDrawing): string => (labelBy === 'name' ? nameOf(emoji) : emoji[labelBy]);
    const classes = [...new Set(chosen.map(labelOf))];
    return memoryDataset({
      name: 'emoji',
      imageShape,
      images,
      labels: Int32Array.from(kept, (i) => classes.indexOf(labelOf(chosen[i]!))),
      classes,
      names: kept.map((i) => chosen[i]!.name),
    });
  },
});

/** A sequence that adds the sign of a man or a woman, or begins with one and goes on: code points by which files are named. */
const GENDERED = /-200d-264[02]|^1f46[89]-200d/;

function checkKnown(option: string, given: readonly string[], known: readonly string[]): void {
  const wrong = given.find((name) => !known.includes(name));
  if (wrong === undefined) return;
  throw new UserError(
    `[io/datasets] emoji: ${option} names ${JSON.stringify(wrong)}, which does not exist. Known: ${[...new Set(known)].sort().join(', ')}.`,
  );
}

/** The package as this library's own peer, or as a dependency of the program that runs. */
function findPackage(): string {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return dirname(createRequire(from).resolve('emoji-datasource-google/package.json'));
    } catch {
      continue;
    }
  }
  throw new UnsupportedError('[io/datasets] emoji-datasource-google is not installed. Install it: npm install emoji-datasource-google');
}
