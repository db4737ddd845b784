import { add, concat, repeat, reshape, UserError, type Generator, type Tensor } from '@langevin/tensor';
import {
  attention,
  defineModule,
  feedForward,
  layerNorm,
  linear,
  normal,
  scoped,
  type AttentionParams,
  type FeedForwardParams,
  type LinearParams,
  type Module,
  type NormParams,
} from '@langevin/nn';

interface Sizes {
  /** Features of an image encoder's result. */
  readonly imageSize: number;
  /** Features of the tokens that the U-Net reads. */
  readonly contextSize: number;
}

/**
 * Which layers lead from an image encoder to tokens:
 * - `plain`: one layer from an embedding to a few tokens (IP-Adapter)
 * - `face`: two layers, from the embedding of a face (IP-Adapter FaceID)
 * - `full`: two layers, from each of the encoder's hidden states to a token (IP-Adapter Full)
 * - `plus`: tokens that gather from all hidden states in some blocks (IP-Adapter Plus)
 */
export type ImageProjectionConfig = Sizes
  & (
    | { readonly kind: 'plain'; readonly tokens: number }
    | { readonly kind: 'face'; readonly tokens: number; readonly hidden: number }
    | { readonly kind: 'full' }
    | {
        readonly kind: 'plus';
        readonly tokens: number;
        readonly hidden: number;
        readonly heads: number;
        readonly headSize: number;
        readonly layers: number;
      }
  );

/** Names of diffusers' `ImageProjection`. */
export interface PlainProjectionParams {
  readonly image_embeds: LinearParams;
  readonly norm: NormParams;
}

/** Names of diffusers' `IPAdapterFullImageProjection` and `IPAdapterFaceIDImageProjection`. */
export interface PerceptronProjectionParams {
  readonly ff: FeedForwardParams;
  readonly norm: NormParams;
}

/** Names of diffusers' `IPAdapterPlusImageProjection`. */
export interface PlusProjectionParams {
  /** [1, tokens, hidden] */
  readonly latents: Tensor;
  readonly proj_in: LinearParams;
  readonly layers: readonly {
    readonly ln0: NormParams;
    readonly ln1: NormParams;
    readonly attn: AttentionParams;
    readonly ff: readonly [NormParams, FeedForwardParams];
  }[];
  readonly proj_out: LinearParams;
  readonly norm_out: NormParams;
}

export type ImageProjectionParams = PlainProjectionParams | PerceptronProjectionParams | PlusProjectionParams;

/** Images to tokens, all of an item one behind the other. */
export type ImageProjection = Module<ImageProjectionParams, readonly [images: Tensor], Tensor>;

/**
 * The layers between an image encoder and the tokens of an image prompt: Ye et al. 2023 (arXiv:2308.06721), in the forms of diffusers.
 *
 * `apply(params, images)` gives [N, I * tokens, contextSize] for I images of each item: of `plain` and `face` from [N, I, imageSize], of
 * `full` and `plus` from [N, I, S, imageSize], the hidden states of the encoder. It runs once for a picture, not at every step.
 *
 * @throws UserError at `apply` when the images do not fit
 * @example
 * const plain = imageProjection({ kind: 'plain', imageSize: 16, contextSize: 12, tokens: 4 });
 * plain.apply(plain.init(torchGenerator(0)), zeros([1, 2, 16])).shape; // => [1, 8, 12]
 */
