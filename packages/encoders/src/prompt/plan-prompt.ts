import { checkNumber, shownValue, UserError } from '@langevin/tensor';
import type { TextTokenizer } from '../tokenizer/tokenizer.ts';
import { parsePrompt, promptDialects, type PromptDialect } from './parse-prompt.ts';

const WHERE = 'encoders/prompt';

/** Windows of a text: more are a mistake, not a prompt. */
const MOST_WINDOWS = 100;
/** Tokens before a window's end in which a comma is looked for, to part the text behind it: A1111's web UI has this number. */
const COMMA_WITHIN = 20;
/** Tokens that are shown of a window, to say where a text was parted. */
const SHOWN = 8;

export interface PlanPromptOptions {
  readonly tokenizer: TextTokenizer;
  /** How weights are written. @default 'plain': there are none */
  readonly dialect?: PromptDialect;
  /**
   * `one` cuts what does not fit, as diffusers does. `all` makes as many windows as it takes: a new one begins at the word `BREAK`, or
   * behind the last comma of the 20 tokens before a window's end, or at that end.
   *
   * @default 'one'
   */
  readonly windows?: 'one' | 'all';
  /** Tokens of a window, those at its ends included. @default the tokenizer's own length */
  readonly length?: number;
}

/** A part of a text that an encoder takes at once. */
export interface PromptWindow {
  /** As many as the length of windows: the tokens at both ends included, and what fills it up. */
  readonly ids: readonly number[];
  /** Of each of them; 1 at the ends and behind. */
  readonly weights: readonly number[];
  /** Which piece of {@link PromptPlan.pieces} each is of; -1 at the ends and behind. */
  readonly pieces: readonly number[];
}

/** What an encoder is to be given for a text. */
export interface PromptPlan {
  readonly dialect: PromptDialect;
  readonly windows: readonly PromptWindow[];
  /** The weight of each piece. */
  readonly pieces: readonly number[];
  /** What did not fit; empty where all did. */
  readonly lost: string;
  /** How each window but the first begins: where the text was parted. */
  readonly parted: readonly string[];
}

/**
 * A text as windows of tokens with weights, for {@link encodePrompts}. The pieces of a text that have different weights are made tokens
 * each by itself; tokens of one word of textual inversion are never parted.
 *
 * @throws UserError for what is no text, an unknown dialect, or a text of more than 100 windows
 */
export function planPrompt(text: string, options: PlanPromptOptions): PromptPlan {
  const { tokenizer, dialect = 'plain', windows: how = 'one', length = tokenizer.length } = options;
  if (typeof text !== 'string') throw new UserError(`[${WHERE}] this is no text: text=${shownValue(text)}. Pass a text.`);
  if (!promptDialects.includes(dialect))
    throw new UserError(`[${WHERE}] unknown dialect: dialect=${shownValue(dialect)}. Known: ${promptDialects.join(', ')}.`);
  if (how !== 'one' && how !== 'all') throw new UserError(`[${WHERE}] unknown windows: windows=${shownValue(how)}. Known: one, all.`);
  checkNumber(WHERE, { length }, { kind: 'integer', atLeast: 3, atMost: 100_000 });
  const room = length - (tokenizer.begin === null ? 0 : 1) - (tokenizer.end === null ? 0 : 1);
  const pieces = parsePrompt(text, dialect);
  const filled = filledWindows(
    pieces.map((piece) => piece.text),
    { tokenizer, room, how },
  );
  if (how === 'all' && filled.length > MOST_WINDOWS)
    throw new UserError(
      `[${WHERE}] text is too long: windows=${filled.length}, each of ${room} tokens. Give at most ${MOST_WINDOWS} windows.`,
    );
  const first = filled[0]!;
  const lost = how === 'one' && first.length > room ? tokenizer.decode(first.slice(room).map(({ id }) => id)).trim() : '';
  const kept = how === 'one' ? [first.slice(0, room)] : filled;
  const weights = pieces.map(({ weight }) => weight);
  return {
    dialect,
    windows: kept.map((tokens) => windowOf(tokens, { tokenizer, length, weights })),
    pieces: weights,
    lost,
    parted: kept.slice(1).map((tokens) => tokenizer.decode(tokens.slice(0, SHOWN).map(({ id }) => id)).trim()),
  };
}

interface PlacedToken {
  readonly id: number;
  /** Of which piece. */
  readonly piece: number;
}

function filledWindows(
  texts: readonly string[],
  { tokenizer, room, how }: { readonly tokenizer: TextTokenizer; readonly room: number; readonly how: 'one' | 'all' },
): readonly (readonly PlacedToken[])[] {
  const done: PlacedToken[][] = [];
  let tokens: PlacedToken[] = [];
  /** Behind the last comma of the window. */
  let comma = 0;
  const next = (begin: PlacedToken[] = []): void => {
    done.push(tokens);
    tokens = begin;
    comma = 0;
  };
  const commas = how === 'all' ? tokenizer.encode(',') : [];
  const add = (group: readonly PlacedToken[]): void => {
    if (how === 'all' && tokens.length > 0 && tokens.length + group.length > room) {
      const isComma = group.length === 1 && group[0]!.id === commas[0];
      const near = comma > 0 && tokens.length - comma < COMMA_WITHIN && !isComma;
      if (near && tokens.length - comma + group.length <= room) next(tokens.splice(comma));
      else next();
    }
    // A word of more tokens than a window has room for is parted all the same.
    for (const token of group) {
      if (how === 'all' && tokens.length === room) next();
      tokens.push(token);
    }
    if (group.length === 1 && group[0]!.id === commas[0]) comma = tokens.length;
  };
  texts.forEach((text, piece) => {
    const parts = how === 'all' ? text.split(/\s*\bBREAK\b\s*/u) : [text];
    parts.forEach((part, i) => {
      if (i > 0) next();
      const ids = part === '' ? [] : tokenizer.encode(part);
      for (let at = 0; at < ids.length;) {
        const count = Math.min(tokenizer.wordAt?.(ids[at]!) ?? 1, ids.length - at);
        add(ids.slice(at, at + count).map((id) => ({ id, piece })));
        at += count;
      }
    });
  });
  if (tokens.length > 0 || done.length === 0) next();
  return done;
}

/** A window of no text. */
export function emptyWindow({ tokenizer, length }: { readonly tokenizer: TextTokenizer; readonly length: number }): PromptWindow {
  return windowOf([], { tokenizer, length, weights: [] });
}

function windowOf(
  tokens: readonly PlacedToken[],
  { tokenizer, length, weights }: { readonly tokenizer: TextTokenizer; readonly length: number; readonly weights: readonly number[] },
): PromptWindow {
  const { begin, end, pad } = tokenizer;
  const before = begin === null ? 0 : 1;
  const own = [...(begin === null ? [] : [begin]), ...tokens.map(({ id }) => id), ...(end === null ? [] : [end])];
  const pieceAt = (i: number): number => tokens[i - before]?.piece ?? -1;
  const places = Array.from({ length }, (_, i) => i);
  return {
    ids: places.map((i) => own[i] ?? pad),
    weights: places.map((i) => weights[pieceAt(i)] ?? 1),
    pieces: places.map(pieceAt),
  };
}
