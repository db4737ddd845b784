import type { BackbonePlugin } from '@langevin/backbones';
import { imageGrid, type Dataset, type DatasetPlugin } from '@langevin/io';
import { loadDataset, writeImage } from '@langevin/io/node';
import { shapesOnly } from '@langevin/nn';
import { heun } from '@langevin/samplers';
import { tensorsOf, type Engine } from '@langevin/tensor';
import { diffusionTask, type DiffusionState, type DiffusionTrainingConfig, type TrainingTask } from '@langevin/training';
import { imageBackbone, type ImageBackbone } from './image-backbone.ts';
import { datasetLabels, subcategoriesOf } from './dataset-labels.ts';
import type { DiffusionModel } from './diffusion-model.ts';
import { drawLabels } from './draw-labels.ts';
import { EDM_DEFAULTS } from './edm-description.ts';
import { compileForward, type Forward } from './forward.ts';
import { labelChoices, type Labels } from './labels.ts';
import { sampleImages } from './sample-images.ts';
import { warmStart, type WarmStartOptions } from './warm-start.ts';

export interface DiffusionRunOptions {
  /** @default the default engine */
  readonly engine?: Engine;
  /** Where the configuration is from, for messages. @default 'the configuration' */
  readonly from?: string;
  /** A model whose weights the run begins with; see {@link warmStart}. @default random weights, by the configuration's seed */
  readonly initial?: DiffusionModel;
  /** Kinds of data sets to choose from. @default those of @langevin/io */
  readonly datasets?: readonly DatasetPlugin[];
  /** Kinds of networks to choose from. @default those of @langevin/backbones */
  readonly backbones?: readonly BackbonePlugin[];
}

/** A training run, ready to be passed to `train()`. */
export interface DiffusionRun {
  readonly task: TrainingTask<DiffusionState>;
  readonly dataset: Dataset;
  readonly labels: Labels | undefined;
  readonly backbone: ImageBackbone;
  /** Numbers that training changes. */
  readonly parameters: number;
  /** What whoever starts the run may not have meant, a sentence each. */
  readonly remarks: readonly string[];
}

/** Enough to see what the model has learnt, few enough to cost seconds. */
const PREVIEW_STEPS = 8;
const PREVIEW_COLUMNS = 8;
const PREVIEW_ROWS = 8;

/**
 * Set a training run up from its configuration: data set, backbone, training task, and previews that sample a grid from the moving average
 * of the weights, always from the same noise.
 *
 * @throws UserError when the data set cannot be loaded or does not fit the backbone
 * @example
 * // not run: trains for hours, on the data that the file names
 * const { task } = await diffusionRunFromConfig(parseTrainingConfig(await readJson('emoji.json')));
 * for await (const event of train(task, { folder: 'runs/emoji', steps: 20_000, start: 'resume' })) console.log(event.kind, event.step);
 */
export async function diffusionRunFromConfig(config: DiffusionTrainingConfig, options: DiffusionRunOptions = {}): Promise<DiffusionRun> {
  const { engine, from = 'the configuration', initial, datasets, backbones } = options;
  const backbone = imageBackbone(config.backbone, { from, patch: config.patch, ...(backbones && { plugins: backbones }) });
  const dataset = await loadDataset(config.data, datasets);
  const labels = await datasetLabels(dataset, config.data);
  let forward: Forward | undefined;
  const preview = async (average: unknown, path: string): Promise<void> => {
    forward ??= compileForward(backbone, { engine, weights: 'input' });
    const { columns, classes } = previewLabels({ labels, backbone, seed: config.seed });
    const process = { ...EDM_DEFAULTS, sigmaData: config.edm.sigmaData };
    const model = { backbone, params: average, config: config.backbone, process };
    for await (const event of sampleImages({
      model,
      labels: classes,
      seed: config.seed,
      sampler: heun(),
      steps: PREVIEW_STEPS,
      forward,
      engine,
    })) {
      if (event.kind === 'done') await writeImage(path, imageGrid(event.images, { columns, scale: 2 }));
    }
  };
  const fresh = diffusionTask({ config, dataset, backbone, preview, categories: labels?.categories ?? [], ...(engine && { engine }) });
  const task =
    initial === undefined
      ? fresh
      : await beginWith(fresh, { model: initial, labels, subcategories: await subcategoriesOf(dataset, config.data) });
  const parameters = tensorsOf(backbone.network.init(shapesOnly)).reduce((total, { size }) => total + size, 0);
  return { task, dataset, labels, backbone, parameters, remarks: remarksOn(dataset, backbone) };
}

/** A network and data that fit, but perhaps not as they were meant to. */
function remarksOn({ name, classes }: Dataset, backbone: ImageBackbone): readonly string[] {
  if (classes !== null && classes.length > 1 && backbone.classes === undefined)
    return [
      `the ${classes.length} classes of ${name} are not used: the network takes none. For samples by class, give it "num_class_embeds": `
        + `${classes.length}.`,
    ];
  if (classes === null && backbone.classes !== undefined && backbone.classes > 1)
    return [`${name} has no classes: of the network's ${backbone.classes} only class 0 is trained.`];
  return [];
}

/** The same task from other parameters; the average begins there too. */
async function beginWith(
  task: TrainingTask<DiffusionState>,
  options: Omit<WarmStartOptions, 'fresh'>,
): Promise<TrainingTask<DiffusionState>> {
  const state = task.init();
  const params = await warmStart({ ...options, fresh: state.params });
  return { ...task, init: () => ({ ...state, params, average: params }) };
}

/** A row for each category, or one image for each class; plain images for models without classes. */
function previewLabels({
  labels,
  backbone: { classes },
  seed,
}: {
  readonly labels: Labels | undefined;
  readonly backbone: ImageBackbone;
  readonly seed: number;
}): { readonly columns: number; readonly classes: readonly number[] | number } {
  const columns = PREVIEW_COLUMNS;
  if (classes === undefined) return { columns, classes: PREVIEW_ROWS * columns };
  // Images without labels all have label 0.
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