export function imageProjection(config: ImageProjectionConfig): ImageProjection {
  const inner = (config.kind === 'plus' ? plus(config) : config.kind === 'plain' ? plain(config) : perceptron(config)) as ImageProjection;
  const rank = config.kind === 'plain' || config.kind === 'face' ? 3 : 4;
  return defineModule({
    init: inner.init,
    apply(params: ImageProjectionParams, images: Tensor) {
      const fits = images.rank === rank && images.shape[rank - 1] === config.imageSize && !images.shape.includes(0);
      if (!fits) {
        throw new UserError(
          `[backbones/ip-adapter] images do not fit: images=[${images.shape.join(', ')}]. This adapter (${config.kind}) takes `
            + `${rank === 3 ? 'embeddings [N, images' : 'hidden states [N, images, S'}, ${config.imageSize}]: use the image encoder `
            + 'that it was made with.',
        );
      }
      const [n, count] = images.shape as readonly [number, number];
      const tokens = inner.apply(params, reshape(images, [n * count, ...images.shape.slice(2)]));
      return reshape(tokens, [n, count * tokens.shape[1]!, config.contextSize]);
    },
  });
}

function plain({ imageSize, contextSize, tokens }: Extract<ImageProjectionConfig, { kind: 'plain' }>) {
  const project = scoped('image_embeds', linear({ inputs: imageSize, outputs: tokens * contextSize }));
  const norm = layerNorm({ channels: contextSize });
  return defineModule({
    init: (generator: Generator): PlainProjectionParams => ({ image_embeds: project.init(generator), norm: norm.init(generator) }),
    apply: (params: PlainProjectionParams, x: Tensor) =>
      norm.apply(params.norm, reshape(project.apply(params.image_embeds, x), [x.shape[0]!, tokens, contextSize])),
  });
}

function perceptron(config: Extract<ImageProjectionConfig, { kind: 'face' | 'full' }>) {
  const { imageSize, contextSize } = config;
  const tokens = config.kind === 'face' ? config.tokens : 1;
  const hidden = config.kind === 'face' ? config.hidden : imageSize;
  const ff = scoped('ff', feedForward({ channels: imageSize, outputs: tokens * contextSize, hidden, activation: 'gelu' }));
  const norm = layerNorm({ channels: contextSize });
  return defineModule({
    init: (generator: Generator): PerceptronProjectionParams => ({ ff: ff.init(generator), norm: norm.init(generator) }),
    apply: (params: PerceptronProjectionParams, x: Tensor) =>
      norm.apply(params.norm, reshape(ff.apply(params.ff, x), [x.shape[0]!, -1, contextSize])),
  });
}

function plus(config: Extract<ImageProjectionConfig, { kind: 'plus' }>) {
  const { imageSize, contextSize, tokens, hidden, heads, headSize } = config;
  const projIn = scoped('proj_in', linear({ inputs: imageSize, outputs: hidden }));
  const projOut = scoped('proj_out', linear({ inputs: hidden, outputs: contextSize }));
  const normOut = layerNorm({ channels: contextSize });
  const norm = layerNorm({ channels: hidden });
  const attn = attention({ channels: hidden, heads, headSize, bias: 'none', outBias: 'none' });
  const ff = feedForward({ channels: hidden, activation: 'gelu', bias: 'none' });
  return defineModule({
    init: (generator: Generator): PlusProjectionParams => ({
      latents: normal({ deviation: hidden ** -0.5 })(generator, [1, tokens, hidden]),
      proj_in: projIn.init(generator),
      proj_out: projOut.init(generator),
      norm_out: normOut.init(generator),
      layers: Array.from({ length: config.layers }, () => ({
        ln0: norm.init(generator),
        ln1: norm.init(generator),
        attn: attn.init(generator),
        ff: [norm.init(generator), ff.init(generator)] as const,
      })),
    }),
    apply(params: PlusProjectionParams, x: Tensor) {
      const states = projIn.apply(params.proj_in, x);
      let latents = repeat(params.latents, x.shape[0]!, 0);
      for (const {
        ln0,
        ln1,
        attn: weights,
        ff: [normal2, feed],
      } of params.layers) {
        const queries = norm.apply(ln1, latents);
        const context = concat([norm.apply(ln0, states), queries], 1);
        latents = add(attn.apply(weights, queries, { context }), latents);
        latents = add(ff.apply(feed, norm.apply(normal2, latents)), latents);
      }
      return normOut.apply(params.norm_out, projOut.apply(params.proj_out, latents));
    },
  });
}
