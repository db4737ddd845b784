import { checkNumber, shownValue, tensor, UserError, type Tensor } from '@langevin/tensor';
import type { TextTokenizer } from './tokenizer.ts';

export interface TokenBatchOptions {
  readonly tokenizer: TextTokenizer;
  /** Tokens of each text, filled up or cut. @default the tokenizer's own length */
  readonly length?: number;
}

export interface TokenBatch {
  /** int32 [N, length] */
  readonly ids: Tensor;
  /** Bool [N, length]: true where there is a token, those at the ends included. */
  readonly mask: Tensor;
  /** What of each text did not fit; empty where all did. */
  readonly lost: readonly string[];
}

/**
 * Texts as one batch of tokens, each between the tokens of its ends, filled up to one length. What does not fit is cut, and said.
 *
 * @throws UserError for what is no text
 */
export function tokenBatch(texts: readonly string[], { tokenizer, length = tokenizer.length }: TokenBatchOptions): TokenBatch {
  checkNumber('encoders/tokens', { length }, { kind: 'integer', atLeast: 2, atMost: 1_000_000 });
  const { begin, end, pad } = tokenizer;
  const ids = new Int32Array(texts.length * length).fill(pad);
  const mask = new Uint8Array(texts.length * length);
  const lost = texts.map((text, i) => {
    if (typeof text !== 'string') throw new UserError(`[encoders/tokens] this is no text: texts[${i}]=${shownValue(text)}. Pass texts.`);
    const own = tokenizer.encode(text);
    const room = length - (begin === null ? 0 : 1) - (end === null ? 0 : 1);
    const row = [...(begin === null ? [] : [begin]), ...own.slice(0, room), ...(end === null ? [] : [end])];
    ids.set(row, i * length);
    mask.fill(1, i * length, i * length + row.length);
    return own.length <= room ? '' : tokenizer.decode(own.slice(room)).trim();
  });
  const shape = [texts.length, length];
  return { ids: tensor(ids, { shape, dtype: 'int32' }), mask: tensor(mask, { shape, dtype: 'bool' }), lost };
}
