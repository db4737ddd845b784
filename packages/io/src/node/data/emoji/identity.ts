/** Which emoji a drawing shows, apart from its style. */
export interface EmojiIdentity {
  /** Code points without skin tones and without the signs that only choose between text and picture: `1f44b`, `1f468-200d-1f4bb`. */
  readonly key: string;
  /** Of each person, in order; empty for the yellow of drawings. */
  readonly tones: readonly SkinTone[];
}

export type SkinTone = 'light' | 'medium-light' | 'medium' | 'medium-dark' | 'dark';

/** Fitzpatrick modifiers of Unicode, U+1F3FB to U+1F3FF. */
const TONES: Readonly<Record<string, SkinTone>> = {
  '1f3fb': 'light',
  '1f3fc': 'medium-light',
  '1f3fd': 'medium',
  '1f3fe': 'medium-dark',
  '1f3ff': 'dark',
};

/** VARIATION SELECTOR-16: this is a picture. Programs write it or leave it out. */
const PICTURE_SIGN = 'fe0f';

/** Which emoji a name made of code points stands for: `1F44B-1F3FF`, `0023-fe0f-20e3`. Nothing for a text that is none. */
export function identityOf(codes: string): EmojiIdentity | undefined {
  if (!/^[0-9a-f]{2,6}(?:[-_ ][0-9a-f]{2,6})*$/iu.test(codes)) return undefined;
  const points = codes.split(/[-_ ]/u).map((code) => Number.parseInt(code, 16).toString(16));
  return {
    key: points.filter((point) => point !== PICTURE_SIGN && TONES[point] === undefined).join('-'),
    tones: points.flatMap((point) => TONES[point] ?? []),
  };
}

/** Which emoji a text is. */
export function identityOfText(text: string): EmojiIdentity | undefined {
  return identityOf(Array.from(text, (character) => character.codePointAt(0)!.toString(16).padStart(2, '0')).join('-'));
}

/** `waving-hand-dark-skin-tone` as `waving-hand` with its tone; it may stand in the middle, as in `man-dark-skin-tone-blond-hair`. */
export function splitTones(slug: string): { readonly slug: string; readonly tones: readonly SkinTone[] } {
  const tones: SkinTone[] = [];
  const rest = slug.replace(/-(medium-light|medium-dark|light|medium|dark)-skin-tone(?=-|$)/gu, (_, tone: SkinTone) => {
    tones.push(tone);
    return '';
  });
  return { slug: rest, tones };
}

/** `waving-hand-dark`, as sets say it that leave the words out: a tone only where the rest is an emoji, for clouds are dark too. */
export function splitShortTone(slug: string): { readonly slug: string; readonly tones: readonly SkinTone[] } | undefined {
  const match = /^(.+?)-(medium-light|medium-dark|light|medium|dark)$/u.exec(slug);
  return match === null ? undefined : { slug: match[1]!, tones: [match[2] as SkinTone] };
}

/** A swatch of a skin tone, which is no picture of anything. */
export function isSwatch(slug: string): boolean {
  return /^(?:medium-light|medium-dark|light|medium|dark)-skin-tone$/u.test(slug);
}

/** A name as all sets would spell it: lower case, no accents, words with hyphens. */
export function slugOf(name: string): string {
  return name
    .replaceAll('#', ' hash ')
    .replaceAll('*', ' asterisk ')
    .normalize('NFKD')
    .replace(/[\u0300-\u036f'’]/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, '-')
    .replace(/^-|-$/gu, '')
    .replace(/^flag-for-flag-/u, 'flag-');
}

/** `dark skin tone`, `light and dark skin tones`; nothing for none. */
export function toneWords(tones: readonly SkinTone[]): string | undefined {
  const words = tones.map((tone) => tone.replace('-', ' '));
  if (words.length === 0) return undefined;
  return words.length === 1 ? `${words[0]} skin tone` : `${words.slice(0, -1).join(', ')} and ${words.at(-1)} skin tones`;
}
