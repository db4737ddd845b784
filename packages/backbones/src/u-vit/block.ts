import { add, attention, concat, type Generator, type Tensor } from '@langevin/tensor';
import { defineModule, layerNorm, linear, scoped, type LinearInit, type LinearParams, type Module, type NormParams } from '@langevin/nn';
import { fromHeads, headsOf, mlp, type MlpParams } from '../vit/vit.ts';

export interface UvitBlockConfig {
  readonly width: number;
  readonly heads: number;
  readonly hidden: number;
  readonly bias: 'learned' | 'none';
  /** `'joined'`: tokens of an earlier block come in beside those of the last. */
  readonly skip: 'joined' | 'none';
  /** How linear layers start. */
  readonly init: LinearInit;
}

/** Names of the paper's code. */
export interface UvitBlockParams {
  readonly norm1: NormParams;
  readonly attn: { readonly qkv: LinearParams; readonly proj: LinearParams };
  readonly norm2: NormParams;
  readonly mlp: MlpParams;
  readonly skip_linear?: LinearParams;
}

/**
 * A block of U-ViT: where a skip is joined, Linear(concat(x, skip)) first; then x + Attention(norm(x)), and x + MLP(norm(x)).
 *
 * `apply(params, x [N, L, width], skip? [N, L, width])` gives [N, L, width].
 */
export function uvitBlock(config: UvitBlockConfig): Module<UvitBlockParams, readonly [x: Tensor, skip?: Tensor | undefined], Tensor> {
  const { width, heads, hidden, bias, init } = config;
  const norm = layerNorm({ channels: width, epsilon: 1e-5 });
  const qkv = scoped('attn.qkv', linear({ inputs: width, outputs: 3 * width, bias, ...init }));
  const proj = scoped('attn.proj', linear({ inputs: width, outputs: width, ...init }));
  const perceptron = scoped('mlp', mlp({ width, hidden, init }));
  const join = config.skip === 'none' ? undefined : scoped('skip_linear', linear({ inputs: 2 * width, outputs: width, ...init }));
  return defineModule({
    init: (generator: Generator): UvitBlockParams => ({
      norm1: norm.init(generator),
      attn: { qkv: qkv.init(generator), proj: proj.init(generator) },
      norm2: norm.init(generator),
      mlp: perceptron.init(generator),
      ...(join && { skip_linear: join.init(generator) }),
    }),
    apply(params: UvitBlockParams, given: Tensor, skip?: Tensor) {
      const x = join === undefined || skip === undefined ? given : join.apply(params.skip_linear!, concat([given, skip], -1));
      const [q, k, v] = headsOf(qkv.apply(params.attn.qkv, norm.apply(params.norm1, x)), heads);
      const seen = add(x, proj.apply(params.attn.proj, fromHeads(attention({ q, k, v }))));
      return add(seen, perceptron.apply(params.mlp, norm.apply(params.norm2, seen)));
    },
  });
}
