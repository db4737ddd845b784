import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pickFromData, type DataSource, type Image } from '@langevin/io';
import { openData, prepareOutputFile, writeFileAtomic } from '@langevin/io/node';
import { evaluatePictures, evaluationTable, refuseDependentJudge, type FeatureExtractor, type Judge, type Metric } from '@langevin/metrics';
import { readTrainingInfluences } from '@langevin/metrics/node';
import { loadModel, usualSampler, usualSpacing } from '@langevin/pipelines';
import { counterGenerator, UserError, type Engine } from '@langevin/tensor';
import type { Command } from 'commander';
import { integer, list, setting } from '../arguments.ts';
import { defineCommand, type CliCommand, type CommandContext } from '../define-command.ts';
import { addEngineOptions, withEngine, type EngineOptions } from '../engines.ts';
import { JUDGES, withFeatures } from '../feature-source.ts';
import { isPictureSource, loadPictures } from '../picture-source.ts';
import { showProgress } from '../progress.ts';
import { sampleWithProgress } from '../sample-with-progress.ts';
import { line, remark } from '../terminal.ts';
import { prepare, withFetching, type FetchingOptions } from './data/fetching.ts';

interface EvaluateOptions extends EngineOptions, FetchingOptions {
  readonly against: string;
  readonly training?: string;
  readonly setTraining?: Readonly<Record<string, unknown>>;
  readonly features: string;
  readonly input?: Readonly<Record<string, unknown>>;
  readonly output?: string;
  readonly metrics?: readonly string[];
  readonly count: number;
  readonly reference: number;
  readonly seed: number;
  readonly sampler?: string;
  readonly steps: number;
  readonly batch: number;
  readonly out?: string;
}

const AFTER_HELP = `
Examples:
  langevin evaluate runs/mnist-edm --against mnist --set split=test --training mnist --features mnist --count 5000 --out mnist
  langevin evaluate samples/ --against photographs/ --features pixels
  langevin evaluate samples.zip --against cifar10 --set split=test --features inception.onnx --input width=299 --input height=299 \\
      --input resize=bilinear-tf1 --input range=[0,255] --input mean=[128,128,128] --input std=[128,128,128]

Beside the samples the table has other data (the floor), the Gaussian of the pixels and that of the features, each as many as samples: a
model that is not better than a Gaussian has learnt less than it. docs/metrics.md says how to read each number. Half of the data may be
needed for the floor: where there is too little, fewer samples are compared, and the table says how many.`;

export const evaluateCommand: CliCommand = defineCommand({ name: 'evaluate', add: addEvaluate });

function addEvaluate(program: Command, context: CommandContext): void {
  const command = withFetching(
    program
      .command('evaluate')
      .description('Measure how good samples are: of a model, of a folder or of a zip of pictures, against data.')
      .argument('<samples>', 'the folder of a model or of a run, a folder of pictures, or a zip file of pictures')
      .requiredOption('--against <data>', 'a data set of "langevin data list", or a folder or zip of pictures'),
  )
    .option('--training <data>', 'what the model was trained on, to find copies of it (default: not looked for)')
    .option('--set-training <name=value>', 'an option of the training data; may be given again', setting)
    .option(
      '--features <name>',
      `what pictures are compared in: ${JUDGES.join(', ')}, pixels, the folder of a judge, or an .onnx file`,
      'pixels',
    )
    .option('--input <name=value>', 'what an ONNX network takes: width, height, resize, channels, range, mean, std, layout', setting)
    .option('--output <name>', 'which output of an ONNX network is taken (default: the only one)')
    .option('--metrics <names>', '"langevin list metrics" shows them (default: all that can be computed)', list)
    .option('--count <n>', 'samples', integer(20, 1_000_000), 5000)
    .option('--reference <n>', 'pictures of the data that samples are compared with, at most', integer(20, 1_000_000), 10_000)
    .option('--seed <n>', 'decides samples, Gaussians, subsets, and which pictures of the data are the floor', integer(0, 2 ** 31 - 1), 0)
    .option('--sampler <name>', '"langevin list samplers" shows them (default: the usual one of the model)')
    .option('--steps <n>', 'sampler steps', integer(1, 100_000), 18)
    .option('--batch <n>', 'samples at a time', integer(1, 4096), 64)
    .option('--out <name>', 'where the table goes: <name>.md and <name>.json')
    .addHelpText('after', AFTER_HELP);
  addEngineOptions(command).action((samples: string, options: EvaluateOptions) => evaluate(samples, options, context));
}

