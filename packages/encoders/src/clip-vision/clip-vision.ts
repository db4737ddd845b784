import { conv, embedding, layerNorm, linear, scoped, type EmbeddingParams, type LinearParams, type NormParams } from '@langevin/nn';
import { add, broadcastTo, concat, range, reshape, slice, transpose, UserError, type Generator, type Tensor } from '@langevin/tensor';
import { clipLayer, type ClipLayerParams } from '../clip-text/layer.ts';
import type { ImageEncoder } from '../define-encoder.ts';
import { parseClipVisionConfig, type ClipVisionConfig } from './config.ts';

/** Names of transformers, `pre_layrnorm` among them. */
export interface ClipVisionParams {
  readonly vision_model: {
    readonly embeddings: {
      /** [size] */
      readonly class_embedding: Tensor;
      /** [size, channels, patch, patch] */
      readonly patch_embedding: { readonly weight: Tensor };
      readonly position_embedding: EmbeddingParams;
    };
    readonly pre_layrnorm: NormParams;
    readonly encoder: { readonly layers: readonly ClipLayerParams[] };
    readonly post_layernorm: NormParams;
  };
  readonly visual_projection: LinearParams;
}

/**
 * The image encoder of CLIP (Radford et al. 2021, arXiv:2103.00020) in the form of transformers' `CLIPVisionModelWithProjection`: same
 * names of parameters, same numbers.
 *
 * `apply(params, pixels)` takes float32 [N, channels, imageSize, imageSize], as the picture preparation of the checkpoint makes them. The
 * features of the whole picture are those of the class token, normed and projected.
 *
 * @throws UserError at `apply` when the pixels do not fit
 */
export function clipVision(config: ClipVisionConfig): ImageEncoder<ClipVisionParams> {
  const { hiddenSize: size, imageSize: side, patchSize: patch, numChannels: channels, numHiddenLayers, layerNormEps: epsilon } = config;
  const patches = Math.floor(side / patch) ** 2;
  const embed = scoped(
    'vision_model.embeddings.patch_embedding',
    conv({ inputs: channels, outputs: size, kernel: patch, stride: patch, bias: 'none' }),
  );
  const first = scoped('vision_model.embeddings.class_embedding', embedding({ count: 1, size }));
  const places = scoped('vision_model.embeddings.position_embedding', embedding({ count: patches + 1, size }));
  const layers = Array.from({ length: numHiddenLayers }, (_, i) =>
    scoped(
      `vision_model.encoder.layers.${i}`,
      clipLayer({ size, inner: config.intermediateSize, heads: config.numAttentionHeads, epsilon, activation: config.hiddenAct }),
    ),
  );
  const before = scoped('vision_model.pre_layrnorm', layerNorm({ channels: size, epsilon }));
  const behind = scoped('vision_model.post_layernorm', layerNorm({ channels: size, epsilon }));
  const project = scoped('visual_projection', linear({ inputs: size, outputs: config.projectionDim, bias: 'none' }));
  return Object.freeze({
    info: { kind: 'image' as const, channels, side, size, pooled: config.projectionDim, layers: numHiddenLayers },
    init: (generator: Generator): ClipVisionParams => ({
      vision_model: {
        embeddings: {
          class_embedding: reshape(first.init(generator).weight, [size]),
          patch_embedding: { weight: embed.init(generator).weight },
          position_embedding: places.init(generator),
        },
        pre_layrnorm: before.init(generator),
        encoder: { layers: layers.map((layer) => layer.init(generator)) },
        post_layernorm: behind.init(generator),
      },
      visual_projection: project.init(generator),
    }),
    apply(params: ClipVisionParams, pixels: Tensor) {
      const [n = 0, ...rest] = pixels.shape;
      if (pixels.rank !== 4 || n === 0 || rest.join() !== [channels, side, side].join())
        throw new UserError(
          `[encoders/clip-vision] pixels do not fit: pixels=[${pixels.shape.join(', ')}]. Give [N, ${channels}, ${side}, ${side}].`,
        );
      const { embeddings, pre_layrnorm: preParams, encoder, post_layernorm: postParams } = params.vision_model;
      const grid = embed.apply(embeddings.patch_embedding, pixels);
      const tokens = transpose(reshape(grid, [n, size, patches]), [0, 2, 1]);
      const start = broadcastTo(reshape(embeddings.class_embedding, [1, 1, size]), [n, 1, size]);
      const placed = add(concat([start, tokens], 1), places.apply(embeddings.position_embedding, range(patches + 1)));
      const states = [before.apply(preParams, placed)];
      layers.forEach((layer, i) => states.push(layer.apply(encoder.layers[i]!, states[i]!, undefined)));
      const last = states.at(-1)!;
      const whole = reshape(slice(last, { 1: { start: 0, stop: 1 } }), [n, size]);
      return { last, states, pooled: project.apply(params.visual_projection, behind.apply(postParams, whole)) };
    },
  });
}

/** {@link clipVision} from a parsed `config.json` of transformers. @throws UserError naming the entry that is wrong */
export function clipVisionFromConfig(json: unknown): ImageEncoder<ClipVisionParams> {
  return clipVision(parseClipVisionConfig(json));
}
