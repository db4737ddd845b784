import { bracketTokens, type BracketToken } from './brackets.ts';
import { boundedWeight, joinedPieces, writtenWeight, type PromptPiece } from './pieces.ts';

/** How weights are written in prompts, and what they do, by the program that the dialect is of; `plain` has none. */
export const promptDialects = ['plain', 'a1111', 'comfyui', 'compel'] as const;
export type PromptDialect = (typeof promptDialects)[number];

/** What a bracket alone makes of a weight, in A1111's web UI and ComfyUI. */
const STRONGER = 1.1;
/** What a minus makes of it in compel, whose plus is as strong as a bracket. */
const WEAKER = 0.9;
/** Letters in which a weight is looked for behind a colon. */
const LONGEST_WEIGHT = 40;

/**
 * A prompt as pieces with weights. What is no syntax of the dialect is text: brackets without a partner, weights that are no numbers.
 *
 * - `a1111`: `(x)` is 1.1, `(x:1.2)` is 1.2, `[x]` is 1/1.1, nested ones are multiplied; `\(` is a bracket
 * - `comfyui`: `(x)` is 1.1 times what is around it; `(x:1.2)` is 1.2, whatever is around it; `\(` is a bracket
 * - `compel`: `x++` and `(x y)++` are 1.1 for each plus, `x--` is 0.9 for each minus, `(x y)1.3` is 1.3, nested ones are multiplied; `\(`,
 *   `\+` and `\-` are plain
 *
 * @example
 * parsePrompt('a (red:1.5) cat', 'a1111'); // => [{ text: 'a ', weight: 1 }, { text: 'red', weight: 1.5 }, { text: ' cat', weight: 1 }]
 */
export function parsePrompt(text: string, dialect: PromptDialect): readonly PromptPiece[] {
  switch (dialect) {
    case 'plain':
      return [{ text, weight: 1 }];
    case 'a1111':
      return bracketed(text, { opening: ['(', '['], escaped: ['(', ')', '[', ']', '\\'], inner: 'multiplied' });
    case 'comfyui':
      return bracketed(text, { opening: ['('], escaped: ['(', ')'], inner: 'absolute' });
    case 'compel':
      return compel(text);
  }
}

interface Bracketed {
  readonly opening: readonly string[];
  readonly escaped: readonly string[];
  /** Whether a weight that is written is multiplied with those around it. */
  readonly inner: 'multiplied' | 'absolute';
}

function bracketed(text: string, { inner, ...brackets }: Bracketed): readonly PromptPiece[] {
  const pieces: PromptPiece[] = [];
  const around: number[] = [];
  let weight = 1;
  const tokens = bracketTokens(text, brackets);
  tokens.forEach((token, i) => {
    if (token.kind === 'close') weight = around.pop()!;
    else if (token.kind === 'open') {
      around.push(weight);
      const written = text[token.at] === '(' ? weightBefore(text, token) : undefined;
      if (written === undefined) weight = boundedWeight(text[token.at] === '(' ? weight * STRONGER : weight / STRONGER);
      else weight = inner === 'absolute' ? written.weight : boundedWeight(weight * written.weight);
    } else {
      const next = tokens[i + 1];
      const written =
        next?.kind === 'close' && text[next.at] === ')' ? weightBefore(text, { at: next.partner, partner: next.at }) : undefined;
      pieces.push({ text: written === undefined ? token.text : token.text.slice(0, -written.length), weight });
    }
  });
  return joinedPieces(pieces);
}

/** The weight before a closing bracket, with the letters that it takes: `:1.2`. */
function weightBefore(
  text: string,
  { at, partner }: { readonly at: number; readonly partner: number },
): { readonly weight: number; readonly length: number } | undefined {
  const end = text.slice(Math.max(at + 1, partner - LONGEST_WEIGHT), partner);
  const colon = end.lastIndexOf(':');
  const weight = colon < 0 ? undefined : writtenWeight(end.slice(colon + 1));
  return weight === undefined ? undefined : { weight, length: end.length - colon };
}

function compel(text: string): readonly PromptPiece[] {
  const pieces: PromptPiece[] = [];
  const around: number[] = [];
  let weight = 1;
  /** Letters behind a closing bracket that are its weight. */
  let taken = 0;
  for (const token of bracketTokens(text, { opening: ['('], escaped: ['(', ')'] })) {
    if (token.kind === 'open') {
      around.push(weight);
      weight = boundedWeight(weight * weightBehind(text, token).weight);
    } else if (token.kind === 'close') {
      weight = around.pop()!;
      taken = weightBehind(text, { partner: token.at }).length;
    } else {
      for (const piece of weighedWords(token.text.slice(taken), weight)) pieces.push(piece);
      taken = 0;
    }
  }
  return joinedPieces(pieces);
}

/** The weight behind a closing bracket, with the letters that it takes. */
function weightBehind(
  text: string,
  { partner }: Pick<Extract<BracketToken, { readonly kind: 'open' }>, 'partner'>,
): { readonly weight: number; readonly length: number } {
  const behind = /(?:\d+\.?\d*|\.\d+)|\++|-+/uy;
  behind.lastIndex = partner + 1;
  const [written = ''] = behind.exec(text) ?? [];
  return { weight: /^[\d.]/u.test(written) ? writtenWeight(written)! : signs(written), length: written.length };
}

/** Words with pluses and minuses behind them. */
function weighedWords(text: string, weight: number): readonly PromptPiece[] {
  return text.split(/(\s+)/u).flatMap((word) => {
    const [, own, marks, rest] = /^(.*[^+\-\\])(\++|-+)([,.;:!?]*)$/su.exec(word) ?? [];
    if (own === undefined) return [{ text: word.replace(/\\([+-])/gu, '$1'), weight }];
    return [
      { text: own.replace(/\\([+-])/gu, '$1'), weight: boundedWeight(weight * signs(marks!)) },
      { text: rest!, weight },
    ];
  });
}

function signs(marks: string): number {
  return boundedWeight((marks.startsWith('-') ? WEAKER : STRONGER) ** marks.length);
}
