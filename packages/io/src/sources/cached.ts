import { checkNumber, readOptions } from '@langevin/tensor';
import { checkFunctions, checkSource } from '../given.ts';
import { defineSource, type Source } from './source.ts';

export interface MemoryCacheOptions<Item> {
  /** Bytes that may be kept; what was not used for longest goes first. @default 1 GiB */
  readonly maxBytes?: number;
  /** Bytes of an item. */
  readonly bytesOf: (item: Item) => number;
}

/**
 * The same items, kept in memory once they have been loaded. Two who ask for one item at once share one load; a load that failed is tried
 * again the next time.
 *
 * @throws UserError when `maxBytes` is out of range
 */
export function cachedInMemory<Item>(source: Source<Item>, options: MemoryCacheOptions<Item>): Source<Item> {
  checkSource(source, '[io/sources]');
  const { maxBytes = 2 ** 30, bytesOf } = readOptions('io/sources', options);
  checkFunctions({ bytesOf }, '[io/sources]');
  checkNumber('io/sources', { maxBytes }, { atLeast: 0, kind: 'integer' });
  const kept = new Map<number, { readonly item: Promise<Item>; bytes: number }>();
  let total = 0;
  const drop = (i: number): void => {
    total -= kept.get(i)?.bytes ?? 0;
    kept.delete(i);
  };
  return defineSource({
    name: source.name,
    length: source.length,
    itemName: source.itemName,
    contentOf: source.contentOf,
    load: (i) => {
      const found = kept.get(i);
      if (found !== undefined) {
        // The order of a Map is that of insertion: to use is to insert again.
        kept.delete(i);
        kept.set(i, found);
        return found.item;
      }
      const entry = { item: source.load(i), bytes: 0 };
      kept.set(i, entry);
      entry.item.then(
        (item) => {
          if (kept.get(i) !== entry) return;
          entry.bytes = bytesOf(item);
          total += entry.bytes;
          for (const oldest of kept.keys()) {
            if (total <= maxBytes) break;
            drop(oldest);
          }
        },
        () => drop(i),
      );
      return entry.item;
    },
  });
}
