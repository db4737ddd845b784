import type { Autoencoder, Registry } from '@langevin/core';
import {
  fromImages,
  imageGrid,
  splitData,
  toImages,
  type DataCredits,
  type DataPlugin,
  type DataSource,
  type Image,
  type OpenDataOptions,
  type PictureItem,
} from '@langevin/io';
import { cachedPictures, encodeImage, openData } from '@langevin/io/node';
import {
  autoencoderTask,
  jointStatistics,
  latentStatistics,
  lpipsWeights,
  patchDiscriminator,
  reconstructionLosses,
  regularisers,
  type AutoencoderPlugin,
  type AutoencoderState,
  type LatentStatistics,
  type ReconstructionLoss,
  type Regulariser,
  type TrainedParams,
} from '@langevin/latent-ae';
import { psnr, type TrainingInfluence } from '@langevin/metrics';
import { loadJudge } from '@langevin/metrics/node';
import { shapesOnly, type AdamState } from '@langevin/nn';
import { compile, float32Data, tensor, tensorsOf, UserError, type Engine, type Tensor } from '@langevin/tensor';
import type { Evaluation, Json, Task } from '@langevin/training';
import { describeData } from '../data-description.ts';
import { AVERAGE, decayOf, optimizerOf, scheduleOf } from '../learning.ts';
import { labelledPictures } from '../labelled-pictures.ts';
import { naming } from '../naming.ts';
import { pictureBatches } from '../picture-batches.ts';
import { AUTOENCODER_MAY_CHANGE, type AutoencoderConfig } from './autoencoder-config.ts';
import { mappedTensors } from '../weights.ts';
import { hashOf, OUTPUT, pluginOf, type LoadedAutoencoder } from './autoencoder-folder.ts';

export interface AutoencoderRunOptions {
  /** @default the default engine */
  readonly engine?: Engine;
  /** Where the configuration is from, for messages. @default 'the configuration' */
  readonly from?: string;
  /** Data sets to choose from. @default those of @langevin/io */
  readonly data?: readonly DataPlugin<never>[];
  /** How missing parts of the data are fetched. @default into the usual cache, without showing progress */
  readonly fetching?: Omit<OpenDataOptions, 'plugins'>;
  /** A folder that keeps decoded and resized pictures. @default none */
  readonly pictureCache?: string;
  /** Classes to choose from. @default those of @langevin/latent-ae */
  readonly autoencoders?: readonly AutoencoderPlugin[];
  /** @default those of @langevin/latent-ae */
  readonly regularisers?: Registry<Regulariser>;
  /** @default those of @langevin/latent-ae */
  readonly losses?: Registry<ReconstructionLoss>;
}

/** The training of an autoencoder, ready to be passed to `train()`. */
export interface AutoencoderRun {
  readonly task: Task<AutoencoderState<AdamState>>;
  readonly autoencoder: Autoencoder<unknown>;
  /** Pictures that it is trained on, and those that it is not. */
  readonly pictures: { readonly training: DataSource<PictureItem>; readonly heldOut: DataSource<PictureItem> };
  readonly credits: DataCredits;
  /** Numbers that training changes, those of a discriminator apart. */
  readonly parameters: number;
  /** Networks whose features are in a loss. */
  readonly influences: readonly TrainingInfluence[];
  /** What is kept of it: weights of a state, and a configuration with the statistics of its latents over the training pictures. */
  readonly finish: (
    params: TrainedParams,
    options?: { readonly signal?: AbortSignal },
  ) => Promise<Pick<LoadedAutoencoder, 'params' | 'config'> & { readonly statistics: LatentStatistics }>;
}

/** Enough to see what is lost. */
const PREVIEWS = 16;
/** Pictures whose latents are measured, at most: means of more are the same to three digits. */
const MEASURED = 4096;
const CHUNK = 32;
/** Decides what is held out: the same for all runs on the same data, whatever their seeds. */
const SPLIT = 0;

/**
 * Set the training of an autoencoder up from its configuration: data, autoencoder, regulariser, losses, discriminator, and evaluations
 * that show pictures above their reconstructions.
 *
 * @throws UserError when the data cannot be loaded, or parts do not fit each other
 * @example
 * // not run: trains for minutes, on the data that the file names
 * const { task } = await autoencoderRunFromConfig(parseAutoencoderConfig(await readJson('configs/emoji-f4.json')));
 * for await (const event of train(task, { store: folderStore('runs/emoji-f4'), steps: 3000 })) console.log(event.kind);
 */
