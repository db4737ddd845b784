import { checkNumber, readOptions, UserError } from '@langevin/tensor';
import { checkFunctions, checkObject, checkSource } from '../given.ts';
import { hash32, wordsOf } from './hash.ts';
import { pickFromSource, type Source } from './source.ts';

export interface SplitOptions<Name extends string> {
  /** What share of the groups each part gets; they sum to 1. */
  readonly shares: Readonly<Record<Name, number>>;
  /** Decides who is where; 0 or a positive safe integer. */
  readonly seed: number;
  /**
   * Items of one group stay together, so that nothing leaks: the drawing styles of one emoji, the frames of one clip, the views of one
   * object. @default each item is a group of its own, named by itself
   */
  readonly groupOf?: (i: number) => string;
}

const SPLIT = 3;

/**
 * Splits a source into parts. In which part a group is depends on its name, the seed and the shares alone: items that are added later move
 * none of the others.
 *
 * @throws UserError when shares do not sum to 1, or a part gets nothing
 * @example
 * import { defineSource, splitSource } from '@langevin/io';
 * const all = defineSource({ name: 'numbers', length: 100, load: (i) => i });
 * const { train, test } = splitSource(all, { shares: { train: 0.8, test: 0.2 }, seed: 1, groupOf: (i) => String(i % 10) });
 * train.length + test.length; // => 100
 */
export function splitSource<Item, Name extends string>(
  source: Source<Item>,
  options: SplitOptions<Name>,
): Readonly<Record<Name, Source<Item>>> {
  checkSource(source, '[io/split]');
  const { shares, seed, groupOf = (i: number) => source.itemName(i) } = readOptions('io/split', options);
  checkObject(shares, 'record of shares', '[io/split]');
  checkFunctions({ groupOf }, '[io/split]');
  checkNumber('io/split', { seed }, { atLeast: 0, kind: 'integer' });
  const names = Object.keys(shares) as Name[];
  checkNumber('io/split', shares, { atLeast: 0, atMost: 1 });
  const sum = names.reduce((total, name) => total + shares[name], 0);
  if (Math.abs(sum - 1) > 1e-9) throw new UserError(`[io/split] shares do not sum to 1: sum=${sum}. Change one of ${names.join(', ')}.`);
  const parts = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let i = 0; i < source.length; i += 1) parts.get(partOf(groupOf(i)))!.push(i);
  const entries = names.map((name) => {
    const items = parts.get(name)!;
    if (items.length === 0) {
      throw new UserError(`[io/split] a part gets no item: part=${name}, share=${shares[name]}, items=${source.length}. Give it more.`);
    }
    return [name, pickFromSource(source, items, `${source.name} (${name})`)] as const;
  });
  return Object.freeze(Object.fromEntries(entries)) as Readonly<Record<Name, Source<Item>>>;

  function partOf(group: string): Name {
    const codes = Array.from(group, (character) => character.codePointAt(0)!);
    const place = (hash32(SPLIT, ...wordsOf(seed), ...codes) + 0.5) / 2 ** 32;
    let end = 0;
    for (const name of names) {
      end += shares[name];
      if (place < end) return name;
    }
    return names.findLast((name) => shares[name] > 0)!;
  }
}
