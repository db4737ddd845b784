import { shownValue, UserError } from '@langevin/tensor';
import type { TextTokenizer } from './tokenizer.ts';

/** A word that stands for tokens which the vocabulary does not have. */
export interface Placeholder {
  /** As it is written in a text: `<my-cat>`. Upper and lower case are one. */
  readonly text: string;
  /** How many tokens it stands for. */
  readonly tokens: number;
}

const MOST_TOKENS = 10_000;

/**
 * A tokenizer that knows some more words: each stands for tokens of its own, numbered from the end of the vocabulary on, in the order of
 * the list. A word is found where it stands by itself, not within a longer one, the longest first, so that one may begin like another; what
 * is between is encoded by itself.
 *
 * @throws UserError for a word that is empty, given twice, or a token of the vocabulary
 * @example
 * const letters: TextTokenizer = {
 *   length: 10, begin: null, end: null, pad: 0, vocabulary: 26,
 *   encode: (text) => [...text.trim()].map((letter) => letter.charCodeAt(0) - 97), decode: (ids) => ids.join(),
 * };
 * withPlaceholders(letters, [{ text: '<it>', tokens: 2 }]).encode('a <IT> b'); // => [0, 26, 27, 1]
 */
export function withPlaceholders(tokenizer: TextTokenizer, placeholders: readonly Placeholder[]): TextTokenizer {
  if (placeholders.length === 0) return tokenizer;
  const known = new Map<string, readonly number[]>();
  let next = tokenizer.vocabulary;
  for (const { text, tokens } of placeholders) {
    const word = typeof text === 'string' ? text.trim().toLowerCase() : '';
    if (word === '' || known.has(word))
      throw new UserError(`[encoders/tokenizer] each placeholder is a word of its own: text=${shownValue(text)}. Choose another.`);
    if (!Number.isInteger(tokens) || tokens < 1 || tokens > MOST_TOKENS)
      throw new UserError(
        `[encoders/tokenizer] placeholder stands for 1 to ${MOST_TOKENS} tokens: text=${shownValue(text)}, tokens=${tokens}.`,
      );
    const first = next;
    known.set(
      word,
      Array.from({ length: tokens }, (_, i) => first + i),
    );
    next += tokens;
  }
  const words = [...known.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(`(${words.map(patternOf).join('|')})`, 'giu');
  const written = new Map([...known].flatMap(([word, ids]) => ids.map((id) => [id, word] as const)));
  return Object.freeze({
    ...tokenizer,
    vocabulary: next,
    wordAt: (id: number) => {
      const ids = known.get(written.get(id) ?? '');
      return ids?.[0] === id ? ids.length : (tokenizer.wordAt?.(id) ?? 1);
    },
    encode: (text: string) =>
      text.split(pattern).flatMap((part, i) => (i % 2 === 1 ? known.get(part.toLowerCase())! : part === '' ? [] : tokenizer.encode(part))),
    decode: (ids: readonly number[]) => {
      const parts: string[] = [];
      let plain: number[] = [];
      const flush = (): void => {
        if (plain.length > 0) parts.push(tokenizer.decode(plain));
        plain = [];
      };
      for (const [i, id] of ids.entries()) {
        const word = written.get(id);
        if (word === undefined) plain.push(id);
        else if (i === 0 || written.get(ids[i - 1]!) !== word || known.get(word)![0] === id) {
          flush();
          parts.push(word);
        }
      }
      flush();
      return parts.join(' ');
    },
  });
}

/** A word that ends in letters or digits is not found within a longer one: `cat` is neither in `concatenate` nor in `cat2`. */
function patternOf(word: string): string {
  const plain = word.replace(/[$()*+.?[\\\]^{|}]/gu, '\\$&');
  const letter = String.raw`[\p{L}\p{M}\p{N}_]`;
  const before = new RegExp(`^${letter}`, 'u').test(word) ? `(?<!${letter})` : '';
  const behind = new RegExp(`${letter}$`, 'u').test(word) ? `(?!${letter})` : '';
  return `${before}${plain}${behind}`;
}
