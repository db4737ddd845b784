import { reshape, slice, tensor, UserError, type Tensor } from '@langevin/tensor';
import type { TextTokenizer } from '../tokenizer/tokenizer.ts';
import { emptyWindow, type PromptPlan, type PromptWindow } from './plan-prompt.ts';
import { blendedWithout, fromEmpty, multiplied, type MaskedWindow } from './weigh.ts';

/** What an encoder gives for windows of tokens. */
export interface EncodedWindows {
  /** [M, L, size] */
  readonly text: Tensor;
  /** [M, size of the projection] */
  readonly pooled: Tensor;
}

export interface EncodePromptsOptions {
  readonly tokenizer: TextTokenizer;
  /** The encoder: of int32 [M, L], and with a mask bool [M, L], true where a token is seen by others. */
  readonly encode: (ids: Tensor, mask?: Tensor) => Promise<EncodedWindows>;
  /** Windows of each text; those of none fill up the texts that have fewer. @default as many as the longest has */
  readonly windows?: number;
}

/**
 * The features of texts, [N, windows x L, size]: each window is encoded by itself, weighed as the dialect of its text does it, and put
 * behind the one before; the features of a text as a whole are those of its first window, without weights.
 *
 * - `a1111`: features times weights, and then all of a window so that their mean is what it was
 * - `comfyui`: from the features of the empty text towards those of the text, or beyond, by the weights
 * - `compel`: as `comfyui`; and for each piece of a weight w below 1 blended with the text in which that piece is masked, which counts
 *   `tan((1 - w) pi / 2)` times as much as the text itself
 *
 * @throws UserError when a text has more windows than there are to be, or plans differ in dialect or length
 */
export async function encodePrompts(plans: readonly PromptPlan[], options: EncodePromptsOptions): Promise<EncodedWindows> {
  const { tokenizer, encode } = options;
  const { dialect, length } = oneForm(plans);
  const most = Math.max(...plans.map(({ windows }) => windows.length));
  const { windows: count = most } = options;
  if (!Number.isInteger(count) || count < most)
    throw new UserError(`[encoders/prompt] texts have more windows: windows=${count}, longest=${most}. Ask for at least ${most}.`);
  const none = emptyWindow({ tokenizer, length });
  const rows = plans.flatMap(({ windows }) => Array.from({ length: count }, (_, i) => windows[i] ?? none));
  const weighed = plans.some(({ pieces }) => pieces.some((weight) => weight !== 1));
  const wantsEmpty = weighed && (dialect === 'comfyui' || dialect === 'compel');
  const ids = idsOf(wantsEmpty ? [...rows, none] : rows, length);
  const all = await encode(ids);
  const empty = wantsEmpty ? slice(all.text, { 0: { start: rows.length, stop: rows.length + 1 } }) : undefined;
  const plain = wantsEmpty ? slice(all.text, { 0: { start: 0, stop: rows.length } }) : all.text;
  const weights = weightsOf(rows, length);
  let text = plain;
  if (weighed && dialect === 'a1111') text = multiplied(plain, { weights, rows });
  if (empty) text = fromEmpty(plain, { weights, empty });
  if (empty && dialect === 'compel') {
    const without = async (masked: readonly MaskedWindow[]): Promise<Tensor> => {
      const own = masked.map(({ row }) => rows[row]!);
      const mask = tensor(
        masked.flatMap(({ row, piece }) => rows[row]!.pieces.map((of) => (of === piece ? 0 : 1))),
        { shape: [own.length, length], dtype: 'bool' },
      );
      const { text: features } = await encode(idsOf(own, length), mask);
      return fromEmpty(features, { weights: weightsOf(own, length), empty });
    };
    text = await blendedWithout(text, { plans, rows, count, without });
  }
  const size = text.shape[2]!;
  const pooled = slice(all.pooled, { 0: { start: 0, stop: rows.length } });
  return {
    text: count === 1 ? text : reshape(text, [plans.length, count * length, size]),
    pooled: count === 1 ? pooled : firstOfEach(pooled, count),
  };
}

function idsOf(rows: readonly PromptWindow[], length: number): Tensor {
  return tensor(Int32Array.from(rows.flatMap(({ ids }) => ids)), { shape: [rows.length, length], dtype: 'int32' });
}

function weightsOf(rows: readonly PromptWindow[], length: number): Tensor {
  return tensor(Float32Array.from(rows.flatMap(({ weights }) => weights)), { shape: [rows.length, length, 1] });
}

function firstOfEach(pooled: Tensor, count: number): Tensor {
  const size = pooled.shape[1]!;
  const grouped = reshape(pooled, [pooled.shape[0]! / count, count, size]);
  return reshape(slice(grouped, { 1: { start: 0, stop: 1 } }), [grouped.shape[0]!, size]);
}

function oneForm(plans: readonly PromptPlan[]): { readonly dialect: PromptPlan['dialect']; readonly length: number } {
  const [first] = plans;
  if (first === undefined) throw new UserError('[encoders/prompt] there is no text: plans=0. Give at least one.');
  const length = first.windows[0]!.ids.length;
  if (plans.some(({ dialect, windows }) => dialect !== first.dialect || windows.some(({ ids }) => ids.length !== length)))
    throw new UserError(
      `[encoders/prompt] texts are planned in different ways: dialect=${first.dialect}, length=${length}. Plan all of them alike.`,
    );
  return { dialect: first.dialect, length };
}