export async function autoencoderRunFromConfig(config: AutoencoderConfig, options: AutoencoderRunOptions = {}): Promise<AutoencoderRun> {
  const { engine, from = 'the configuration', data, fetching, pictureCache, autoencoders } = options;
  const plugin = naming(from, () => pluginOf(config.autoencoder, autoencoders));
  const autoencoder = naming(from, () => plugin.parse(config.autoencoder));
  const { source: opened, credits } = await openData(config.data, { ...fetching, ...(data && { plugins: data }) });
  const source = pictureCache === undefined ? pictures(opened) : await cachedPictures(pictures(opened), { folder: pictureCache });
  const { training, heldOut } = heldOutPictures(source, config.heldOut);
  const labelled = labelledPictures(training);
  const { image: first } = await training.load(0);
  const form = { channels: first.channels, height: first.height, width: first.width };
  const { losses, influences, dispose } = await lossesOf(config, options);
  const batches = pictureBatches(labelled, { form, batchSize: config.batchSize, seed: config.seed, flip: config.flip });
  const learner = {
    optimizer: optimizerOf(config),
    learningRate: scheduleOf(config),
    averages: { [AVERAGE]: decayOf(config) },
    ...(config.clipNorm !== undefined && { clipNorm: config.clipNorm }),
  };
  const shape = [config.batchSize, form.channels, form.height, form.width];
  const coder = reconstructor(autoencoder, { engine, losses });
  const { name: regulariser, ...regulariserOptions } = config.regulariser;
  const task = autoencoderTask({
    name: config.name,
    seed: config.seed,
    config: config as Json,
    mayChange: AUTOENCODER_MAY_CHANGE,
    data: await describeData(labelled),
    autoencoder,
    regulariser: naming(from, () => (options.regularisers ?? regularisers).create(regulariser, regulariserOptions)),
    losses,
    variance: config.variance,
    learner,
    ...(config.discriminator && {
      discriminator: {
        network: patchDiscriminator({
          inputs: form.channels,
          channels: config.discriminator.channels,
          layers: config.discriminator.layers,
        }),
        learner: {
          // What it answers to changes at every step: momentum would answer to what was.
          optimizer: optimizerOf({ ...config, optimizer: { ...config.optimizer, betas: [0.5, 0.9] } }),
          learningRate: scheduleOf({
            ...config,
            optimizer: { ...config.optimizer, learningRate: config.discriminator.learningRate ?? config.optimizer.learningRate },
          }),
        },
        weight: config.discriminator.weight,
        balance: config.discriminator.balance,
        from: config.discriminator.from,
        r1: config.discriminator.r1,
      },
    }),
    shape,
    batch: async (position) => {
      const { x0, shape: of, next, items } = await batches(position);
      return { x: x0, shape: of, next, items };
    },
    evaluate: ({ averages }) => previews(averages[AVERAGE]!.autoencoder, { coder, source: heldOut, engine }),
    ...(engine && { engine }),
  });
  return {
    task: Object.freeze({
      ...task,
      close: async () => {
        await task.close?.();
        await coder.dispose();
        await dispose();
      },
    }),
    autoencoder,
    pictures: { training, heldOut },
    credits,
    parameters: tensorsOf(autoencoder.init(shapesOnly)).reduce((total, { size }) => total + size, 0),
    influences,
    finish: async ({ autoencoder: params }, { signal } = {}) => {
      const statistics = await measured(params, { autoencoder, source: training, engine, signal });
      const { scale, shift } = jointStatistics(statistics);
      const kept = plugin.withStatistics?.(config.autoencoder, statistics) ?? {
        ...config.autoencoder,
        scaling_factor: scale,
        shift_factor: shift,
      };
      const logits = losses.some(({ name }) => name === 'bernoulli');
      return { params, config: { ...kept, ...(logits && { [OUTPUT]: 'logits' }) }, statistics };
    },
  };
}

function pictures(source: DataSource): DataSource<PictureItem> {
  if (source.kind === 'picture') return source as DataSource<PictureItem>;
  throw new UserError(
    `[pipelines/data] data are not pictures: data=${source.name}, kind=${source.kind}. Choose one of pictures: "langevin data list".`,
  );
}

/**
 * Pictures that an autoencoder is trained on, and those that are held out, all of one group together: the same for all runs on the same
 * data. Without a share reconstructions are measured by what was trained on.
 *
 * @param share of the pictures that is held out, 0 to 0.5
 */
export function heldOutPictures(source: DataSource, share: number): AutoencoderRun['pictures'] {
  const all = pictures(source);
  if (share === 0) return { training: all, heldOut: all };
  const { training, heldOut } = splitData(all, { shares: { training: 1 - share, heldOut: share }, seed: SPLIT });
  return { training, heldOut };
}

