import { add, cast, concat, reshape, type Generator, type Tensor } from '@langevin/tensor';
import {
  defineModule,
  embeddingMlp,
  modulation,
  scoped,
  sinusoidalEmbedding,
  type EmbeddingMlpParams,
  type ModulationParams,
  type Module,
} from '@langevin/nn';

/** Features of time, size and aspect ratio before the network embeds them. */
const FEATURES = 256;

/** Names of diffusers. */
export interface AdaLayerNormSingleParams extends ModulationParams {
  readonly emb: {
    readonly timestep_embedder: EmbeddingMlpParams;
    readonly resolution_embedder?: EmbeddingMlpParams;
    readonly aspect_ratio_embedder?: EmbeddingMlpParams;
  };
}

/** What the network is told beside the text. */
export interface PixartTimes {
  /** [N] */
  readonly time: Tensor;
  /** [N, 2]: height and width that the picture was made for, in pixels. */
  readonly resolution?: Tensor | undefined;
  /** [N]: height over width. */
  readonly aspectRatio?: Tensor | undefined;
}

/**
 * Time, and size and aspect ratio where the network is told these, to the six vectors that all blocks share: adaLN-single. Chen et al. 2023
 * (arXiv:2310.00426), sec. 2.3.
 *
 * `apply(params, given)` gives `{ embedded [N, width], vectors: six of [N, width] }`: shift, scale and gate of the attention, then of the
 * feed-forward.
 */
export function adaLayerNormSingle({
  width,
  sizes,
}: {
  readonly width: number;
  /** Whether the network is told size and aspect ratio. */
  readonly sizes: 'told' | 'none';
}): Module<AdaLayerNormSingleParams, readonly [given: PixartTimes], { readonly embedded: Tensor; readonly vectors: readonly Tensor[] }> {
  const time = scoped('emb.timestep_embedder', embeddingMlp({ inputs: FEATURES, outputs: width }));
  const third = (name: string) => scoped(`emb.${name}`, embeddingMlp({ inputs: FEATURES, outputs: Math.floor(width / 3) }));
  const resolution = third('resolution_embedder');
  const aspectRatio = third('aspect_ratio_embedder');
  const six = modulation({ channels: width, parts: 6 });
  const features = (numbers: Tensor): Tensor => sinusoidalEmbedding(numbers, { size: FEATURES, order: 'cos-sin' });
  return defineModule({
    init: (generator: Generator): AdaLayerNormSingleParams => ({
      emb: {
        timestep_embedder: time.init(generator),
        ...(sizes === 'told' && {
          resolution_embedder: resolution.init(generator),
          aspect_ratio_embedder: aspectRatio.init(generator),
        }),
      },
      ...six.init(generator),
    }),
    apply({ emb, ...own }: AdaLayerNormSingleParams, given: PixartTimes) {
      const dtype = own.linear.weight.dtype;
      const timed = time.apply(emb.timestep_embedder, cast(features(given.time), dtype));
      if (sizes === 'none') return { embedded: timed, vectors: six.apply(own, timed) };
      const n = timed.shape[0]!;
      const sides = resolution.apply(emb.resolution_embedder!, cast(features(reshape(given.resolution!, [2 * n])), dtype));
      const ratio = aspectRatio.apply(emb.aspect_ratio_embedder!, cast(features(given.aspectRatio!), dtype));
      const embedded = add(timed, concat([reshape(sides, [n, -1]), ratio], 1));
      return { embedded, vectors: six.apply(own, embedded) };
    },
  });
}
