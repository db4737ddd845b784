import {
  cachedInMemory,
  fromImages,
  prefetched,
  shuffled,
  splitData,
  type DataPlugin,
  type DataSource,
  type PictureItem,
} from '@langevin/io';
import type { DataCredits, OpenDataOptions } from '@langevin/io';
import { openData } from '@langevin/io/node';
import {
  captionScore,
  judgeTask,
  makeJudge,
  vocabularyOf,
  type Judge,
  type JudgeBatch,
  type JudgeHead,
  type JudgeRecord,
  type JudgeState,
} from '@langevin/metrics';
import { UserError, type Engine } from '@langevin/tensor';
import type { Evaluation, Json, Position, Task } from '@langevin/training';
import * as v from 'valibot';
import { judgeConfigSchema, type JudgeConfig } from './judge-config.ts';
import { labelledPictures } from './labelled-pictures.ts';

export interface JudgeRunOptions {
  /** @default the default engine */
  readonly engine?: Engine;
  /** Data sets to choose from. @default those of @langevin/io */
  readonly data?: readonly DataPlugin<never>[];
  /** How missing parts of the data are fetched. @default into the usual cache, without showing progress */
  readonly fetching?: Omit<OpenDataOptions, 'plugins'>;
}

/** The training of a judge, ready to be passed to `train()`. */
export interface JudgeRun {
  readonly task: Task<JudgeState>;
  /** All that its folder says of it, but for the hash. */
  readonly record: Omit<JudgeRecord, 'sha256' | 'measured'>;
  /** What a judge makes of the pictures that were held out. */
  readonly measure: (judge: Judge, signal?: AbortSignal) => Promise<Readonly<Record<string, number>>>;
  readonly credits: DataCredits;
  /** Pictures to train on, and to measure by. */
  readonly counts: { readonly training: number; readonly heldOut: number };
}

/** Pictures with the answers that a judge is trained to give. */
interface Lesson {
  readonly source: DataSource<PictureItem>;
  /** Of classes: of each picture. */
  readonly labels: Int32Array;
  readonly classes: readonly string[];
}

/** Words of a caption that are looked at: those of the emoji have up to 15. */
const MOST_WORDS = 24;
/** A word has to occur in so many captions to get a row of its own. */
const LEAST_CAPTIONS = 2;

/**
 * Sets the training of a judge up from its recipe: data, held-out data, network, task.
 *
 * @throws UserError when the data cannot be loaded or do not fit the recipe
 * @example
 * // not run: trains for minutes, on the data that the recipe names
 * const { task, record } = await judgeRunFromConfig(parseJudgeConfig(await readJson('configs/judge-mnist.json')));
 * for await (const event of train(task, { store: folderStore('runs/judge-mnist'), steps: record.steps })) console.log(event.kind);
 */
export async function judgeRunFromConfig(config: JudgeConfig, { engine, data, fetching }: JudgeRunOptions = {}): Promise<JudgeRun> {
  const open = async (named: unknown): Promise<{ readonly source: DataSource; readonly credits: DataCredits }> =>
    openData(named, { ...fetching, ...(data && { plugins: data }) });
  const { source: all, credits } = await open(config.data);
  const { training, heldOut } =
    'name' in config.heldOut
      ? { training: pictures(all), heldOut: pictures((await open(config.heldOut)).source) }
      : parts(pictures(all), { share: config.heldOut.share, seed: config.seed });
  const lesson = lessonOf(training, config);
  const exam = lessonOf(heldOut, config);
  if (lesson.classes.join('\n') !== exam.classes.join('\n'))
    throw new UserError(
      `[pipelines/judge] held-out pictures have other classes: training=${lesson.classes.length}, held out=${exam.classes.length}. Hold `
        + 'out pictures of the same classes.',
    );
  const head: JudgeHead =
    config.answer.kind === 'classes'
      ? { kind: 'classes', classes: [...lesson.classes] }
      : {
          kind: 'captions',
          width: config.answer.width,
          words: [...vocabularyOf(captionsOf(lesson.source), LEAST_CAPTIONS)],
          length: MOST_WORDS,
        };
  const record = {
    name: config.name,
    architecture: config.architecture,
    head,
    seed: config.seed,
    steps: config.steps,
    batchSize: config.batchSize,
    data: [{ data: credits.data, options: withoutPlace(credits.options), licences: [...credits.licences] }],
  } as unknown as JudgeRun['record'];
  const measure: JudgeRun['measure'] = (judge, signal) => measured(judge, { exam, signal });
  const task = judgeTask({
    ...config,
    config: config as Json,
    head,
    batch: batches(lesson, config),
    ...(engine && { engine }),
    evaluate: async function* (params): AsyncIterable<Evaluation> {
      const judge = makeJudge({ record: { ...record, measured: {}, sha256: '0'.repeat(64) }, params, engine });
      try {
        yield { kind: 'numbers', values: await measure(judge) };
      } finally {
        await judge.dispose();
      }
    },
  });
  return { task, record, measure, credits, counts: { training: lesson.source.length, heldOut: exam.source.length } };
}

