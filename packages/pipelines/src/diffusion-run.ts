import type { BackbonePlugin } from '@langevin/backbones';
import type { Network } from '@langevin/core';
import {
  diffusionTask,
  networkDenoiser,
  noiseRecipe,
  type DiffusionState,
  type NetworkDenoiser,
  type NoiseParts,
  type NoiseRecipe,
} from '@langevin/diffusion';
import { imageGrid, type DataPlugin, type DataSource, type PictureItem } from '@langevin/io';
import type { DataCredits, OpenDataOptions } from '@langevin/io';
import { cachedPictures, encodeImage, openData } from '@langevin/io/node';
import { shapesOnly, type AdamState } from '@langevin/nn';
import { tensorsOf, torchGenerator, UserError, type Engine } from '@langevin/tensor';
import type { Evaluation, Json, Task } from '@langevin/training';
import { describeData } from './data-description.ts';
import type { DiffusionModel } from './diffusion-model.ts';
import { drawLabels } from './draw-labels.ts';
import { imageNetwork, labelCount, pictureForm, type PictureForm } from './image-network.ts';
import { isPictures, labelledPictures, type LabelledPictures } from './labelled-pictures.ts';
import { labelChoices, type Labels } from './labels.ts';
import { loadAutoencoderFolder, type LoadAutoencoderOptions, type LoadedAutoencoder } from './latents/autoencoder-folder.ts';
import { encodedPictures } from './latents/encoded-pictures.ts';
import { latentBatches } from './latents/latent-batches.ts';
import { pictureCoder, type PictureCoder } from './latents/picture-coder.ts';
import { AVERAGE, decayOf, optimizerOf, scheduleOf } from './learning.ts';
import { checkForm, pictureBatches } from './picture-batches.ts';
import { sampleImages } from './sample-images.ts';
import { MAY_CHANGE, type TrainingConfig } from './training-config.ts';
import { warmStart } from './warm-start.ts';

export interface DiffusionRunOptions extends LoadAutoencoderOptions {
  /** @default the default engine */
  readonly engine?: Engine;
  /** Where the configuration is from, for messages. @default 'the configuration' */
  readonly from?: string;
  /** A model whose weights the run begins with; see {@link warmStart}. @default random weights, by the configuration's seed */
  readonly initial?: DiffusionModel;
  /** Data sets to choose from. @default those of @langevin/io */
  readonly data?: readonly DataPlugin<never>[];
  /** How missing parts of the data are fetched. @default into the usual cache, without showing progress */
  readonly fetching?: Omit<OpenDataOptions, 'plugins'>;
  /** A folder that keeps decoded and resized pictures, so that a later run, or a resumed one, does not decode them again. @default none */
  readonly pictureCache?: string;
  /** A folder that keeps latents, so that a later run, or a resumed one, does not encode pictures again. @default in memory alone */
  readonly latentCache?: string;
  /** Kinds of networks to choose from. @default those of @langevin/backbones */
  readonly backbones?: readonly BackbonePlugin[];
  /** Where the noise finds its parts by name. @default those of @langevin/core-schedules */
  readonly noiseParts?: Partial<NoiseParts>;
}

/** A training run, ready to be passed to `train()`. */
export interface DiffusionRun {
  readonly task: Task<DiffusionState<unknown, AdamState>>;
  readonly pictures: LabelledPictures;
  readonly labels: Labels | undefined;
  readonly network: Network<unknown>;
  readonly noise: NoiseRecipe;
  /** Where the data are from and under which terms: to be kept with what is trained. */
  readonly credits: DataCredits;
  /** Numbers that training changes. */
  readonly parameters: number;
  /** Whose latents are diffused over; absent for pixels. */
  readonly autoencoder?: LoadedAutoencoder;
  /** What whoever starts the run may not have meant, a sentence each. */
  readonly remarks: readonly string[];
}

/** Enough to see what the model has learnt, few enough to cost seconds. */
const PREVIEW_STEPS = 8;
const PREVIEW_COLUMNS = 8;
const PREVIEW_ROWS = 8;

/**
 * Set a training run up from its configuration: data, network, training task, and evaluations that sample a grid from the moving average
 * of the weights, always from the same noise.
 *
 * @throws UserError when the data cannot be loaded or do not fit the network
 * @example
 * // not run: trains for hours, on the data that the file names
 * const { task } = await diffusionRunFromConfig(parseTrainingConfig(await readJson('emoji.json')));
 * for await (const event of train(task, { store: folderStore('runs/emoji'), steps: 20_000, start: 'resume' })) console.log(event.kind);
 */
