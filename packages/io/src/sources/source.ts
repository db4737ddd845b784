import { shownValue, UserError } from '@langevin/tensor';
import { checkFunctions, checkObject, checkSource } from '../given.ts';

/**
 * Items of any kind (pictures, captions, clips, views with cameras, latents), loaded when they are asked for. An item with a number is the
 * same whenever it is loaded; what is random about training (flips, crops, noise) is decided later.
 */
export interface Source<Item> {
  readonly name: string;
  readonly length: number;
  /** @throws UserError when i is not an integer from 0 to length - 1, or what it stands for cannot be read: it is named */
  readonly load: (i: number) => Promise<Item>;
  /** What a person would call an item without loading it: a file, an emoji's name. */
  readonly itemName: (i: number) => string;
  /**
   * What the content of an item depends on, told without loading it: size and date of a file, a checksum. Items of one name and one content
   * are the same item, in whatever process: caches on disk go by it. Undefined where a source cannot tell.
   */
  readonly contentOf: ((i: number) => Promise<string>) | undefined;
}

/** What an author of a source states. */
export interface SourceDefinition<Item> {
  readonly name: string;
  readonly length: number;
  readonly load: (i: number) => Promise<Item> | Item;
  /** @default `name` with the number of the item */
  readonly itemName?: (i: number) => string;
  /** @default the source cannot tell */
  readonly contentOf?: ((i: number) => Promise<string> | string) | undefined;
}

/**
 * A source as a frozen value, with numbers of items checked.
 *
 * @throws UserError for a length that is not an integer >= 1
 * @example
 * import { defineSource } from '@langevin/io';
 * const squares = defineSource({ name: 'squares', length: 4, load: (i) => i ** 2 });
 * await squares.load(3); // => 9
 */
export function defineSource<Item>(definition: SourceDefinition<Item>): Source<Item> {
  checkObject(definition, 'source', '[io/sources]');
  const { name, length, load, itemName = (i: number) => `${name} ${i}`, contentOf } = definition;
  checkFunctions({ load, itemName, ...(contentOf !== undefined && { contentOf }) }, `[io/sources] source ${name}:`);
  if (!Number.isSafeInteger(length) || length < 1) {
    throw new UserError(`[io/sources] a source has at least one item: name=${name}, length=${length}. Check what it was made from.`);
  }
  const check = (i: number): void => {
    if (Number.isSafeInteger(i) && i >= 0 && i < length) return;
    throw new UserError(`[io/sources] there is no such item: item=${i}, ${name} has ${length}. Give an integer from 0 to ${length - 1}.`);
  };
  return Object.freeze({
    name,
    length,
    load: async (i: number) => {
      check(i);
      return load(i);
    },
    itemName: (i: number) => {
      check(i);
      return itemName(i);
    },
    contentOf:
      contentOf
      && (async (i: number) => {
        check(i);
        return contentOf(i);
      }),
  });
}

/**
 * The same items, changed as they are loaded. What their content depends on is told as before: the change is not part of it.
 *
 * @example
 * import { defineSource, mapSource } from '@langevin/io';
 * const letters = mapSource(defineSource({ name: 'codes', length: 2, load: (i) => 97 + i }), (code) => String.fromCharCode(code));
 * await letters.load(1); // => 'b'
 */
export function mapSource<A, B>(source: Source<A>, change: (item: A, i: number) => Promise<B> | B): Source<B> {
  checkSource(source, '[io/sources]');
  checkFunctions({ change }, '[io/sources]');
  return defineSource({
    name: source.name,
    length: source.length,
    itemName: source.itemName,
    contentOf: source.contentOf,
    load: async (i) => change(await source.load(i), i),
  });
}

/**
 * Some items of a source, in the order given.
 *
 * @throws UserError when there are none, or one does not exist
 */
export function pickFromSource<Item>(source: Source<Item>, items: ArrayLike<number>, name?: string): Source<Item> {
  checkSource(source, '[io/sources]');
  const chosen = checkedNumbers(items);
  chosen.forEach((i) => source.itemName(i));
  return defineSource({
    name: name ?? source.name,
    length: chosen.length,
    load: (i) => source.load(chosen[i]!),
    itemName: (i) => source.itemName(chosen[i]!),
    contentOf: source.contentOf && ((i) => source.contentOf!(chosen[i]!)),
  });
}

/**
 * Several sources of one kind of item, one after another.
 *
 * @throws UserError for no sources
 */
export function joinSources<Item>(name: string, sources: readonly Source<Item>[]): Source<Item> {
  if (!Array.isArray(sources)) throw new UserError(`[io/sources] sources are a list: sources=${shownValue(sources)}. Pass [source, ...].`);
  for (const source of sources) checkSource(source, '[io/sources]');
  const find = (i: number): readonly [Source<Item>, number] => {
    let at = i;
    for (const source of sources) {
      if (at < source.length) return [source, at];
      at -= source.length;
    }
    throw new UserError(`[io/sources] there is no such item: item=${i} of ${name}. Give an integer within its length.`);
  };
  return defineSource({
    name,
    length: sources.reduce((sum, { length }) => sum + length, 0),
    load: (i) => {
      const [source, at] = find(i);
      return source.load(at);
    },
    itemName: (i) => {
      const [source, at] = find(i);
      return source.itemName(at);
    },
    // Whose item it is belongs to what it is: two sources may name theirs alike.
    contentOf: sources.every(({ contentOf }) => contentOf !== undefined)
      ? async (i) => {
          const [source, at] = find(i);
          return JSON.stringify([source.name, await source.contentOf!(at)]);
        }
      : undefined,
  });
}

/** Numbers of items, in a list of their own. @throws UserError when they are no list */
export function checkedNumbers(items: ArrayLike<number>): readonly number[] {
  if (typeof items === 'object' && items !== null && Number.isSafeInteger(items.length)) return Array.from(items);
  throw new UserError(`[io/sources] numbers of items are a list: items=${shownValue(items)}. Pass [0, 2, ...].`);
}
