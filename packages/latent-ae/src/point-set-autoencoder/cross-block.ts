import {
  attention,
  defineModule,
  feedForward,
  layerNorm,
  scoped,
  type AttentionParams,
  type FeedForwardParams,
  type Module,
  type NormParams,
} from '@langevin/nn';
import { add, type Generator, type Tensor } from '@langevin/tensor';

export interface CrossBlockParams {
  readonly norm1: NormParams;
  readonly norm_context: NormParams;
  readonly attn1: AttentionParams;
  readonly norm3: NormParams;
  readonly ff: FeedForwardParams;
}

/**
 * Tokens [N, L, channels] that gather from others [N, S, channels] and see nothing of each other: attention and a feed-forward, each behind
 * a norm and around a shortcut (Jaegle et al. 2021, arXiv:2103.03206). The order of the others counts for nothing.
 */
export function crossBlock({
  channels,
  heads,
}: {
  readonly channels: number;
  readonly heads: number;
}): Module<CrossBlockParams, readonly [x: Tensor, context: Tensor], Tensor> {
  const norm = layerNorm({ channels });
  const attn = scoped('attn1', attention({ channels, heads, contextChannels: channels, bias: 'none' }));
  const ff = scoped('ff', feedForward({ channels }));
  return defineModule({
    init: (generator: Generator): CrossBlockParams => ({
      norm1: norm.init(generator),
      norm_context: norm.init(generator),
      attn1: attn.init(generator),
      norm3: norm.init(generator),
      ff: ff.init(generator),
    }),
    apply(params: CrossBlockParams, x: Tensor, context: Tensor) {
      const told = norm.apply(params.norm_context, context);
      const h = add(attn.apply(params.attn1, norm.apply(params.norm1, x), { context: told }), x);
      return add(ff.apply(params.ff, norm.apply(params.norm3, h)), h);
    },
  });
}