async function evaluate(path: string, options: EvaluateOptions, context: CommandContext): Promise<void> {
  // What is wrong with the options is said before the work.
  const chosen = metricsOf(options, context);
  if (options.out !== undefined) for (const ending of ['md', 'json']) await prepareOutputFile(`${options.out}.${ending}`);
  const model = await modelAt(path);
  if (model === undefined && !(await isPictureSource(path)))
    throw new UserError(`[cli/evaluate] there are no samples: ${path} is no folder of a model or of pictures, and no zip. Give one.`);
  await withEngine(options, (engine) =>
    withFeatures({ ...options, engine }, async (extractor) => {
      if (model !== undefined) refuseDependentJudge(extractor.info, await readTrainingInfluences(path));
      const { reference, floor } = await dataOf(options, context);
      const made =
        model === undefined
          ? await given(path, floor.length, context)
          : await sampled(path, { count: floor.length, options, engine, context });
      const counted = Math.min(made.images.length, floor.length);
      const samples = made.images.slice(0, counted);
      const training = options.training === undefined ? undefined : await trainingOf(options.training, options, context);
      await report({ extractor, chosen, engine, samples, reference, floor: floor.slice(0, counted), training, facts: made.facts }, path, {
        options,
        context,
      });
    }),
  ).catch((error: unknown) => {
    if (!context.signal.aborted) throw error;
    throw new UserError('[cli/evaluate] stopped before the end. Nothing was written; run the command again.', { cause: error });
  });
}

function metricsOf({ metrics }: EvaluateOptions, { registries }: CommandContext): readonly Metric[] {
  return (metrics ?? registries.metrics.names).map((name) => registries.metrics.create(name));
}

/** The files of a model's weights; undefined for what is no model. */
async function modelAt(path: string): Promise<readonly string[] | undefined> {
  const isModel = ['model_index.json', 'checkpoints', 'unet', 'transformer'].some((name) => existsSync(join(path, name)));
  if (!isModel) return undefined;
  const files = (await readdir(path, { recursive: true })).filter((name) => name.endsWith('.safetensors')).sort();
  // Of a run, the newest checkpoint is what is sampled.
  return (existsSync(join(path, 'checkpoints')) ? files.slice(-1) : files).map((name) => join(path, name));
}

interface Made {
  readonly images: readonly Image[];
  readonly facts: Readonly<Record<string, string>>;
}

async function given(path: string, count: number, context: CommandContext): Promise<Made> {
  const images = await loaded(path, { count, what: 'reading samples', context });
  return { images, facts: { samples: path } };
}

async function loaded(
  path: string,
  { count, what, context }: { readonly count: number; readonly what: string; readonly context: CommandContext },
) {
  let view: ReturnType<typeof showProgress> | undefined;
  try {
    return await loadPictures(path, {
      count,
      signal: context.signal,
      progress: (done, of) => {
        view ??= showProgress(context, { name: what, unit: 'picture', total: of });
        view.update(done, '');
      },
    });
  } finally {
    view?.stop();
  }
}

async function sampled(
  path: string,
  {
    count,
    options,
    engine,
    context,
  }: { readonly count: number; readonly options: EvaluateOptions; readonly engine: Engine; readonly context: CommandContext },
): Promise<Made> {
  const { registries } = context;
  const model = await loadModel(path, { backbones: registries.backbones, noiseParts: registries });
  const sampler = options.sampler === undefined ? usualSampler(model.noise) : registries.samplers.create(options.sampler);
  const spacing = usualSpacing(model.noise);
  const classes = model.labels?.classes.map((_, label) => label).filter((label) => label !== model.labels?.none);
  // Every class as often as any other, in turn.
  const labels = classes === undefined ? count : Array.from({ length: count }, (_, i) => classes[i % classes.length]!);
  const { images, nfe } = await sampleWithProgress(
    { model, labels, seed: options.seed, sampler, spacing, steps: options.steps, batch: options.batch, engine },
    context,
  );
  const facts = {
    samples: `${path}, sha256 of its weights ${await hashOf((await modelAt(path))!)}`,
    sampler: `${sampler.name} over ${spacing.name}, ${options.steps} steps, ${nfe} evaluations each, seed ${options.seed}, no guidance`,
  };
  return { images, facts };
}

async function hashOf(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  return hash.digest('hex');
}