export async function diffusionRunFromConfig(config: TrainingConfig, options: DiffusionRunOptions = {}): Promise<DiffusionRun> {
  const { engine, from = 'the configuration', initial, data, fetching, pictureCache, latentCache, backbones, noiseParts } = options;
  const network = imageNetwork(config.backbone, { from, patch: config.patch, ...(backbones && { plugins: backbones }) });
  const classes = labelCount(network);
  const noise = noiseRecipe(config.noise, noiseParts);
  const { source: opened, credits } = await openData(config.data, { ...fetching, ...(data && { plugins: data }) });
  const source = pictureCache === undefined ? opened : await cachedWhereItHelps(opened, pictureCache);
  const pictures = labelledPictures(source, classes === undefined ? {} : config);
  const form = pictureForm(network);
  const { autoencoders } = options;
  const autoencoder =
    config.latents && (await loadAutoencoderFolder(config.latents.autoencoder, { ...(autoencoders && { autoencoders }) }));
  const first = await pictures.source.load(0);
  if (autoencoder === undefined) checkForm(first, form);
  else checkLatents(first, { form, autoencoder, config });
  checkNoisiest(noise);
  const labels = labelsOf(pictures, { config, network });
  // Compiled at the first evaluation and kept for the others.
  let compiled: NetworkDenoiser<unknown> | undefined;
  const coder = pictureCoder(autoencoder, { engine });
  const label = classes === undefined ? undefined : { ...(labels?.none !== undefined && { none: labels.none }) };
  const common = { batchSize: config.batchSize, seed: config.seed };
  const batch =
    autoencoder === undefined
      ? pictureBatches(pictures, { ...common, form, flip: config.flip, label })
      : latentBatches(await encodedPictures(pictures.source, { autoencoder, flip: config.flip, folder: latentCache, engine }), {
          ...common,
          info: autoencoder.autoencoder.info,
          draw: config.latents!.draw,
          label: label && { of: pictures.labels, ...label },
        });
  const task = diffusionTask({
    name: config.name,
    seed: config.seed,
    config: config as Json,
    mayChange: MAY_CHANGE,
    data: await describeData(pictures, { autoencoder: autoencoder?.sha256 }),
    network,
    noise,
    learner: {
      optimizer: optimizerOf(config),
      learningRate: scheduleOf(config),
      averages: { [AVERAGE]: decayOf(config) },
      ...(config.clipNorm !== undefined && { clipNorm: config.clipNorm }),
    },
    batch,
    ...(classes !== undefined && { dropout: config.dropout }),
    accumulate: config.accumulate,
    evaluate: ({ averages }) => {
      const params = averages[AVERAGE]!;
      compiled ??= networkDenoiser({ network, params, noise, weights: 'input', ...(engine && { engine }) });
      return previews({ params, compiled: compiled.withParams(params), network, noise, config, labels, engine, coder });
    },
    ...(engine && { engine }),
    ...(initial && {
      initial: await warmStart({
        fresh: network.init(torchGenerator(config.seed)),
        model: initial,
        labels,
        alsoKnownAs: pictures.alsoKnownAs,
      }),
    }),
  });
  const parameters = tensorsOf(network.init(shapesOnly)).reduce((total, { size }) => total + size, 0);
  return {
    ...{ task, pictures, labels, network, noise, credits, parameters, remarks: remarksOn(pictures, { network, config }) },
    ...(autoencoder && { autoencoder }),
  };
}

/** Sources that do not say what their items depend on hold them as they are: there is nothing to decode. */
async function cachedWhereItHelps(source: DataSource, folder: string): Promise<DataSource> {
  return isPictures(source) && source.contentOf !== undefined ? cachedPictures(source, { folder }) : source;
}

/** @throws UserError when the latents of a picture are not what the network is for */
function checkLatents(
  { name, image }: PictureItem,
  { form, autoencoder, config }: { readonly form: PictureForm; readonly autoencoder: LoadedAutoencoder; readonly config: TrainingConfig },
): void {
  const [, channels, height, width] = autoencoder.autoencoder.latentShape([1, image.channels, image.height, image.width]);
  if (channels === form.channels && height === form.height && width === form.width) return;
  throw new UserError(
    `[pipelines/run] latents do not fit the network: those of ${name} are [${channels}, ${height}, ${width}], the network takes `
      + `[${form.channels}, ${form.height}, ${form.width}], latents.autoencoder=${config.latents!.autoencoder}. Change in_channels, `
      + 'sample_size or patch of the network.',
  );
}

/** Previews and samples begin at the noisiest level: what a network cannot say anything at is known before the training. */
function checkNoisiest({ process, preconditioning }: NoiseRecipe): void {
  try {
    preconditioning.at(process.level(process.domain.max));
  } catch (cause) {
    if (!(cause instanceof UserError)) throw cause;
    throw new UserError(
      `[pipelines/run] nothing can be sampled with this noise: process=${process.name}, preconditioning=${preconditioning.name}: `
        + cause.message,
      { cause },
    );
  }
}

