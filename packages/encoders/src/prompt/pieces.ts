/** A stretch of a prompt, with how strongly it is to count. */
export interface PromptPiece {
  readonly text: string;
  /** 1 is as it is; any finite number. */
  readonly weight: number;
}

/** Weights beyond this are taken for this: the features are float32 numbers, which have to stay finite. */
const STRONGEST = 1e6;

/** A weight that features can be multiplied by. */
export function boundedWeight(weight: number): number {
  return Math.max(-STRONGEST, Math.min(STRONGEST, weight));
}

/** A number as dialects write it, such as `1.2`, `.5` or `-1`; undefined for all else. */
export function writtenWeight(text: string): number | undefined {
  return /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/u.test(text) ? boundedWeight(Number(text)) : undefined;
}

/** Pieces of one weight beside each other as one, without those that are empty; a text without any is one piece, which is empty. */
export function joinedPieces(pieces: readonly PromptPiece[]): readonly PromptPiece[] {
  const joined: { text: string[]; weight: number }[] = [];
  for (const { text, weight } of pieces) {
    if (text === '') continue;
    const before = joined.at(-1);
    if (before !== undefined && before.weight === weight) before.text.push(text);
    else joined.push({ text: [text], weight });
  }
  return joined.length === 0 ? [{ text: '', weight: 1 }] : joined.map(({ text, weight }) => ({ text: text.join(''), weight }));
}