/** Pictures to compare with, and as many others as there are samples: drawn by the seed, none in both. */
async function dataOf(
  options: EvaluateOptions,
  context: CommandContext,
): Promise<{ readonly reference: readonly Image[]; readonly floor: readonly Image[] }> {
  const { count, reference: most, seed, against } = options;
  if (await isPictureSource(against)) {
    const all = await loaded(against, { count: count + most, what: 'reading data', context });
    const { floor, reference } = parted(all.length, { count, most, seed });
    return { floor: floor.map((i) => all[i]!), reference: reference.map((i) => all[i]!) };
  }
  const source = await picturesOf(against, options, context);
  const { floor, reference } = parted(source.length, { count, most, seed });
  return {
    floor: await imagesOf(pickFromData(source, floor), 'the floor', context),
    reference: await imagesOf(pickFromData(source, reference), 'the data', context),
  };
}

function parted(
  length: number,
  { count, most, seed }: { readonly count: number; readonly most: number; readonly seed: number },
): { readonly floor: readonly number[]; readonly reference: readonly number[] } {
  if (length < 40) throw new UserError(`[cli/evaluate] there is too little data: pictures=${length}, needed=40. Use a larger set.`);
  const keys = counterGenerator({ seed, stream: [0x666c] }).uniform(length);
  const order = Array.from({ length }, (_, i) => i).sort((a, b) => keys[a]! - keys[b]!);
  const own = Math.min(count, Math.floor(length / 2));
  return { floor: order.slice(0, own), reference: order.slice(own, own + most) };
}

async function picturesOf(name: string, options: FetchingOptions, context: CommandContext): Promise<DataSource> {
  const { config, options: fetching } = await prepare(name, options, context);
  const { source } = await openData(config, fetching);
  if (source.kind === 'picture') return source;
  throw new UserError(`[cli/evaluate] data are not pictures: data=${name}, kind=${source.kind}. Choose others.`);
}

async function imagesOf(source: DataSource, what: string, context: CommandContext): Promise<readonly Image[]> {
  const view = showProgress(context, { name: `loading ${what}`, unit: 'picture', total: source.length });
  const images: Image[] = [];
  try {
    for (let i = 0; i < source.length; i += 1) {
      context.signal.throwIfAborted();
      const item = await source.load(i);
      if (item.kind === 'picture') images.push(item.image);
      view.update(i + 1, '');
    }
  } finally {
    view.stop();
  }
  return images;
}

async function trainingOf(name: string, options: EvaluateOptions, context: CommandContext): Promise<readonly Image[]> {
  if (await isPictureSource(name)) return loaded(name, { count: 1_000_000, what: 'reading training data', context });
  const { set: _, ...rest } = options;
  const own = { ...rest, ...(options.setTraining && { set: options.setTraining }) };
  return imagesOf(await picturesOf(name, own, context), 'the training data', context);
}

interface Measuring {
  readonly extractor: FeatureExtractor | Judge;
  readonly chosen: readonly Metric[];
  readonly engine: Engine;
  readonly samples: readonly Image[];
  readonly reference: readonly Image[];
  readonly floor: readonly Image[];
  readonly training: readonly Image[] | undefined;
  readonly facts: Readonly<Record<string, string>>;
}

async function report(
  { extractor, chosen, engine, samples, reference, floor, training, facts: made }: Measuring,
  path: string,
  { options, context }: { readonly options: EvaluateOptions; readonly context: CommandContext },
): Promise<void> {
  const view = showProgress(context, { name: 'measuring', unit: '%', total: 100 });
  const result = await evaluatePictures({
    ...{ samples, reference, floor, extractor, engine, metrics: chosen, seed: options.seed, signal: context.signal },
    ...(training && { training }),
    progress: (what, share) => view.update(Math.floor(100 * share), what),
  }).finally(() => view.stop());
  const { name, hash, layer, width, input } = result.features;
  const { counts } = result;
  const facts = {
    ...made,
    data: `${options.against}${options.set === undefined ? '' : ` ${JSON.stringify(options.set)}`}`,
    counts:
      `${counts.samples} samples against ${counts.reference} of the data; floor of ${counts.floor} others; training `
      + (counts.training || 'not given').toString(),
    features: `${name}, ${layer}, ${width} numbers, ${input}`,
    judge: `sha256 ${hash}`,
  };
  if (counts.samples < options.count)
    remark(
      context,
      `${counts.samples} samples are compared, not ${options.count}: there are no more, or half of the data is needed for the floor`,
    );
  const table = evaluationTable(result, facts);
  const document = { samples: path, facts, counts, features: result.features, rows: result.rows, remarks: result.remarks };
  if (options.out !== undefined) {
    await writeFileAtomic(`${options.out}.md`, `# ${path} against ${options.against}\n\n${table}`);
    await writeFileAtomic(`${options.out}.json`, `${JSON.stringify(document, undefined, 1)}\n`);
  }
  line(context, options.json ? JSON.stringify(document) : table);
}
