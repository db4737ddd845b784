import { basename, dirname, join } from 'node:path';
import { readJson } from '@langevin/io/node';
import { readOptions, UserError } from '@langevin/tensor';
import {
  listCheckpoints,
  parseDataDescription,
  parseTrainingConfig,
  runFolder,
  stepOfName,
  type RunFolder,
  type StoredCheckpoint,
} from '@langevin/training';
import { imageBackbone, type ImageBackbone } from './image-backbone.ts';
import { findComponent, loadDiffusionFolder, type LoadModelOptions } from './diffusion-folder.ts';
import { checkPath, exists, isRunFolder } from './exists.ts';
import type { DiffusionModel } from './diffusion-model.ts';
import { EDM_DEFAULTS } from './edm-description.ts';
import { checkLabels, numberedLabels, type Labels } from './labels.ts';
import { readWeights } from './weights.ts';

/** Which weights of a training run: their moving average, which samples better, or the ones that were being trained. */
export type RunWeights = 'average' | 'params';

/** A training run's model, and the step it is from. */
export interface RunModel {
  readonly model: DiffusionModel;
  readonly name: string;
  readonly step: number;
}

export interface LoadRunOptions extends LoadModelOptions {
  /** @default 'average' */
  readonly weights?: RunWeights;
}

/** Names of classes are few, those of items many. */
const MAX_DATA_BYTES = 2 ** 30;

/**
 * The model of a run folder's newest checkpoint, or of the one whose folder is given. The names of its classes are those that the run
 * keeps: what it was trained on may have moved since.
 *
 * @throws UserError when the folder holds no checkpoint or its files are damaged
 */
export async function loadRunModel(path: string, options: LoadRunOptions = {}): Promise<RunModel> {
  const { weights = 'average', backbones } = readOptions('pipelines/run', options);
  const { folder, checkpoint, asked } = await findCheckpoint(path);
  const config = parseTrainingConfig(await readJson(folder.config), folder.config);
  const backbone = imageBackbone(config.backbone, { from: folder.config, patch: config.patch, ...(backbones && { plugins: backbones }) });
  const labels = await runLabels(folder, backbone);
  const file = join(checkpoint.path, 'state.safetensors');
  const params = await readWeights(file, { backbone, prefix: `${weights}.` }).catch((cause: unknown) => {
    if (asked === 'this one' || !(cause instanceof UserError)) throw cause;
    throw new UserError(
      `[pipelines/run] newest checkpoint cannot be read: path=${checkpoint.path}, ${cause.message} Give the folder of an earlier `
        + `checkpoint in ${folder.checkpoints}, or remove this one.`,
      { cause },
    );
  });
  const process = { ...EDM_DEFAULTS, sigmaData: config.edm.sigmaData };
  return {
    model: { backbone, params, config: config.backbone, process, ...(labels && { labels }) },
    name: config.name,
    step: checkpoint.step,
  };
}

interface FoundCheckpoint {
  readonly folder: RunFolder;
  readonly checkpoint: StoredCheckpoint;
  readonly asked: 'this one' | 'the newest';
}

async function findCheckpoint(path: string): Promise<FoundCheckpoint> {
  checkPath(path);
  const step = stepOfName(basename(path));
  if (step !== undefined && (await exists(join(path, 'state.safetensors'))))
    return { folder: runFolder(dirname(dirname(path))), checkpoint: { step, path }, asked: 'this one' };
  const folder = runFolder(path);
  const checkpoint = (await listCheckpoints(folder.checkpoints)).at(-1);
  if (checkpoint) return { folder, checkpoint, asked: 'the newest' };
  throw new UserError(
    `[pipelines/run] run has no checkpoint: folder=${path}. Give the folder of a run that "langevin train" has written at least one `
      + 'checkpoint to.',
  );
}

/** Nothing for a network without classes, whatever its data had. Without names, classes are known by the numbers that were trained. */
async function runLabels(folder: RunFolder, backbone: ImageBackbone): Promise<Labels | undefined> {
  const known = backbone.classes;
  if (known === undefined) return undefined;
  if (!(await exists(folder.data))) return numberedLabels(known);
  const data = parseDataDescription(await readJson(folder.data, { maxBytes: MAX_DATA_BYTES }));
  if (data === undefined)
    throw new UserError(
      `[pipelines/run] description of the data is damaged: file=${folder.data}. Restore it, or remove it to do without names.`,
    );
  // Images without labels all have label 0.
  if (data.classes === null) return numberedLabels(1);
  return checkLabels({ classes: data.classes, categories: data.categories }, { known, from: folder.data });
}

/** What a path to a model leads to. */
export type CheckpointKind = 'model' | 'run' | 'file';

/** @throws UserError when it leads to none of them, or to two */
export async function checkpointKind(path: string): Promise<CheckpointKind> {
  checkPath(path);
  const isModel = await findComponent(path).then(
    () => true,
    () => false,
  );
  const isRun = await isRunFolder(path);
  if (isModel && isRun)
    throw new UserError(
      `[pipelines/checkpoint] folder is both a model's and a run's: path=${path}. Move unet/ or transformer/, with scheduler/ and `
        + 'model_index.json, elsewhere, and give the one that is meant.',
    );
  if (isModel) return 'model';
  if (isRun) return 'run';
  if (/\.[a-z0-9]+$/i.test(path) && (await exists(path))) return 'file';
  throw nothingToLoad(path);
}

function nothingToLoad(path: string): UserError {
  return new UserError(
    `[pipelines/checkpoint] nothing to load: path=${path}. Give a folder with unet/config.json or `
      + 'transformer/config.json, the folder of a training run, or a .safetensors file.',
  );
}

/** Load a model from its folder, or from the folder of the run that trains it, or of one of the run's checkpoints. */
export async function loadModel(path: string, options: LoadModelOptions = {}): Promise<DiffusionModel> {
  switch (await checkpointKind(path)) {
    case 'model':
      return loadDiffusionFolder(path, options);
    case 'run':
      return (await loadRunModel(path, options)).model;
    case 'file':
      throw new UserError(
        `[pipelines/checkpoint] a file alone does not say what its weights are for: path=${path}. Give the model's folder.`,
      );
  }
}
