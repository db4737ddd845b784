import { add, cast, type Generator, type Tensor } from '@langevin/tensor';
import {
  constant,
  defineModule,
  embedding,
  embeddingMlp,
  normal,
  scoped,
  sinusoidalEmbedding,
  type EmbeddingMlpParams,
  type EmbeddingParams,
  type Module,
} from '@langevin/nn';

/** Features of time before the network embeds them; diffusers and the paper's code agree on it. */
const TIME_FEATURES = 256;

/** Names of diffusers. */
export interface ConditioningParams {
  readonly timestep_embedder: EmbeddingMlpParams;
  readonly class_embedder: { readonly embedding_table: EmbeddingParams };
}

/** Time [N] and labels [N] (int32) to the vector [N, width] that conditions every block. */
export function conditioning(config: {
  readonly classes: number;
  readonly width: number;
  readonly init: 'paper' | 'torch';
}): Module<ConditioningParams, readonly [time: Tensor, labels: Tensor], Tensor> {
  const { classes, width, init } = config;
  const weightInit = normal({ deviation: 0.02 });
  const paper = init === 'paper';
  const time = scoped(
    'timestep_embedder',
    embeddingMlp({ inputs: TIME_FEATURES, outputs: width, ...(paper && { init: { weightInit, biasInit: constant(0) } }) }),
  );
  const table = scoped('class_embedder.embedding_table', embedding({ count: classes + 1, size: width, ...(paper && { weightInit }) }));
  return defineModule({
    init: (generator: Generator): ConditioningParams => ({
      timestep_embedder: time.init(generator),
      class_embedder: { embedding_table: table.init(generator) },
    }),
    apply(params: ConditioningParams, t: Tensor, labels: Tensor) {
      const features = sinusoidalEmbedding(t, { size: TIME_FEATURES, order: 'cos-sin', frequencyShift: 1 });
      const weight = params.class_embedder.embedding_table.weight;
      return add(
        time.apply(params.timestep_embedder, cast(features, weight.dtype)),
        table.apply(params.class_embedder.embedding_table, labels),
      );
    },
  });
}
