import { add, attention, concat, mean, reshape, transpose, type Generator, type Tensor } from '@langevin/tensor';
import { defineModule, layerNorm, linear, normal, scoped, type Layer, type LinearParams, type NormParams } from '@langevin/nn';

/** Names of diffusers. */
export interface TextPoolingParams {
  readonly norm1: NormParams;
  readonly pool: {
    /** [1, features] */
    readonly positional_embedding: Tensor;
    readonly k_proj: LinearParams;
    readonly q_proj: LinearParams;
    readonly v_proj: LinearParams;
  };
  readonly proj: LinearParams;
  readonly norm2: NormParams;
}

/**
 * A text as one vector, to be added to the embedding of time: attention from the mean of its tokens to all of them, between layer norms.
 * diffusers' `TextTimeEmbedding`, of the Imagen-like DeepFloyd IF.
 *
 * `apply(params, text [N, L, features])` gives [N, outputs].
 */
export function textPooling(config: {
  readonly features: number;
  readonly outputs: number;
  readonly heads: number;
}): Layer<TextPoolingParams> {
  const { features, outputs, heads } = config;
  const norm1 = layerNorm({ channels: features });
  const project = (name: string) => scoped(`pool.${name}`, linear({ inputs: features, outputs: features }));
  const [toK, toQ, toV] = [project('k_proj'), project('q_proj'), project('v_proj')];
  const out = scoped('proj', linear({ inputs: features, outputs }));
  const norm2 = layerNorm({ channels: outputs });
  return defineModule({
    init: (generator: Generator): TextPoolingParams => ({
      norm1: norm1.init(generator),
      pool: {
        positional_embedding: normal({ deviation: features ** -0.5 })(generator, [1, features]),
        k_proj: toK.init(generator),
        q_proj: toQ.init(generator),
        v_proj: toV.init(generator),
      },
      proj: out.init(generator),
      norm2: norm2.init(generator),
    }),
    apply({ norm1: before, pool, proj, norm2: after }: TextPoolingParams, text: Tensor) {
      const n = text.shape[0]!;
      const tokens = norm1.apply(before, text);
      const first = add(mean(tokens, { axes: 1, dims: 'keep' }), pool.positional_embedding); // [N, 1, features]
      const all = concat([first, tokens], 1);
      const toHeads = (t: Tensor): Tensor => transpose(reshape(t, [n, t.shape[1]!, heads, features / heads]), [0, 2, 1, 3]);
      const gathered = attention({
        q: toHeads(toQ.apply(pool.q_proj, first)),
        k: toHeads(toK.apply(pool.k_proj, all)),
        v: toHeads(toV.apply(pool.v_proj, all)),
      });
      return norm2.apply(after, out.apply(proj, reshape(gathered, [n, features])));
    },
  });
}
