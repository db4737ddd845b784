import { activations, defineModule, gated, jointAttention, layerNorm, linear, modulate, modulation, scoped, tapped } from '@langevin/nn';
import type { JointAttentionParams, LinearParams, ModulationParams, Module, RotaryTable, Taps } from '@langevin/nn';
import { concat, type Generator, type Tensor } from '@langevin/tensor';

/** Names of diffusers. */
export interface SingleBlockParams {
  readonly norm: ModulationParams;
  readonly proj_mlp: LinearParams;
  readonly proj_out: LinearParams;
  readonly attn: JointAttentionParams;
}

/** What goes through a block beside its tokens. */
export interface SingleFlow {
  /** [N, width] */
  readonly condition: Tensor;
  readonly rotary: RotaryTable;
  readonly mask?: Tensor | undefined;
  readonly taps?: Taps | undefined;
}

/**
 * Text and picture as one stream: attention and a network of one hidden layer beside each other, over the same normed tokens, and one
 * layer over what both give (as in Dehghani et al. 2023, arXiv:2302.05442). diffusers' `FluxSingleTransformerBlock`.
 */
export function singleBlock({
  width,
  heads,
  headSize,
}: {
  readonly width: number;
  readonly heads: number;
  readonly headSize: number;
}): Module<SingleBlockParams, readonly [tokens: Tensor, flow: SingleFlow], Tensor> {
  const hidden = 4 * width;
  const norm = scoped('norm', modulation({ channels: width, parts: 3 }));
  const widen = scoped('proj_mlp', linear({ inputs: width, outputs: hidden }));
  const narrow = scoped('proj_out', linear({ inputs: width + hidden, outputs: width }));
  const attn = scoped(
    'attn',
    jointAttention({ channels: width, heads, headSize, normalize: 'rms', context: 'none', out: 'none', drawnAs: 'FluxAttention' }),
  );
  const plain = layerNorm({ channels: width, epsilon: 1e-6, affine: 'none' });
  return defineModule({
    init: (generator: Generator): SingleBlockParams => ({
      norm: norm.init(generator),
      proj_mlp: widen.init(generator),
      proj_out: narrow.init(generator),
      attn: attn.init(generator),
    }),
    apply(params: SingleBlockParams, tokens: Tensor, { condition, rotary, mask, taps }: SingleFlow) {
      const [shift, scale, gate] = norm.apply(params.norm, condition) as readonly [Tensor, Tensor, Tensor];
      const normal = modulate(plain.apply({}, tokens), { shift, scale });
      const deep = activations['gelu-approximate'](widen.apply(params.proj_mlp, normal));
      const seen = attn.apply(params.attn, { x: normal, rotary, mask }).x;
      return gated(tokens, { gate, branch: narrow.apply(params.proj_out, concat([tapped(taps, 'attn', seen), deep], 2)) });
    },
  });
}
