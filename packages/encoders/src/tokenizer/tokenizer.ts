/** Numbers of the tokens of texts, and back. */
export interface TextTokenizer {
  /** Most tokens of a text, those at its ends included: `model_max_length`. */
  readonly length: number;
  /** The token before a text; null for none. */
  readonly begin: number | null;
  /** The token behind a text; null for none. */
  readonly end: number | null;
  /** What fills a text up. */
  readonly pad: number;
  /** As many as the vocabulary has, those added later included. */
  readonly vocabulary: number;
  /** How many tokens, this one the first, stand for one word that is never parted. @default 1 for each */
  readonly wordAt?: (id: number) => number;
  /** The tokens of a text, without those at its ends. */
  readonly encode: (text: string) => readonly number[];
  /** The text of tokens, as far as one can be had. */
  readonly decode: (ids: readonly number[]) => string;
}