/** What labels stand for; undefined for networks without. */
function labelsOf(
  { classes, categories, source }: LabelledPictures,
  { config, network }: { readonly config: TrainingConfig; readonly network: Network<unknown> },
): Labels | undefined {
  const known = labelCount(network);
  const { label: dropout = 0 } = config.dropout;
  if (known === undefined) {
    if (dropout === 0) return undefined;
    throw new UserError(`[pipelines/run] network takes no label that could be dropped: dropout.label=${dropout}. Remove it.`);
  }
  if (classes === null && dropout > 0)
    throw new UserError(`[pipelines/run] labels are dropped, but none are named: dropout.label=${dropout}. Give labels, or drop none.`);
  const count = classes?.length ?? 1;
  const spec = network.info.conditions['label'];
  const own = spec?.kind === 'label' ? spec.none : null;
  if (own !== null && own < count)
    throw new UserError(
      `[pipelines/run] network has too few classes: ${source.name} has ${count}, and label ${own} of the network stands for none. Raise `
        + `num_embeds_ada_norm to ${count}.`,
    );
  const none = labelOfNone({ dropout, network, classes: count });
  const wanted = none === count ? count + 1 : count;
  if (known < wanted)
    throw new UserError(
      `[pipelines/run] network has too few classes: num_class_embeds=${known}, ${source.name} has ${count}`
        + `${wanted > count ? ', and one stands for no label' : ''}. Raise num_class_embeds to ${wanted}.`,
    );
  if (classes === null) return undefined;
  return { classes, categories, ...(none !== undefined && { none }) };
}

/** The label that stands for none: the network's own, or else the first behind the classes; undefined where labels are never dropped. */
export function labelOfNone(given: {
  readonly dropout: number;
  readonly network: Network<unknown>;
  readonly classes: number;
}): number | undefined {
  if (given.dropout === 0) return undefined;
  const spec = given.network.info.conditions['label'];
  return spec?.kind === 'label' && spec.none !== null ? spec.none : given.classes;
}

/** A network and data that fit, but perhaps not as they were meant to. */
function remarksOn(
  { source, classes }: LabelledPictures,
  { network, config }: { readonly network: Network<unknown>; readonly config: TrainingConfig },
): readonly string[] {
  const known = labelCount(network);
  if (config.labels !== undefined && known === undefined)
    return [`labels "${config.labels}" are not used: the network takes none. For samples by class, give it "num_class_embeds".`];
  if (classes === null && known !== undefined && known > 1)
    return [`no labels are named: of the network's ${known} only class 0 is trained. Give "labels", an attribute of ${source.name}.`];
  return [];
}

interface Previewing {
  readonly params: unknown;
  readonly compiled: NetworkDenoiser<unknown>;
  readonly network: Network<unknown>;
  readonly noise: NoiseRecipe;
  readonly config: TrainingConfig;
  readonly labels: Labels | undefined;
  readonly engine: Engine | undefined;
  readonly coder: PictureCoder;
}

/** A grid of samples as a picture. */
async function* previews({
  params,
  compiled,
  network,
  noise,
  config,
  labels,
  engine,
  coder,
}: Previewing): AsyncGenerator<Evaluation, void> {
  const { columns, classes } = previewLabels({ labels, network, seed: config.seed });
  const model = { network, params, config: config.backbone, patch: config.patch, noise };
  for await (const event of sampleImages({
    model,
    labels: classes,
    seed: config.seed,
    steps: PREVIEW_STEPS,
    compiled,
    engine,
    coder,
  })) {
    if (event.kind !== 'done') continue;
    const content = await encodeImage(imageGrid(event.images, { columns, scale: 2 }), { format: 'png' });
    yield { kind: 'picture', name: 'samples', extension: 'png', content };
  }
}

/** A row for each category, or one picture for each class; plain pictures for models without classes. */
function previewLabels({
  labels,
  network,
  seed,
}: {
  readonly labels: Labels | undefined;
  readonly network: Network<unknown>;
  readonly seed: number;
}): { readonly columns: number; readonly classes: readonly number[] | number } {
  const columns = PREVIEW_COLUMNS;
  const known = labelCount(network);
  if (known === undefined) return { columns, classes: PREVIEW_ROWS * columns };
  // Pictures without labels all have label 0.
  if (labels === undefined) return { columns, classes: Array.from({ length: PREVIEW_ROWS * columns }, () => 0) };
  return {
    columns,
    classes: drawLabels({
      rows: labels.categories.length > 0 ? labels.categories : labelChoices(labels).slice(0, PREVIEW_ROWS),
      columns,
      seed,
    }),
  };
}
