import { add, cast, concat, mul, reshape, sub, UserError, type Generator, type Tensor } from '@langevin/tensor';
import {
  activations,
  embedding,
  embeddingMlp,
  fourierFeatures,
  linear,
  scoped,
  sinusoidalEmbedding,
  type ActivationName,
  type EmbeddingMlpParams,
  type EmbeddingParams,
  type FourierFeaturesParams,
  type LinearParams,
  type NoParams,
} from '@langevin/nn';
import type { Conditions, ConditionSpec, ConditionSpecs } from '@langevin/core';
import type { Unet2dConditionConfig } from './config.ts';
import { levelsOf } from './levels.ts';
import { textPooling, type TextPoolingParams } from './text-pooling.ts';

const WHERE = 'backbones/unet2d-condition';

/** Names of diffusers. */
export interface EmbeddingsParams {
  readonly time_proj?: FourierFeaturesParams;
  readonly time_embedding: EmbeddingMlpParams;
  readonly encoder_hid_proj?: LinearParams;
  readonly class_embedding?: EmbeddingParams | EmbeddingMlpParams | LinearParams | NoParams;
  readonly add_embedding?: EmbeddingMlpParams | TextPoolingParams;
}

/** What the embeddings make of time and conditions: one vector for each picture, and the context that attention reads. */
export interface Embedded {
  /** [N, size] */
  readonly embedding: Tensor;
  /** [N, L, D] */
  readonly context: Tensor | undefined;
}

export interface Embeddings {
  /** Features of the vector. */
  readonly size: number;
  /** The conditions that they read. */
  readonly conditions: ConditionSpecs;
  readonly init: (generator: Generator) => EmbeddingsParams;
  readonly apply: (params: EmbeddingsParams, time: Tensor, conditions: Conditions) => Embedded;
}

/** The activation of a configuration, which may call silu swish. */
export const activationOf = (name: Unet2dConditionConfig['actFn']): ActivationName => (name === 'swish' ? 'silu' : name);

/** All that stands before the blocks of the network: embeddings of time, guidance, classes, texts and numbers. */
export function embeddings(config: Unet2dConditionConfig): Embeddings {
  const first = config.blockOutChannels[0]!;
  const fourier = config.timeEmbeddingType === 'fourier';
  const size = config.timeEmbeddingDim ?? (fourier ? 2 : 4) * first;
  const featureSize = fourier ? size : first;
  const order = config.flipSinToCos ? 'cos-sin' : 'sin-cos';
  const activation = activationOf(config.actFn);
  const guidanceSize = config.timeCondProjDim;

  const waves = fourier ? scoped('time_proj', fourierFeatures({ count: size / 2, deviation: 1, order, draws: 1 })) : undefined;
  const features = (params: EmbeddingsParams, t: Tensor): Tensor =>
    waves
      ? waves.apply(params.time_proj!, cast(t, 'float32'))
      : sinusoidalEmbedding(t, { size: first, order, frequencyShift: config.freqShift });
  const post = config.timestepPostAct;
  const embedTime = scoped(
    'time_embedding',
    embeddingMlp({
      inputs: featureSize,
      outputs: size,
      activation,
      condition: guidanceSize,
      ...(post !== null && { postActivation: activationOf(post) }),
    }),
  );
  const textSize = config.encoderHidDim ?? levelsOf(config)[0]!.contextChannels;
  const textProjection =
    config.encoderHidDim === null
      ? undefined
      : scoped('encoder_hid_proj', linear({ inputs: config.encoderHidDim, outputs: levelsOf(config)[0]!.contextChannels }));
  const classes = classEmbedding(config, { features: featureSize, outputs: size, activation });
  const addition = additionEmbedding(config, { text: textSize, outputs: size, order });
  const last = config.timeEmbeddingActFn;

  return {
    size: config.classEmbeddingsConcat ? 2 * size : size,
    conditions: {
      ...(readsText(config) && { text: { kind: 'tokens', size: textSize } }),
      ...(guidanceSize !== null && { guidance: { kind: 'scalar', optional: true } }),
      ...(classes && { label: classes.spec }),
      ...addition?.conditions,
    },
    init: (generator) => ({
      ...(waves && { time_proj: waves.init(generator) }),
      time_embedding: embedTime.init(generator),
      ...(textProjection && { encoder_hid_proj: textProjection.init(generator) }),
      ...(classes && { class_embedding: classes.init(generator) }),
      ...(addition && { add_embedding: addition.init(generator) }),
    }),
    apply(params, time, conditions) {
      const dtype = params.time_embedding.linear_1.weight.dtype;
      const toFeatures = (t: Tensor): Tensor => cast(features(params, t), dtype);
      const { guidance, label, text } = conditions;
      const scale = guidance && guidanceSize !== null ? cast(guidanceFeatures(guidance, guidanceSize), dtype) : undefined;
      let vector = embedTime.apply(params.time_embedding, toFeatures(time), scale);
      if (classes) {
        const told = classes.apply(params.class_embedding ?? {}, label!, toFeatures);
        vector = config.classEmbeddingsConcat ? concat([vector, told], 1) : add(vector, told);
      }
      if (addition) vector = add(vector, addition.apply(params.add_embedding!, conditions));
      const context = text && textProjection ? textProjection.apply(params.encoder_hid_proj!, text) : text;
      return { embedding: last === null ? vector : activations[activationOf(last)](vector), context };
    },
  };
}

