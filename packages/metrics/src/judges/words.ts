import { checkNumber } from '@langevin/tensor';
import { checkGiven } from '../features/given.ts';

/** Words of a caption, in lower case: runs of letters and digits. */
export function wordsOf(caption: string): readonly string[] {
  return (
    caption
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}

/** Words that occur in at least `least` captions, in alphabetical order. */
export function vocabularyOf(captions: readonly string[], least: number): readonly string[] {
  checkGiven('metrics/words', 'a list', { captions });
  for (const [i, caption] of captions.entries()) checkGiven('metrics/words', 'a text', { [`captions[${i}]`]: caption });
  checkNumber('metrics/words', { least }, { atLeast: 1 });
  const counts = new Map<string, number>();
  for (const caption of captions) for (const word of new Set(wordsOf(caption))) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count >= least)
    .map(([word]) => word)
    .sort();
}

/**
 * Captions as rows of a table of words: row 0 is for unknown ones.
 *
 * @returns rows and counts, [captions, length] each; behind the last word of a caption counts are 0
 */
export function rowsOf(
  captions: readonly string[],
  { words, length }: { readonly words: readonly string[]; readonly length: number },
): { readonly rows: Int32Array; readonly counts: Float32Array } {
  const known = new Map(words.map((word, i) => [word, i + 1]));
  const rows = new Int32Array(captions.length * length);
  const counts = new Float32Array(captions.length * length);
  captions.forEach((caption, i) => {
    wordsOf(caption)
      .slice(0, length)
      .forEach((word, j) => {
        rows[i * length + j] = known.get(word) ?? 0;
        counts[i * length + j] = 1;
      });
  });
  return { rows, counts };
}
