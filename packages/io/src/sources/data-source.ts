import { checkChoice, readOptions, shownValue, UserError } from '@langevin/tensor';
import { checkFunctions, checkObject, checkSource } from '../given.ts';
import { checkImage, checkImages, type Image } from '../images/image.ts';
import { checkedNumbers, defineSource, pickFromSource, type Source } from './source.ts';
import { splitSource, type SplitOptions } from './split.ts';

/** What is known of an item before its pixels are read. */
export interface ItemNotes {
  /** What a model would be asked for to get this item. */
  readonly caption: string;
  /** What a person would call it; no other item of the source has this name. */
  readonly name: string;
  /** What must not be split between training and test: the emoji that several drawings show. */
  readonly group: string;
  /** Further facts by name, such as style, skin tone or category; JSON where a fact is more than a word. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A picture with its caption. */
export interface PictureItem extends ItemNotes {
  readonly kind: 'picture';
  /** Grey or RGB, without alpha. */
  readonly image: Image;
}

/** A clip with its caption. */
export interface ClipItem extends ItemNotes {
  readonly kind: 'clip';
  /** One or more, all of one size, grey or RGB. */
  readonly frames: readonly Image[];
  readonly framesPerSecond: number;
}

export type DataItem = PictureItem | ClipItem;

/** A source whose items are described without being loaded, so that they can be chosen, split and counted. */
export interface DataSource<Item extends DataItem = DataItem> extends Source<Item> {
  readonly kind: Item['kind'];
  /** @throws UserError when i is not an integer from 0 to length - 1 */
  readonly about: (i: number) => ItemNotes;
  /** What a person should know about how it was put together: counts, what was left out and why. */
  readonly remarks: readonly string[];
}

/** What an author of such a source states. */
export interface DataSourceDefinition<Item extends DataItem> {
  readonly name: string;
  readonly kind: Item['kind'];
  /** What is known of each item, in order. */
  readonly notes: readonly ItemNotes[];
  /** Pixels of an item. */
  readonly load: (i: number) => Promise<PixelsOf<Item>> | PixelsOf<Item>;
  /** What {@link Source.contentOf} tells. @default the source cannot tell */
  readonly contentOf?: ((i: number) => Promise<string> | string) | undefined;
  /** @default none */
  readonly remarks?: readonly string[];
}

/** An item without its notes and kind. */
export type PixelsOf<Item extends DataItem> = Omit<Item, keyof ItemNotes | 'kind'>;

/**
 * A source of pictures or clips with captions.
 *
 * @throws UserError when there is no item, a caption, name or group is empty, or two items have one name
 * @example
 * import { defineDataSource, type PictureItem } from '@langevin/io';
 * const black = defineDataSource<PictureItem>({
 *   name: 'greys', kind: 'picture', notes: [{ caption: 'black', name: 'black', group: 'black', attributes: {} }],
 *   load: () => ({ image: { width: 1, height: 1, channels: 1, data: new Uint8Array(1) } }),
 * });
 * (await black.load(0)).caption; // => 'black'
 */
export function defineDataSource<Item extends DataItem>(definition: DataSourceDefinition<Item>): DataSource<Item> {
  checkObject(definition, 'source', '[io/data]');
  const { name, kind, load, contentOf, remarks = [] } = definition;
  checkFunctions({ load }, `[io/data] data ${name}:`);
  checkChoice('io/data', { kind }, ['picture', 'clip']);
  if (!Array.isArray(definition.notes) || !Array.isArray(remarks))
    throw new UserError(
      `[io/data] notes and remarks are lists: data=${name}, notes=${shownValue(definition.notes)}, remarks=${shownValue(remarks)}. `
        + 'Pass lists.',
    );
  for (const [i, each] of definition.notes.entries()) checkNotes(each, { name, i });
  const notes = definition.notes.map((each) => Object.freeze({ ...each, attributes: Object.freeze({ ...each.attributes }) }));
  const names = new Set<string>();
  for (const each of notes) {
    if (names.has(each.name)) throw new UserError(`[io/data] two items have one name: data=${name}, name=${each.name}. Tell them apart.`);
    names.add(each.name);
  }
  const source = defineSource<Item>({
    name,
    length: notes.length,
    itemName: (i) => notes[i]!.name,
    contentOf,
    load: async (i) => {
      const pixels: unknown = await load(i);
      checkPixels(pixels, { kind, where: `[io/data] item "${notes[i]!.name}" of ${name}:` });
      return Object.freeze({ ...notes[i]!, kind, ...pixels }) as unknown as Item;
    },
  });
  return withNotes(source, { kind, remarks: Object.freeze([...remarks]), noteOf: (i) => notes[i]! });
}

/**
 * Some items of such a source, in the order given.
 *
 * @throws UserError when there are none, or one does not exist
 */
export function pickFromData<Item extends DataItem>(source: DataSource<Item>, items: ArrayLike<number>, name?: string): DataSource<Item> {
  checkSource(source, '[io/data]', ABOUT);
  const chosen = checkedNumbers(items);
  const { kind, remarks } = source;
  return withNotes(pickFromSource(source, chosen, name), { kind, remarks, noteOf: (i) => source.about(chosen[i]!) });
}

/**
 * The items whose notes fit.
 *
 * @throws UserError when none does
 * @example
 * import { filterData } from '@langevin/io';
 * import { openData } from '@langevin/io/node';
 * const { source } = await openData({ name: 'captioned-shapes', count: 100 });
 * const red = filterData(source, ({ caption }) => caption.includes('red'));
 * red.length < source.length; // => true
 */
export function filterData<Item extends DataItem>(
  source: DataSource<Item>,
  keep: (notes: ItemNotes, i: number) => boolean,
): DataSource<Item> {
  checkSource(source, '[io/data]', ABOUT);
  checkFunctions({ keep }, '[io/data]');
  const chosen = Array.from({ length: source.length }, (_, i) => i).filter((i) => keep(source.about(i), i));
  if (chosen.length === 0)
    throw new UserError(`[io/data] no item is left: data=${source.name}, items=${source.length}. Keep more of them.`);
  return pickFromData(source, chosen);
}

/**
 * Splits such a source into parts, with items of one group together: no drawing of an emoji that was trained on is tested on. In which part
 * a group is depends on its name, the seed and the shares alone.
 *
 * @throws UserError when shares do not sum to 1, or a part gets nothing
 */
export function splitData<Item extends DataItem, Name extends string>(
  source: DataSource<Item>,
  options: Omit<SplitOptions<Name>, 'groupOf'>,
): Readonly<Record<Name, DataSource<Item>>> {
  checkSource(source, '[io/data]', ABOUT);
  const { shares, seed } = readOptions('io/split', options);
  // Numbers are split as the items would be, since a part knows its items only by loading them.
  const numbers = defineSource({ name: source.name, length: source.length, load: (i) => i, itemName: (i) => String(i) });
  const parts = splitSource(numbers, { shares, seed, groupOf: (i) => source.about(i).group });
  const entries = (Object.keys(parts) as Name[]).map((part) => {
    const { length, name, itemName } = parts[part];
    return [
      part,
      pickFromData(
        source,
        Array.from({ length }, (_, i) => Number(itemName(i))),
        name,
      ),
    ] as const;
  });
  return Object.freeze(Object.fromEntries(entries)) as Readonly<Record<Name, DataSource<Item>>>;
}

function withNotes<Item extends DataItem>(
  source: Source<Item>,
  { kind, remarks, noteOf }: Pick<DataSource<Item>, 'kind' | 'remarks'> & { readonly noteOf: (i: number) => ItemNotes },
): DataSource<Item> {
  const about = (i: number): ItemNotes => {
    source.itemName(i);
    return noteOf(i);
  };
  return Object.freeze({ ...source, kind, remarks, about });
}

/** What a source has whose items are described. */
export const ABOUT = ['load', 'itemName', 'about'] as const;

function checkNotes(notes: ItemNotes, { name, i }: { readonly name: string; readonly i: number }): void {
  const { caption, name: item, group, attributes } = (notes ?? {}) as Partial<ItemNotes>;
  for (const [key, value] of Object.entries({ caption, name: item, group })) {
    if (typeof value !== 'string' || value.trim() === '')
      throw new UserError(`[io/data] item lacks its ${key}: data=${name}, item=${i}, ${key}=${shownValue(value)}. Give it one.`);
  }
  const isRecord = typeof attributes === 'object' && attributes !== null && !Array.isArray(attributes);
  const wrong = isRecord ? Object.entries(attributes).find(([, value]) => typeof value !== 'string') : ['attributes', attributes];
  if (wrong === undefined) return;
  throw new UserError(
    `[io/data] attributes of an item are text by name: data=${name}, item=${i}, ${wrong[0]}=${shownValue(wrong[1])}. Give {} for none.`,
  );
}

/** Pixels come from plugins. */
function checkPixels(
  pixels: unknown,
  { kind, where }: { readonly kind: DataItem['kind']; readonly where: string },
): asserts pixels is object {
  checkObject(pixels, kind, where);
  const { image, frames } = pixels as { readonly image?: Image; readonly frames?: readonly Image[] };
  if (kind === 'picture') return checkImage(image!, where);
  checkImages(frames!, where);
  for (const frame of frames!) checkImage(frame, where);
}
