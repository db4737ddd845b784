import type { Image } from '@langevin/io';
import { inFloat32 } from '@langevin/nn';
import { compile, float32Data, softmax, tensor, UnsupportedError, type Engine, type Tensor } from '@langevin/tensor';
import { checkGiven } from '../features/given.ts';
import type { FeatureSet } from '../features/feature-set.ts';
import { pictureFeatures, type FeatureExtractor, type FeatureRunOptions } from '../features/extractor.ts';
import type { Embeddings } from '../scores/caption-score.ts';
import type { PictureInput } from '../features/picture-input.ts';
import { checkArchitecture } from './architecture.ts';
import { judgeNetwork, type JudgeParams } from './network.ts';
import type { JudgeRecord } from './record.ts';
import { rowsOf } from './words.ts';

/** Pictures at a time. */
const BATCH = 64;

/**
 * A network that samples are judged by: what they are compared in, and what it takes them for. It was trained apart from every generator,
 * by another recipe, and is named by the hash of its weights.
 */
export interface Judge extends FeatureExtractor {
  readonly record: JudgeRecord;
  /** The probability of each class, [count, classes]. @throws UnsupportedError from a judge of captions */
  readonly probabilities: (pictures: readonly Image[], options?: FeatureRunOptions) => Promise<ClassProbabilities>;
  /** Unit vectors. @throws UnsupportedError from a judge of classes */
  readonly pictureEmbeddings: (pictures: readonly Image[], options?: FeatureRunOptions) => Promise<Embeddings>;
  /** Unit vectors in the same space. @throws UnsupportedError from a judge of classes */
  readonly captionEmbeddings: (captions: readonly string[]) => Promise<Embeddings>;
  /**
   * What each of its stages makes of pictures [N, channels, H, W] in [-1, 1], as nodes of a graph with its weights as constants: for
   * losses. What takes part in one may not judge what was trained with it.
   */
  readonly maps: (pictures: Tensor) => readonly Tensor[];
  /** Gives back what it holds on the engine. */
  readonly dispose: () => Promise<void>;
}

/** What a judge takes pictures for. */
export interface ClassProbabilities {
  /** [count, classes], rows that sum to 1. */
  readonly probabilities: Float64Array;
  readonly classes: number;
  /** The most probable class of each picture. */
  readonly labels: Int32Array;
}

export interface JudgeOptions {
  readonly record: JudgeRecord;
  /** As its network's `init` makes them; floats of 16 bits are widened on the engine. */
  readonly params: JudgeParams;
  /** @default the default engine */
  readonly engine?: Engine | undefined;
}

/** What a judge's network takes: `area` makes the same numbers of a picture on every machine. */
export function judgeInput(record: Pick<JudgeRecord, 'architecture'>): PictureInput {
  checkGiven('metrics/judge', 'an object', { record });
  checkArchitecture(record.architecture);
  const { channels, side } = record.architecture;
  return { width: side, height: side, channels: channels === 1 ? 'grey' : 'rgb', resize: 'area', range: [-1, 1] };
}

/** A judge from its record and weights; `loadJudge` of `@langevin/metrics/node` reads both from a folder. */
export function makeJudge({ record, params, engine }: JudgeOptions): Judge {
  const { architecture, head, name, sha256: hash } = record;
  const network = judgeNetwork(architecture, head);
  const on = engine === undefined ? {} : { engine };
  const features = compile((weights: JudgeParams, x: Tensor) => network.features(inFloat32(weights), x), {
    name: `judge ${name}`,
    freeze: [0],
    ...on,
  });
  const answer = compile(
    (weights: JudgeParams, rows: Tensor) => {
      const given = network.answer(inFloat32(weights), rows);
      return head.kind === 'classes' ? softmax(given, 1) : given;
    },
    { name: `judge ${name} answer`, ...on },
  );
  const captions = compile(
    (weights: JudgeParams, words: { readonly rows: Tensor; readonly counts: Tensor }) => network.captions(inFloat32(weights), words),
    { name: `judge ${name} captions`, ...on },
  );
  const extractor = pictureFeatures({
    name,
    hash,
    layer: 'mean of the last stage',
    input: judgeInput(record),
    batch: BATCH,
    network: async ({ data, shape }) => {
      const result = await features(params as never, tensor(data, { shape }));
      return { data: await float32Data(result, on), shape: result.shape };
    },
  });
  const answered = async (set: FeatureSet): Promise<{ readonly rows: Float64Array; readonly width: number }> => {
    const given = await answer(params as never, tensor(Float32Array.from(set.rows), { shape: [set.count, set.width] }));
    return { rows: Float64Array.from(await float32Data(given, on)), width: given.shape[1]! };
  };
  return Object.freeze<Judge>({
    ...extractor,
    record,
    probabilities: async (pictures, options) => {
      if (head.kind !== 'classes') throw unsupported(record, 'no classes', 'Use one that was trained on classes.');
      const { rows, width } = await answered(await extractor.features(pictures, options));
      return Object.freeze({ probabilities: rows, classes: width, labels: mostProbable(rows, width) });
    },
    pictureEmbeddings: async (pictures, options) => {
      if (head.kind !== 'captions') throw unsupported(record, 'no captions', 'Use one that was trained on captions.');
      return Object.freeze(await answered(await extractor.features(pictures, options)));
    },
    captionEmbeddings: async (texts) => {
      if (head.kind !== 'captions') throw unsupported(record, 'no captions', 'Use one that was trained on captions.');
      const { rows, counts } = rowsOf(texts, head);
      const shape = [texts.length, head.length];
      const words = { rows: tensor(rows, { shape, dtype: 'int32' }), counts: tensor(counts, { shape }) };
      const given = await captions(params as never, words as never);
      return Object.freeze({ rows: Float64Array.from(await float32Data(given, on)), width: head.width });
    },
    maps: (pictures) => network.maps(inFloat32(params), pictures),
    dispose: async () => {
      await features.dispose();
      await answer.dispose();
      await captions.dispose();
    },
  });
}

function mostProbable(rows: Float64Array, width: number): Int32Array {
  return Int32Array.from({ length: rows.length / width }, (_, i) => {
    let best = 0;
    for (let c = 1; c < width; c += 1) if (rows[i * width + c]! > rows[i * width + best]!) best = c;
    return best;
  });
}

function unsupported({ name }: JudgeRecord, what: string, remedy: string): UnsupportedError {
  return new UnsupportedError(`[metrics/judge] judge knows ${what}: judge=${name}. ${remedy}`);
}
