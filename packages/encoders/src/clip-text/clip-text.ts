import { embedding, layerNorm, linear, scoped, type EmbeddingParams, type LinearParams, type NormParams } from '@langevin/nn';
import {
  add,
  argMax,
  cast,
  equal,
  lessEqual,
  logicalAnd,
  max,
  mul,
  oneHot,
  range,
  reshape,
  sum,
  UserError,
  where,
  type Generator,
  type Tensor,
} from '@langevin/tensor';
import type { TextEncoder, TextEncoderInputs } from '../define-encoder.ts';
import { parseClipTextConfig, type ClipTextConfig } from './config.ts';
import { clipLayer, type ClipLayerParams } from './layer.ts';

/** Names of transformers, in the form that most files have. */
export interface ClipTextParams {
  readonly text_model: {
    readonly embeddings: { readonly token_embedding: EmbeddingParams; readonly position_embedding: EmbeddingParams };
    readonly encoder: { readonly layers: readonly ClipLayerParams[] };
    readonly final_layer_norm: NormParams;
  };
  /** Of `CLIPTextModelWithProjection`. */
  readonly text_projection?: LinearParams;
}

export interface ClipTextOptions {
  /** Whether the features of the whole text are projected: `CLIPTextModelWithProjection`. @default 'none' */
  readonly projection?: 'linear' | 'none';
}

/** The token that ends a text in OpenAI's vocabulary; configurations of these models say 2, which is another one. */
const OPENAI_END = 49_407;
const SAID_INSTEAD = 2;
/** OpenAI's vocabulary, and as many placeholders as anybody has added. */
const OPENAI_VOCABULARY = { atLeast: OPENAI_END + 1, below: 60_000 } as const;

/**
 * The text encoder of CLIP (Radford et al. 2021, arXiv:2103.00020) in the form of transformers' `CLIPTextModel`: same names of parameters,
 * same numbers. Each token attends to itself and those before it.
 *
 * `apply(params, ids, { mask? })` takes int32 [N, L] with L at most `maxPositionEmbeddings`. The features of the whole text are those of
 * its first end token, behind the projection where there is one; of the last token where the text has no end.
 *
 * @throws UserError at `apply` when the ids do not fit
 */
export function clipText(config: ClipTextConfig, { projection = 'none' }: ClipTextOptions = {}): TextEncoder<ClipTextParams> {
  const { hiddenSize: size, maxPositionEmbeddings: length, vocabSize: vocabulary, numHiddenLayers } = config;
  const tokens = scoped('text_model.embeddings.token_embedding', embedding({ count: vocabulary, size }));
  const places = scoped('text_model.embeddings.position_embedding', embedding({ count: length, size }));
  const layers = Array.from({ length: numHiddenLayers }, (_, i) =>
    scoped(
      `text_model.encoder.layers.${i}`,
      clipLayer({
        size,
        inner: config.intermediateSize,
        heads: config.numAttentionHeads,
        epsilon: config.layerNormEps,
        activation: config.hiddenAct,
      }),
    ),
  );
  const norm = scoped('text_model.final_layer_norm', layerNorm({ channels: size, epsilon: config.layerNormEps }));
  const project =
    projection === 'none' ? undefined : scoped('text_projection', linear({ inputs: size, outputs: config.projectionDim, bias: 'none' }));
  const end = endOf(config);
  return Object.freeze({
    info: {
      kind: 'text' as const,
      vocabulary,
      length,
      size,
      pooled: project ? config.projectionDim : size,
      layers: numHiddenLayers,
      table: 'text_model.embeddings.token_embedding.weight',
    },
    init: (generator: Generator): ClipTextParams => ({
      text_model: {
        embeddings: { token_embedding: tokens.init(generator), position_embedding: places.init(generator) },
        encoder: { layers: layers.map((layer) => layer.init(generator)) },
        final_layer_norm: norm.init(generator),
      },
      ...(project && { text_projection: project.init(generator) }),
    }),
    apply(params: ClipTextParams, ids: Tensor, { mask }: TextEncoderInputs = {}) {
      if (ids.dtype !== 'int32' || ids.rank !== 2 || ids.size === 0 || ids.shape[1]! > length)
        throw new UserError(
          `[encoders/clip-text] ids do not fit: ids=${ids.dtype}[${ids.shape.join(', ')}]. Give int32 [N, L] with L from 1 to ${length}.`,
        );
      const { embeddings, encoder, final_layer_norm: normParams } = params.text_model;
      const count = ids.shape[1]!;
      const at = range(count);
      const x = add(tokens.apply(embeddings.token_embedding, ids), places.apply(embeddings.position_embedding, at));
      const kept = visible(at, mask);
      const states = [x];
      layers.forEach((layer, i) => states.push(layer.apply(encoder.layers[i]!, states[i]!, kept)));
      const normalised = (state: Tensor): Tensor => norm.apply(normParams, state);
      const last = normalised(states.at(-1)!);
      const whole = sum(mul(last, reshape(oneHot(endPlace(ids, end), count), [ids.shape[0]!, count, 1])), { axes: 1 });
      return { last, states, normalised, pooled: project ? project.apply(params.text_projection!, whole) : whole };
    },
  });
}

/** {@link clipText} from a parsed `config.json` of transformers. @throws UserError naming the entry that is wrong */
export function clipTextFromConfig(json: unknown, options: ClipTextOptions = {}): TextEncoder<ClipTextParams> {
  return clipText(parseClipTextConfig(json), options);
}

/** Bool [L, L], or [N, 1, L, L]: what each token sees. */
function visible(at: Tensor, mask: Tensor | undefined): Tensor {
  const count = at.shape[0]!;
  const before = lessEqual(reshape(at, [1, count]), reshape(at, [count, 1]));
  return mask === undefined ? before : logicalAnd(before, reshape(mask, [mask.shape[0]!, 1, 1, count]));
}

/** The token that ends a text, or the largest of the text where transformers takes that for it. */
function endOf({ eosTokenId, vocabSize }: ClipTextConfig): number | 'largest' {
  if (eosTokenId !== null && eosTokenId !== SAID_INSTEAD) return eosTokenId;
  if (vocabSize >= OPENAI_VOCABULARY.below) return eosTokenId ?? 'largest';
  return vocabSize >= OPENAI_VOCABULARY.atLeast ? OPENAI_END : 'largest';
}

/** Int32 [N]: where the first end of each text is; the last place where there is none. */
function endPlace(ids: Tensor, end: number | 'largest'): Tensor {
  if (end === 'largest') return argMax(ids, 1);
  const ends = cast(equal(ids, end), 'int32');
  return where({ if: equal(max(ends, { axes: 1 }), 1), then: argMax(ends, 1), else: ids.shape[1]! - 1 });
}
