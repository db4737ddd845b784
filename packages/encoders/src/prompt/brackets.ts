/** Brackets that weigh what is between them, by their opening one. */
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']' };

/** A bracket of a text that has its partner, or a stretch of plain text between such brackets. */
export type BracketToken =
  | { readonly kind: 'open'; readonly at: number; readonly partner: number }
  | { readonly kind: 'close'; readonly at: number; readonly partner: number }
  | { readonly kind: 'text'; readonly at: number; readonly text: string };

export interface BracketOptions {
  /** Opening brackets that weigh. */
  readonly opening: readonly string[];
  /** What a backslash before it makes plain. */
  readonly escaped: readonly string[];
}

/**
 * A text as its brackets and what is between them, in time linear in its length. A bracket without a partner is text, and so is one behind
 * a backslash, which is then left out.
 */
export function bracketTokens(text: string, { opening, escaped }: BracketOptions): readonly BracketToken[] {
  const partner = partnersOf(text, { opening, escaped });
  const tokens: BracketToken[] = [];
  let plain = '';
  let from = 0;
  const flush = (): void => {
    if (plain !== '') tokens.push({ kind: 'text', at: from, text: plain });
    plain = '';
  };
  for (let at = 0; at < text.length; at++) {
    const other = partner.get(at);
    if (other !== undefined) {
      flush();
      tokens.push({ kind: other > at ? 'open' : 'close', at, partner: other });
      continue;
    }
    if (plain === '') from = at;
    if (isEscape(text, { at, escaped })) at++;
    plain += text[at]!;
  }
  flush();
  return tokens;
}

/** The place of the partner of each bracket that has one, by its own place. */
function partnersOf(text: string, { opening, escaped }: BracketOptions): ReadonlyMap<number, number> {
  const partner = new Map<number, number>();
  const kindOf = new Map(opening.map((bracket) => [CLOSING[bracket]!, bracket]));
  const counts = new Map(opening.map((bracket) => [bracket, 0]));
  const open: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!;
    if (isEscape(text, { at, escaped })) at++;
    else if (counts.has(letter)) {
      open.push(at);
      counts.set(letter, counts.get(letter)! + 1);
    } else if ((counts.get(kindOf.get(letter) ?? '') ?? 0) > 0) {
      // Brackets of another kind that are still open within have no partner: `(a [b)`.
      for (let done = false; !done;) {
        const begin = open.pop()!;
        const kind = text[begin]!;
        counts.set(kind, counts.get(kind)! - 1);
        done = CLOSING[kind] === letter;
        if (done) partner.set(begin, at).set(at, begin);
      }
    }
  }
  return partner;
}

function isEscape(text: string, { at, escaped }: { readonly at: number; readonly escaped: readonly string[] }): boolean {
  return text[at] === '\\' && at + 1 < text.length && escaped.includes(text[at + 1]!);
}
