import { attention, concat, reshape, split, transpose, type Generator, type Tensor } from '@langevin/tensor';
import { defineModule, gated, layerNorm, linear, modulate, rmsNorm, rotate, scoped, tapped } from '@langevin/nn';
import type { LinearParams, Module, NormParams, RotaryTable, Taps } from '@langevin/nn';
import type { BlockConfig } from './double-block.ts';
import { swigluOf } from './swiglu.ts';

/** Names of diffusers. */
export interface ParallelBlockParams {
  readonly attn: {
    /** Queries, keys, values, and both halves of the feed-forward, of one product. */
    readonly to_qkv_mlp_proj: LinearParams;
    readonly norm_q: NormParams;
    readonly norm_k: NormParams;
    readonly to_out: LinearParams;
  };
}

/** What goes through a block beside its tokens. */
export interface ParallelFlow {
  /** Shift, scale and gate, [N, width] each; all blocks share them. */
  readonly told: readonly [Tensor, Tensor, Tensor];
  readonly rotary: RotaryTable;
  readonly mask?: Tensor | undefined;
  readonly taps?: Taps | undefined;
}

/**
 * Text and picture as one stream: attention and a gated feed-forward beside each other, with one matrix before both and one behind
 * (Dehghani et al. 2023, arXiv:2302.05442). diffusers' `Flux2SingleTransformerBlock`.
 *
 * `apply(params, tokens [N, L, width], flow)` gives [N, L, width].
 */
export function parallelBlock(config: BlockConfig): Module<ParallelBlockParams, readonly [tokens: Tensor, flow: ParallelFlow], Tensor> {
  const { width, heads, headSize, hidden, epsilon } = config;
  const into = scoped('attn.to_qkv_mlp_proj', linear({ inputs: width, outputs: 3 * width + 2 * hidden, bias: 'none' }));
  const from = scoped('attn.to_out', linear({ inputs: width + hidden, outputs: width, bias: 'none' }));
  const headNorm = rmsNorm({ channels: headSize, epsilon });
  const plain = layerNorm({ channels: width, epsilon, affine: 'none' });
  const toHeads = (t: Tensor): Tensor => transpose(reshape(t, [t.shape[0]!, t.shape[1]!, heads, headSize]), [0, 2, 1, 3]);
  return defineModule({
    init: (generator: Generator): ParallelBlockParams => ({
      attn: {
        to_qkv_mlp_proj: into.init(generator),
        norm_q: headNorm.init(generator),
        norm_k: headNorm.init(generator),
        to_out: from.init(generator),
      },
    }),
    apply({ attn }: ParallelBlockParams, tokens: Tensor, { told: [shift, scale, gate], rotary, mask, taps }: ParallelFlow) {
      const wide = into.apply(attn.to_qkv_mlp_proj, modulate(plain.apply({}, tokens), { shift, scale }));
      const [q, k, v, between] = split(wide, [width, width, width, 2 * hidden], -1) as [Tensor, Tensor, Tensor, Tensor];
      const turned = (t: Tensor, norm: NormParams): Tensor => rotate(headNorm.apply(norm, toHeads(t)), rotary);
      const seen = attention({ q: turned(q, attn.norm_q), k: turned(k, attn.norm_k), v: toHeads(v), mask });
      const gathered = reshape(transpose(seen, [0, 2, 1, 3]), tokens.shape);
      const branch = from.apply(attn.to_out, concat([tapped(taps, 'attn', gathered), swigluOf(between)], -1));
      return gated(tokens, { gate, branch });
    },
  });
}