/** Losses by name; the network of a perceptual one is a judge's, from its folder. */
async function lossesOf(
  config: AutoencoderConfig,
  { engine, from = 'the configuration', losses: known = reconstructionLosses }: AutoencoderRunOptions,
): Promise<{
  readonly losses: readonly ReconstructionLoss[];
  readonly influences: readonly TrainingInfluence[];
  readonly dispose: () => Promise<void>;
}> {
  const losses: ReconstructionLoss[] = [];
  const influences: TrainingInfluence[] = [];
  const held: (() => Promise<void>)[] = [];
  for (const { name, ...options } of config.losses) {
    if (name === 'lpips') {
      const { weights, ...rest } = options;
      if (typeof weights !== 'string')
        throw new UserError(
          `[pipelines/autoencoder] LPIPS needs its published weights: weights=${String(weights)}, file=${from}. `
            + 'Give a safetensors file of VGG16 with lin0 to lin4.',
        );
      const { tensors } = await mappedTensors(weights);
      const params = lpipsWeights(tensors, weights);
      influences.push({ name: 'lpips', hash: await hashOf(weights), role: 'loss' });
      losses.push(naming(from, () => known.create(name, { ...rest, params })));
      continue;
    }
    if (name !== 'perceptual') {
      losses.push(naming(from, () => known.create(name, options)));
      continue;
    }
    const { judge: folder, ...rest } = options;
    if (typeof folder !== 'string')
      throw new UserError(
        `[pipelines/autoencoder] a perceptual loss needs a network: judge=${String(folder)}, file=${from}. Give a judge's folder.`,
      );
    const judge = await loadJudge(folder, { engine });
    held.push(() => judge.dispose());
    influences.push({ name: judge.record.name, hash: judge.record.sha256, role: 'loss' });
    losses.push(naming(from, () => known.create(name, { ...rest, features: judge.maps, network: judge.record.name })));
  }
  return {
    losses,
    influences,
    dispose: async () => {
      for (const each of held) await each();
    },
  };
}

/** Pictures through the autoencoder and back, without noise. */
function reconstructor(
  autoencoder: Autoencoder<unknown>,
  { engine, losses }: { readonly engine: Engine | undefined; readonly losses: readonly ReconstructionLoss[] },
) {
  const toPicture = losses.find((loss) => loss.toPicture)?.toPicture ?? ((x: Tensor) => x);
  return compile(
    (params: unknown, x: Tensor) => {
      const { mode } = autoencoder.encode(params, x);
      return toPicture(autoencoder.decode(params, mode));
    },
    { name: 'reconstruction', ...(engine && { engine }) },
  );
}

interface Previewing {
  readonly coder: ReturnType<typeof reconstructor>;
  readonly source: DataSource<PictureItem>;
  readonly engine: Engine | undefined;
}

/** Pictures that were not trained on, above their reconstructions, and how close these are. */
async function* previews(params: unknown, { coder, source, engine }: Previewing): AsyncGenerator<Evaluation, void> {
  // Spread evenly: sets are in the order of their sources.
  const count = Math.min(PREVIEWS, source.length);
  const images = await Promise.all(
    Array.from({ length: count }, async (_, i) => (await source.load(Math.floor((i * source.length) / count))).image),
  );
  const { data, shape } = fromImages(images);
  const made = await coder(params as never, tensor(data, { shape }) as never);
  const reconstructed = toImages({ data: await float32Data(made, engine && { engine }), shape });
  const decibels = psnr({ data, shape }, fromImages(reconstructed));
  yield { kind: 'numbers', values: { psnr: decibels.reduce((sum, each) => sum + each, 0) / count } };
  const rows: Image[] = [];
  const half = Math.ceil(count / 2);
  for (const part of [
    [0, half],
    [half, count],
  ] as const)
    rows.push(...images.slice(...part), ...reconstructed.slice(...part));
  const content = await encodeImage(imageGrid(rows, { columns: half, scale: 2 }), { format: 'png' });
  yield { kind: 'picture', name: 'reconstructions', extension: 'png', content };
}

interface Measuring {
  readonly autoencoder: Autoencoder<unknown>;
  readonly source: DataSource<PictureItem>;
  readonly engine: Engine | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Statistics of the modes of latents over pictures that are spread evenly. */
async function measured(params: unknown, { autoencoder, source, engine, signal }: Measuring): Promise<LatentStatistics> {
  const on = engine ? { engine } : {};
  const encode = compile((weights: unknown, x: Tensor) => autoencoder.encode(weights, x).mode, { name: 'encoder', ...on });
  const meter = latentStatistics();
  const count = Math.min(MEASURED, source.length);
  try {
    for (let at = 0; at < count; at += CHUNK) {
      signal?.throwIfAborted();
      const numbers = Array.from({ length: Math.min(CHUNK, count - at) }, (_, i) => Math.floor(((at + i) * source.length) / count));
      const images = await Promise.all(numbers.map(async (i) => (await source.load(i)).image));
      const { data, shape } = fromImages(images);
      const latents = await encode(params as never, tensor(data, { shape }) as never);
      meter.add(await float32Data(latents, on), latents.shape);
    }
  } finally {
    await encode.dispose();
  }
  return meter.result();
}
