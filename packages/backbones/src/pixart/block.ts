import { add, expandDims, mul, slice, type Generator, type Tensor } from '@langevin/tensor';
import {
  attention,
  defineModule,
  feedForward,
  layerNorm,
  listener,
  normal,
  scoped,
  tapped,
  type AttentionParams,
  type FeedForwardParams,
  type Mode,
  type Module,
  type NormParams,
  type Taps,
} from '@langevin/nn';
import type { PixartConfig } from './config.ts';

/** Names of diffusers. */
export interface PixartBlockParams {
  /** Learned with `normElementwiseAffine` alone, as norm2. */
  readonly norm1?: NormParams;
  readonly attn1: AttentionParams;
  readonly norm2?: NormParams;
  /** Absent in blocks that read no text. */
  readonly attn2?: AttentionParams;
  readonly ff: FeedForwardParams;
  /** [6, width]: what this block adds to the vectors that all share. */
  readonly scale_shift_table: Tensor;
}

/** What goes through a block beside its tokens. */
export interface PixartFlow {
  /** Six of [N, width], shared by all blocks. */
  readonly vectors: readonly Tensor[];
  /** The text [N, S, crossAttentionDim]. */
  readonly text?: Tensor | undefined;
  /** bool [N, 1, 1, S] */
  readonly mask?: Tensor | undefined;
  readonly mode?: Mode | undefined;
  readonly taps?: Taps | undefined;
}

/** Rows of a table as vectors for all items: entry `row` of [rows, D] as [1, 1, D]. */
export function rowOf(table: Tensor, row: number): Tensor {
  return expandDims(slice(table, { 0: { start: row, stop: row + 1 } }), 0);
}

/**
 * Attention over patches, attention from them to the text, and a perceptron; the shifts, scales and gates of the first and last are those
 * that all blocks share plus a table of the block's own. Chen et al. 2023 (arXiv:2310.00426), fig. 4; diffusers' `BasicTransformerBlock`
 * with `ada_norm_single`.
 *
 * `apply(params, x [N, L, width], flow)` gives [N, L, width].
 */
export function pixartBlock(config: PixartConfig): Module<PixartBlockParams, readonly [x: Tensor, flow: PixartFlow], Tensor> {
  const { numAttentionHeads: heads, attentionHeadDim: headSize, dropout, crossAttentionDim, normEps: epsilon } = config;
  const width = heads * headSize;
  const isAffine = config.normElementwiseAffine;
  const shared = { channels: width, heads, headSize, dropout, bias: config.attentionBias ? 'learned' : 'none' } as const;
  const precision = config.upcastAttention ? 'float32' : 'as given';
  const norm = layerNorm({ channels: width, epsilon, affine: isAffine ? 'learned' : 'none' });
  const attn1 = scoped('attn1', attention({ ...shared, precision }));
  const attn2 =
    crossAttentionDim === null ? undefined : scoped('attn2', attention({ ...shared, precision, contextChannels: crossAttentionDim }));
  const ff = scoped('ff', feedForward({ channels: width, activation: config.activationFn, dropout }));
  const table = normal({ deviation: 1 / Math.sqrt(width) });
  return defineModule({
    init(generator: Generator): PixartBlockParams {
      return {
        ...(isAffine && { norm1: norm.init(generator) }),
        attn1: attn1.init(generator),
        // Blocks without text keep the norm of the feed-forward.
        ...(isAffine && { norm2: norm.init(generator) }),
        ...(attn2 && { attn2: attn2.init(generator) }),
        ff: ff.init(generator),
        scale_shift_table: table(generator, [6, width]),
      };
    },
    apply(params: PixartBlockParams, x: Tensor, { vectors, text, mask, mode, taps }: PixartFlow) {
      const at = (row: number): Tensor => add(rowOf(params.scale_shift_table, row), expandDims(vectors[row]!, 1)); // [N, 1, D]
      const modulated = (h: Tensor, first: number): Tensor => add(mul(h, add(at(first + 1), 1)), at(first));
      const training = mode === undefined ? {} : { mode };
      const listen = (name: string): object => ({ weights: listener(taps, `${name}.weights`) });
      const seen = attn1.apply(params.attn1, modulated(norm.apply(params.norm1 ?? {}, x), 0), { ...training, ...listen('attn1') });
      let h = add(x, mul(at(2), tapped(taps, 'attn1', seen)));
      if (attn2) {
        // Without a norm before, unlike other blocks of diffusers: the paper's code has none.
        const read = attn2.apply(params.attn2!, h, { ...training, ...listen('attn2'), context: text!, ...(mask && { mask }) });
        h = add(h, tapped(taps, 'attn2', read));
      }
      const made = ff.apply(params.ff, modulated(norm.apply(params.norm2 ?? {}, h), 3), mode);
      return add(h, mul(at(5), tapped(taps, 'ff', made)));
    },
  });
}