/** Where data lie on a machine says nothing of what they are. */
function withoutPlace({ folder: _, ...options }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return options;
}

/** @throws UserError naming the entry that is wrong */
export function parseJudgeConfig(value: unknown, from = 'the recipe'): JudgeConfig {
  const result = v.safeParse(judgeConfigSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new UserError(
    `[pipelines/judge] not the recipe of a judge: ${from}: ${v.getDotPath(issue) ?? 'all'}: ${issue.message}. Correct it.`,
  );
}

function pictures(source: DataSource): DataSource<PictureItem> {
  if (source.kind === 'picture') return source as DataSource<PictureItem>;
  throw new UserError(`[pipelines/judge] data are not pictures: data=${source.name}, kind=${source.kind}. Choose others.`);
}

function parts(
  source: DataSource<PictureItem>,
  { share, seed }: { readonly share: number; readonly seed: number },
): { readonly training: DataSource<PictureItem>; readonly heldOut: DataSource<PictureItem> } {
  return splitData(source, { shares: { training: 1 - share, heldOut: share }, seed });
}

function lessonOf(source: DataSource<PictureItem>, { answer }: JudgeConfig): Lesson {
  if (answer.kind === 'captions') return { source, labels: new Int32Array(source.length), classes: [] };
  const { labels, classes } = labelledPictures(source, { labels: answer.attribute });
  return { source, labels, classes: classes! };
}

function captionsOf(source: DataSource): readonly string[] {
  return Array.from({ length: source.length }, (_, i) => source.about(i).caption);
}

function batches({ source, labels }: Lesson, config: JudgeConfig): (position: Position) => Promise<JudgeBatch> {
  const { channels, side } = config.architecture;
  const kept = cachedInMemory(source, { bytesOf: ({ image }) => image.data.byteLength });
  const stream = prefetched(shuffled(kept, { batchSize: config.batchSize, seed: config.seed }));
  return async (position) => {
    const { items, numbers, next } = await stream.at(position);
    const other = items.find(({ image }) => image.channels !== channels || image.width !== side || image.height !== side);
    if (other !== undefined)
      throw new UserError(
        `[pipelines/judge] a picture does not fit the judge: ${other.name} is ${other.image.width}x${other.image.height}x`
          + `${other.image.channels}, the judge takes ${side}x${side}x${channels}. Change architecture, or options of data.`,
      );
    return {
      pictures: fromImages(items.map(({ image }) => image)).data,
      next,
      ...(config.answer.kind === 'classes'
        ? { labels: Int32Array.from(numbers, (number) => labels[number]!) }
        : { captions: items.map(({ caption }) => caption) }),
    };
  };
}

async function measured(
  judge: Judge,
  { exam: { source, labels }, signal }: { readonly exam: Lesson; readonly signal: AbortSignal | undefined },
): Promise<Readonly<Record<string, number>>> {
  const images = await Promise.all(Array.from({ length: source.length }, async (_, i) => (await source.load(i)).image));
  const count = images.length;
  if (judge.record.head.kind === 'classes') {
    const found = (await judge.probabilities(images, { signal })).labels;
    return { accuracy: found.reduce((right, label, i) => right + (label === labels[i] ? 1 : 0), 0) / count, count };
  }
  const [seen, said] = [await judge.pictureEmbeddings(images, { signal }), await judge.captionEmbeddings(captionsOf(source))];
  const { value: cosine, rPrecision } = captionScore(seen, said);
  return { cosine, rPrecision, count };
}
