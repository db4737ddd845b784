import { add, cast, mul, type Generator, type Tensor } from '@langevin/tensor';
import { defineModule, embeddingMlp, scoped, sinusoidalEmbedding, type EmbeddingMlpParams, type Module } from '@langevin/nn';

/** Features of time and guidance before the network embeds them. */
const FEATURES = 256;
/** Guidance scales are embedded as times are, times this. */
const GUIDANCE_UNIT = 1000;

/** Names of diffusers. */
export interface TimeTextEmbeddingParams {
  readonly timestep_embedder: EmbeddingMlpParams;
  readonly guidance_embedder?: EmbeddingMlpParams;
  readonly text_embedder: EmbeddingMlpParams;
}

/** What the vector of a step is made of. */
export interface TimeText {
  /** [N], timesteps 0..1000 */
  readonly time: Tensor;
  /** [N, pooled]: the whole text as one vector. */
  readonly pooled: Tensor;
  /** [N]: the guidance scale, for networks that guidance was distilled into. */
  readonly guidance?: Tensor | undefined;
}

/**
 * Time, the text as a whole, and a guidance scale to the vector [N, width] that conditions every block: diffusers'
 * `CombinedTimestepTextProjEmbeddings` and `CombinedTimestepGuidanceTextProjEmbeddings`.
 */
export function timeTextEmbedding({
  width,
  pooled,
  guidance,
}: {
  readonly width: number;
  readonly pooled: number;
  readonly guidance: 'embedded' | 'none';
}): Module<TimeTextEmbeddingParams, readonly [given: TimeText], Tensor> {
  const embedTime = scoped('timestep_embedder', embeddingMlp({ inputs: FEATURES, outputs: width }));
  const embedGuidance = guidance === 'none' ? undefined : scoped('guidance_embedder', embeddingMlp({ inputs: FEATURES, outputs: width }));
  const embedText = scoped('text_embedder', embeddingMlp({ inputs: pooled, outputs: width }));
  const features = (numbers: Tensor): Tensor => sinusoidalEmbedding(numbers, { size: FEATURES, order: 'cos-sin' });
  return defineModule({
    init: (generator: Generator): TimeTextEmbeddingParams => ({
      timestep_embedder: embedTime.init(generator),
      ...(embedGuidance && { guidance_embedder: embedGuidance.init(generator) }),
      text_embedder: embedText.init(generator),
    }),
    apply(params: TimeTextEmbeddingParams, given: TimeText) {
      const { dtype } = given.pooled;
      const timed = embedTime.apply(params.timestep_embedder, cast(features(given.time), dtype));
      const guided =
        embedGuidance === undefined
          ? timed
          : add(timed, embedGuidance.apply(params.guidance_embedder!, cast(features(mul(given.guidance!, GUIDANCE_UNIT)), dtype)));
      return add(guided, embedText.apply(params.text_embedder, given.pooled));
    },
  });
}
