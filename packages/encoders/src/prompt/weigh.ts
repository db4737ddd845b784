import { add, cast, concat, div, equal, mean, mul, slice, sub, tensor, where, type Tensor } from '@langevin/tensor';
import type { PromptPlan, PromptWindow } from './plan-prompt.ts';

/** compel takes weights below this for it: at 0 the text itself would not count at all, and the tangent be infinite. */
const LEAST = 1e-5;

/** Features [M, L, size] times weights [M, L, 1], each window with the mean that it had. Windows without weights stay as they are. */
export function multiplied(text: Tensor, { weights, rows }: { readonly weights: Tensor; readonly rows: readonly PromptWindow[] }): Tensor {
  const changed = mul(text, weights);
  const own = { axes: [1, 2], dims: 'keep' } as const;
  const after = mean(changed, own);
  const nothing = equal(after, 0);
  // Where the mean is gone there is none to be restored.
  const factor = where({ if: nothing, then: 1, else: div(mean(text, own), where({ if: nothing, then: 1, else: after })) });
  const weighed = tensor(
    rows.map((row) => (row.weights.some((weight) => weight !== 1) ? 1 : 0)),
    { shape: [rows.length, 1, 1], dtype: 'bool' },
  );
  return where({ if: weighed, then: mul(changed, factor), else: text });
}

/** From the features of the empty text [1, L, size] towards those of texts [M, L, size], by weights [M, L, 1]. */
export function fromEmpty(text: Tensor, { weights, empty }: { readonly weights: Tensor; readonly empty: Tensor }): Tensor {
  return where({ if: equal(weights, 1), then: text, else: add(empty, mul(sub(text, empty), weights)) });
}

/** A window in which a piece is not seen by the other tokens. */
export interface MaskedWindow {
  readonly row: number;
  readonly piece: number;
}

interface BlendOptions {
  readonly plans: readonly PromptPlan[];
  readonly rows: readonly PromptWindow[];
  /** Windows of each text. */
  readonly count: number;
  /** The weighed features of windows, each with a piece masked. */
  readonly without: (masked: readonly MaskedWindow[]) => Promise<Tensor>;
}

/** Texts [M, L, size] blended with themselves without each of their pieces of weights below 1. */
export async function blendedWithout(text: Tensor, { plans, rows, count, without }: BlendOptions): Promise<Tensor> {
  const weak = plans.map(({ pieces }) => pieces.flatMap((weight, piece) => (weight < 1 ? [{ piece, share: shareOf(weight) }] : [])));
  const masked = rows.flatMap((window, row) => {
    const seen = new Set(window.pieces);
    return weak[Math.floor(row / count)]!.filter(({ piece }) => seen.has(piece)).map(({ piece, share }) => ({ row, piece, share }));
  });
  if (masked.length === 0) return text;
  const others = await without(masked);
  // A window that a piece is not in is the same without it.
  const blended = rows.map((_, row) => {
    const all = 1 + weak[Math.floor(row / count)]!.reduce((sum, { share }) => sum + share, 0);
    const own = masked.flatMap((each, i) => (each.row === row ? [{ i, share: each.share / all }] : []));
    const rest = 1 - own.reduce((sum, { share }) => sum + share, 0);
    const window = slice(text, { 0: { start: row, stop: row + 1 } });
    if (own.length === 0) return window;
    return own.reduce((sum, { i, share }) => add(sum, mul(slice(others, { 0: { start: i, stop: i + 1 } }), share)), mul(window, rest));
  });
  return cast(concat(blended, 0), text.dtype);
}

function shareOf(weight: number): number {
  return Math.tan(((1 - Math.max(LEAST, weight)) * Math.PI) / 2);
}