/** Whether anything in the network reads the text. */
function readsText({ downBlockTypes, upBlockTypes, midBlockType, additionEmbedType }: Unet2dConditionConfig): boolean {
  return (
    additionEmbedType === 'text' || [...downBlockTypes, ...upBlockTypes, midBlockType ?? ''].some((type) => type.includes('CrossAttn'))
  );
}

/**
 * Waves of the guidance scale that a network was distilled at (Luo et al. 2023, arXiv:2310.04378): of 1000 w, where w is the scale less 1
 * since w = 0 is no guidance there and 1 is everywhere here.
 */
function guidanceFeatures(guidanceScale: Tensor, size: number): Tensor {
  return sinusoidalEmbedding(mul(sub(cast(guidanceScale, 'float32'), 1), 1000), { size, order: 'sin-cos', frequencyShift: 1 });
}

interface ClassEmbedding {
  readonly spec: ConditionSpec;
  readonly init: (generator: Generator) => NonNullable<EmbeddingsParams['class_embedding']>;
  readonly apply: (params: NonNullable<EmbeddingsParams['class_embedding']>, label: Tensor, toFeatures: (t: Tensor) => Tensor) => Tensor;
}

/** A class, a vector or a second time, to be added to the embedding of time; undefined where there is none. */
function classEmbedding(
  { classEmbedType, numClassEmbeds, projectionClassEmbeddingsInputDim: inputs }: Unet2dConditionConfig,
  { features, outputs, activation }: { readonly features: number; readonly outputs: number; readonly activation: ActivationName },
): ClassEmbedding | undefined {
  switch (classEmbedType) {
    case null: {
      if (numClassEmbeds === null) return undefined;
      const table = scoped('class_embedding', embedding({ count: numClassEmbeds, size: outputs }));
      return {
        spec: { kind: 'label', count: numClassEmbeds, none: null },
        init: table.init,
        apply: (params, label) => table.apply(params as EmbeddingParams, label),
      };
    }
    case 'identity':
      return { spec: { kind: 'vector', size: outputs }, init: () => ({}), apply: (_, label) => label };
    case 'timestep': {
      const mlp = scoped('class_embedding', embeddingMlp({ inputs: features, outputs, activation }));
      return {
        spec: { kind: 'scalar' },
        init: mlp.init,
        apply: (params, label, toFeatures) => mlp.apply(params as EmbeddingMlpParams, toFeatures(label)),
      };
    }
    case 'projection': {
      const mlp = scoped('class_embedding', embeddingMlp({ inputs: inputs!, outputs }));
      return {
        spec: { kind: 'vector', size: inputs! },
        init: mlp.init,
        apply: (params, label) => mlp.apply(params as EmbeddingMlpParams, label),
      };
    }
    case 'simple_projection': {
      const layer = scoped('class_embedding', linear({ inputs: inputs!, outputs }));
      return {
        spec: { kind: 'vector', size: inputs! },
        init: layer.init,
        apply: (params, label) => layer.apply(params as LinearParams, label),
      };
    }
  }
}

interface AdditionEmbedding {
  readonly conditions: ConditionSpecs;
  readonly init: (generator: Generator) => NonNullable<EmbeddingsParams['add_embedding']>;
  readonly apply: (params: NonNullable<EmbeddingsParams['add_embedding']>, conditions: Conditions) => Tensor;
}

/** What else is added to the embedding of time; undefined where nothing is. */
function additionEmbedding(
  config: Unet2dConditionConfig,
  { text, outputs, order }: { readonly text: number; readonly outputs: number; readonly order: 'sin-cos' | 'cos-sin' },
): AdditionEmbedding | undefined {
  switch (config.additionEmbedType) {
    case 'text': {
      const pooling = scoped('add_embedding', textPooling({ features: text, outputs, heads: config.additionEmbedTypeNumHeads }));
      return {
        conditions: {},
        init: pooling.init,
        apply: (params, conditions) => pooling.apply(params as TextPoolingParams, conditions['text']!),
      };
    }
    case 'text_time': {
      // The micro-conditioning of SDXL (Podell et al. 2023, arXiv:2307.01952, sec. 2.2): the pooled text, and each number as waves.
      const inputs = config.projectionClassEmbeddingsInputDim!;
      const each = config.additionTimeEmbedDim!;
      const mlp = scoped('add_embedding', embeddingMlp({ inputs, outputs }));
      return {
        conditions: { pooled: { kind: 'vector', size: null }, time_ids: { kind: 'vector', size: null } },
        init: mlp.init,
        apply(params, { pooled, time_ids: ids }) {
          const [n, numbers] = ids!.shape as readonly [number, number];
          const given = pooled!.shape[1]! + numbers * each;
          if (given !== inputs) {
            throw new UserError(
              `[${WHERE}] pooled text and numbers do not fit: pooled=[${pooled!.shape.join(', ')}], time_ids=[${ids!.shape.join(', ')}], `
                + `each number ${each} features: ${given}, the network takes ${inputs}. SDXL takes 6 numbers, its refiner 5.`,
            );
          }
          const waves = sinusoidalEmbedding(reshape(ids!, [n * numbers]), { size: each, order, frequencyShift: config.freqShift });
          const joined = concat([pooled!, cast(reshape(waves, [n, numbers * each]), pooled!.dtype)], 1);
          return mlp.apply(params as EmbeddingMlpParams, joined);
        },
      };
    }
    default:
      return undefined;
  }
}
