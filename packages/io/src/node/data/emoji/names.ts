import { join } from 'node:path';
import * as v from 'valibot';
import { parseWith } from '../../../json.ts';
import { readJson } from '../../read-json.ts';
import { identityOf, identityOfText, slugOf, splitTones } from './identity.ts';
import type { IconSet } from './iconify.ts';

/** What is known of emoji apart from how they are drawn. */
export interface EmojiNames {
  /** Its English name. */
  readonly nameOf: (key: string) => string | undefined;
  /** Words that people look for it by. */
  readonly keywordsOf: (key: string) => readonly string[];
  readonly categoryOf: (key: string) => string | undefined;
  /** Its place in the charts of Unicode; those that are not in the list come last. */
  readonly orderOf: (key: string) => number;
  /** The emoji of an English name without skin tones. */
  readonly keyOf: (slug: string) => string | undefined;
}

/** Names with underscores first, then keywords, by emoji in the order of the charts. */
const emojilibSchema = v.record(v.string(), v.array(v.string()));

/**
 * Names and keywords of emojilib; names, code points and categories of an icon set for what it lacks.
 *
 * @param folder of the package emojilib
 */
export async function readEmojiNames(folder: string, index: IconSet): Promise<EmojiNames> {
  const path = join(folder, 'dist', 'emoji-en-US.json');
  const entries = parseWith(emojilibSchema, await readJson(path), `[io/emoji] names ${JSON.stringify(path)}`);
  const known = new Map<string, { readonly name: string; readonly keywords: readonly string[]; readonly order: number }>();
  const keys = new Map<string, string>();
  for (const [order, [text, [first = '', ...others]]] of Object.entries(entries).entries()) {
    const key = identityOfText(text)?.key ?? '';
    if (key === '' || known.has(key) || first === '') continue;
    const words = [first, ...others].map((word) => word.replaceAll('_', ' '));
    // Smileys made of letters are no words.
    const keywords = words.slice(1).filter((word) => /^[\p{L}\p{N}][\p{L}\p{N} -]*$/u.test(word) && word !== words[0]);
    known.set(key, { name: words[0]!, keywords: [...new Set(keywords)], order });
  }
  const categories = new Map<string, string>();
  const slugs = new Map<string, string>();
  for (const [name, codes] of index.codes) {
    const key = identityOf(codes)?.key ?? '';
    if (key === '') continue;
    const { slug } = splitTones(name);
    if (!slugs.has(key)) slugs.set(key, slug);
    const category = index.categories.get(name);
    if (category !== undefined && !categories.has(key)) categories.set(key, category);
    for (const each of [slug, ...(index.aliases.get(name) ?? []).map((alias) => splitTones(alias).slug)]) {
      if (!keys.has(each)) keys.set(each, key);
    }
  }
  for (const [key, { name }] of known) {
    if (!keys.has(slugOf(name))) keys.set(slugOf(name), key);
  }
  return {
    nameOf: (key) => known.get(key)?.name ?? slugs.get(key)?.replaceAll('-', ' '),
    keywordsOf: (key) => known.get(key)?.keywords ?? [],
    categoryOf: (key) => categories.get(key),
    orderOf: (key) => known.get(key)?.order ?? known.size,
    keyOf: (slug) => keys.get(slug),
  };
}
