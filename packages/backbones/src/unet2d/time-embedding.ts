import { cast, log, UserError, type Generator, type Tensor } from '@langevin/tensor';
import {
  defineModule,
  embedding,
  embeddingMlp,
  fourierFeatures,
  scoped,
  sinusoidalEmbedding,
  type EmbeddingMlpParams,
  type EmbeddingParams,
  type FourierFeaturesParams,
  type Module,
  type NoParams,
} from '@langevin/nn';
import type { Unet2dConfig } from './config.ts';

/** Parameters of the features of time; only the fixed frequencies and the learned table have any. */
export type TimeFeaturesParams = FourierFeaturesParams | EmbeddingParams | NoParams;

/** [N] to [N, size]: numbers that say what time it is, before the network embeds them. */
export type TimeFeatures = Module<TimeFeaturesParams, readonly [time: Tensor], Tensor> & { readonly size: number };

export function timeFeatures(config: Unet2dConfig): TimeFeatures {
  const first = config.blockOutChannels[0]!;
  switch (config.timeEmbeddingType) {
    case 'positional': {
      const { freqShift: frequencyShift, flipSinToCos } = config;
      const order = flipSinToCos ? 'cos-sin' : 'sin-cos';
      return withSize(first, { init: () => ({}), apply: (_, time) => sinusoidalEmbedding(time, { size: first, order, frequencyShift }) });
    }
    case 'fourier': {
      const features = scoped('time_proj', fourierFeatures({ count: first }));
      return withSize(2 * first, {
        init: features.init,
        apply: (params, time) => features.apply(params as FourierFeaturesParams, log(cast(time, 'float32'))),
      });
    }
    case 'learned': {
      const table = scoped('time_proj', embedding({ count: config.numTrainTimesteps!, size: first }));
      return withSize(first, { init: table.init, apply: (params, time) => table.apply(params as EmbeddingParams, cast(time, 'int32')) });
    }
  }
}

function withSize(size: number, module: Module<TimeFeaturesParams, readonly [time: Tensor], Tensor>): TimeFeatures {
  return Object.freeze({ ...module, size });
}

export type ClassEmbeddingParams = EmbeddingParams | EmbeddingMlpParams | NoParams;

/** Labels to [N, E], to be added to the embedding of time. */
export type ClassEmbedding = Module<ClassEmbeddingParams, readonly [labels: Tensor, embedTime: (t: Tensor) => Tensor], Tensor>;

/** How a network embeds classes; undefined where it knows none. */
export function classEmbedding(
  config: Unet2dConfig,
  sizes: { readonly features: number; readonly embedding: number },
): ClassEmbedding | undefined {
  const { classEmbedType, numClassEmbeds } = config;
  if (classEmbedType === 'identity') {
    return defineModule({
      init: () => ({}),
      apply(_: ClassEmbeddingParams, labels: Tensor) {
        if (labels.rank === 2 && labels.shape[1] === sizes.embedding) return labels;
        throw new UserError(
          `[backbones/unet2d] class vectors do not fit: conditions.label=[${labels.shape.join(', ')}]. With class_embed_type="identity" `
            + `give [N, ${sizes.embedding}].`,
        );
      },
    });
  }
  if (classEmbedType === 'timestep') {
    const mlp = embeddingMlp({ inputs: sizes.features, outputs: sizes.embedding });
    return defineModule({
      init: (generator: Generator): ClassEmbeddingParams => mlp.init(generator),
      apply: (params: ClassEmbeddingParams, labels: Tensor, embedTime: (t: Tensor) => Tensor) =>
        mlp.apply(params as EmbeddingMlpParams, embedTime(labels)),
    });
  }
  if (numClassEmbeds === null) return undefined;
  const table = embedding({ count: numClassEmbeds, size: sizes.embedding });
  return defineModule({
    init: (generator: Generator): ClassEmbeddingParams => table.init(generator),
    apply: (params: ClassEmbeddingParams, labels: Tensor) => table.apply(params as EmbeddingParams, labels),
  });
}
