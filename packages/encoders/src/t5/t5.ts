import { embedding, rmsNorm, scoped, type EmbeddingParams, type NormParams } from '@langevin/nn';
import { cast, gather, reshape, tensor, transpose, UserError, where, type Generator, type Tensor } from '@langevin/tensor';
import type { TextEncoder, TextEncoderInputs } from '../define-encoder.ts';
import { parseT5Config, type T5Config } from './config.ts';
import { distanceBuckets } from './distance-buckets.ts';
import { t5Layer, type T5LayerParams } from './layer.ts';

/** Names of transformers. */
export interface T5Params {
  readonly shared: EmbeddingParams;
  readonly encoder: { readonly block: readonly T5LayerParams[]; readonly final_layer_norm: NormParams };
}

/** A text of more tokens is a mistake: a table of the distances of all pairs would take gigabytes. */
const LONGEST = 16_384;

/**
 * The encoder of T5 (Raffel et al. 2020, arXiv:1910.10683) in the form of transformers' `T5EncoderModel`: same names of parameters, same
 * numbers. Each token attends to all, with a bias for their distance that all layers share.
 *
 * `apply(params, ids, { mask? })` takes int32 [N, L] with L at most 16384; a token whose mask is false is not attended to.
 *
 * @throws UserError at `apply` when the ids do not fit
 */
export function t5(config: T5Config): TextEncoder<T5Params> {
  const { vocabSize: vocabulary, dModel: size, numHeads: heads, numLayers } = config;
  const options = { buckets: config.relativeAttentionNumBuckets, most: config.relativeAttentionMaxDistance };
  const tokens = scoped('shared', embedding({ count: vocabulary, size }));
  const distances = scoped(
    'encoder.block.0.layer.0.SelfAttention.relative_attention_bias',
    embedding({ count: options.buckets, size: heads }),
  );
  const layers = Array.from({ length: numLayers }, (_, i) => scoped(`encoder.block.${i}`, t5Layer(config)));
  const norm = scoped('encoder.final_layer_norm', rmsNorm({ channels: size, epsilon: config.layerNormEpsilon }));
  return Object.freeze({
    info: { kind: 'text' as const, vocabulary, length: null, size, pooled: null, layers: numLayers, table: 'shared.weight' },
    init: (generator: Generator): T5Params => ({
      shared: tokens.init(generator),
      encoder: {
        block: layers.map((layer, i) => {
          const own = layer.init(generator);
          return i === 0 ? withBias(own, distances.init(generator)) : own;
        }),
        final_layer_norm: norm.init(generator),
      },
    }),
    apply(params: T5Params, ids: Tensor, { mask }: TextEncoderInputs = {}) {
      if (ids.dtype !== 'int32' || ids.rank !== 2 || ids.size === 0 || ids.shape[1]! > LONGEST)
        throw new UserError(
          `[encoders/t5] ids do not fit: ids=${ids.dtype}[${ids.shape.join(', ')}]. Give int32 [N, L] with L from 1 to ${LONGEST}.`,
        );
      const { block, final_layer_norm: normParams } = params.encoder;
      const count = ids.shape[1]!;
      const buckets = tensor(distanceBuckets(count, options), { shape: [count * count], dtype: 'int32' });
      const table = block[0]!.layer[0].SelfAttention.relative_attention_bias!.weight;
      const bias = transpose(reshape(gather(cast(table, 'float32'), buckets), [1, count, count, heads]), [0, 3, 1, 2]);
      const kept = mask === undefined ? bias : where({ if: reshape(mask, [mask.shape[0]!, 1, 1, count]), then: bias, else: -Infinity });
      const states = [tokens.apply(params.shared, ids)];
      layers.forEach((layer, i) => states.push(layer.apply(block[i]!, states[i]!, kept)));
      const normalised = (state: Tensor): Tensor => norm.apply(normParams, state);
      return { last: normalised(states.at(-1)!), states, normalised };
    },
  });
}

/** {@link t5} from a parsed `config.json` of transformers. @throws UserError naming the entry that is wrong */
export function t5FromConfig(json: unknown): TextEncoder<T5Params> {
  return t5(parseT5Config(json));
}

function withBias({ layer: [first, second] }: T5LayerParams, bias: EmbeddingParams): T5LayerParams {
  return { layer: [{ ...first, SelfAttention: { ...first.SelfAttention, relative_attention_bias: bias } }, second] };
}
