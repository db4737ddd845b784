import { dirname, join } from 'node:path';
import type { Network } from '@langevin/core';
import { noiseRecipe } from '@langevin/diffusion';
import type { DataCredits } from '@langevin/io';
import { readJson } from '@langevin/io/node';
import { fromStateDict, shapesOnly, toStateDict } from '@langevin/nn';
import { readOptions, UserError } from '@langevin/tensor';
import { checkpointPath, listCheckpoints, loadCheckpoint, RUN_FILES } from '@langevin/training';
import { folderStore } from '@langevin/training/node';
import { CREDITS, readCredits } from './credits.ts';
import { parseDataDescription } from './data-description.ts';
import { findComponent, findWeights, loadDiffusionFolder, type LoadModelOptions } from './diffusion-folder.ts';
import type { DiffusionModel } from './diffusion-model.ts';
import { labelOfNone } from './diffusion-run.ts';
import { checkPath, exists, isRun, stepOfFile } from './exists.ts';
import { imageNetwork, labelCount } from './image-network.ts';
import { AVERAGE } from './learning.ts';
import { checkLabels, numberedLabels, type Labels } from './labels.ts';
import { keptAutoencoder } from './latents/keep-autoencoder.ts';
import { parseTrainingConfig, type TrainingConfig } from './training-config.ts';

/** Which weights of a training run: their moving average, which samples better, or the ones that were being trained. */
export type RunWeights = 'average' | 'params';

/** A training run's model, and the step it is from. */
export interface RunModel {
  readonly model: DiffusionModel;
  readonly name: string;
  readonly step: number;
  /** Whose data it was trained on; absent when the run does not say. */
  readonly credits?: readonly DataCredits[];
}

export interface LoadRunOptions extends LoadModelOptions {
  /** @default 'average' */
  readonly weights?: RunWeights;
}

/** Names of classes are few, those of items many. */
const MAX_DATA_BYTES = 2 ** 30;

/**
 * The model of a run's newest checkpoint, or of the checkpoint whose file is given. The names of its classes are those that the run keeps:
 * what it was trained on may have moved since.
 *
 * @throws UserError when the folder holds no checkpoint, or its files are damaged
 */
export async function loadRunModel(path: string, options: LoadRunOptions = {}): Promise<RunModel> {
  const { weights = 'average', backbones, noiseParts, autoencoders } = readOptions('pipelines/run', options);
  const { folder, step, asked } = await findCheckpoint(path);
  const from = join(folder, RUN_FILES.config);
  const config = parseTrainingConfig(await readJson(from), from);
  const network = imageNetwork(config.backbone, { from, patch: config.patch, ...(backbones && { plugins: backbones }) });
  const labels = await runLabels(folder, { config, network });
  const file = join(folder, checkpointPath(step));
  const { state } = await loadCheckpoint<unknown>(folderStore(folder), step).catch((cause: unknown) => {
    if (asked === 'this one' || !(cause instanceof UserError)) throw cause;
    throw new UserError(
      `[pipelines/run] newest checkpoint cannot be read: path=${file}, ${cause.message} Give an earlier checkpoint in `
        + `${join(folder, 'checkpoints')}, or remove this one.`,
      { cause },
    );
  });
  const credits = join(folder, CREDITS);
  const entries = await toStateDict(weightsOf(state, { weights, file }));
  const params = await fromStateDict(network.init(shapesOnly), entries, { from: file });
  return {
    model: {
      network,
      params,
      config: config.backbone,
      patch: config.patch,
      noise: noiseRecipe(config.noise, noiseParts),
      ...(labels && { labels }),
      ...(config.latents && { autoencoder: await keptAutoencoder(folder, { ...(autoencoders && { autoencoders }) }) }),
    },
    name: config.name,
    step,
    ...((await exists(credits)) && { credits: await readCredits(credits) }),
  };
}

/** @throws UserError when the state is not that of a diffusion run */
function weightsOf(state: unknown, { weights, file }: { readonly weights: RunWeights; readonly file: string }): unknown {
  const path = weights === 'params' ? ['network', 'params'] : ['network', 'averages', AVERAGE];
  let found = state;
  for (const key of path) found = isRecord(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  if (found !== undefined) return found;
  throw new UserError(
    `[pipelines/run] checkpoint is not of a diffusion run: file=${file}, ${path.join('.')} is missing. Give another run.`,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

interface FoundCheckpoint {
  readonly folder: string;
  readonly step: number;
  readonly asked: 'this one' | 'the newest';
}

/** The checkpoint that a path leads to. @throws UserError when there is none */
export async function findCheckpoint(path: string): Promise<FoundCheckpoint> {
  checkPath(path);
  const step = stepOfFile(path);
  if (step !== undefined && (await exists(path))) return { folder: dirname(dirname(path)), step, asked: 'this one' };
  const newest = (await listCheckpoints(folderStore(path))).at(-1);
  if (newest !== undefined) return { folder: path, step: newest, asked: 'the newest' };
  throw new UserError(
    `[pipelines/run] run has no checkpoint: folder=${path}. Give the folder of a run that "langevin train" has written at least one `
      + 'checkpoint to.',
  );
}

/** Nothing for a network without classes, whatever its data had. Without names, classes are known by the numbers that were trained. */
async function runLabels(
  folder: string,
  { config, network }: { readonly config: TrainingConfig; readonly network: Network<unknown> },
): Promise<Labels | undefined> {
  const known = labelCount(network);
  if (known === undefined) return undefined;
  const file = join(folder, RUN_FILES.data);
  if (!(await exists(file))) return numberedLabels(known);
  const data = parseDataDescription(await readJson(file, { maxBytes: MAX_DATA_BYTES }));
  if (data === undefined)
    throw new UserError(`[pipelines/run] description of the data is damaged: file=${file}. Restore it, or remove it to do without names.`);
  // Pictures without labels all have label 0.
  if (data.classes === null) return numberedLabels(1);
  const none = labelOfNone({ dropout: config.dropout.label ?? 0, network, classes: data.classes.length });
  return checkLabels({ classes: data.classes, categories: data.categories, ...(none !== undefined && { none }) }, { known, from: file });
}

/** What a path to a model leads to. */
export type CheckpointKind = 'model' | 'run' | 'component' | 'file';

/** @throws UserError when it leads to none of them, or to two */
export async function checkpointKind(path: string): Promise<CheckpointKind> {
  checkPath(path);
  const isModel = await findComponent(path).then(
    () => true,
    () => false,
  );
  const run = await isRun(path);
  if (isModel && run)
    throw new UserError(
      `[pipelines/checkpoint] folder is both a model's and a run's: path=${path}. Move unet/ or transformer/, with scheduler/ and `
        + 'model_index.json, elsewhere, and give the one that is meant.',
    );
  if (isModel) return 'model';
  if (run) return 'run';
  if (await isComponent(path)) return 'component';
  if (/\.[a-z0-9]+$/i.test(path) && (await exists(path))) return 'file';
  throw nothingToLoad(path);
}

/** One class with its weights: an autoencoder, say. */
async function isComponent(path: string): Promise<boolean> {
  if (!(await exists(join(path, 'config.json')))) return false;
  return findWeights(path).then(
    () => true,
    () => false,
  );
}

function nothingToLoad(path: string): UserError {
  return new UserError(
    `[pipelines/checkpoint] nothing to load: path=${path}. Give a folder with unet/config.json or `
      + 'transformer/config.json, the folder of a training run, or a .safetensors file.',
  );
}

/** Load a model from its folder, or from the folder of the run that trains it, or from one of the run's checkpoints. */
export async function loadModel(path: string, options: LoadModelOptions = {}): Promise<DiffusionModel> {
  switch (await checkpointKind(path)) {
    case 'model':
      return loadDiffusionFolder(path, options);
    case 'run':
      return (await loadRunModel(path, options)).model;
    case 'component':
      throw new UserError(
        `[pipelines/checkpoint] folder holds one component of a model: path=${path}. Give the model's folder; an autoencoder is for `
          + '--autoencoder.',
      );
    case 'file':
      throw new UserError(
        `[pipelines/checkpoint] a file alone does not say what its weights are for: path=${path}. Give the model's folder.`,
      );
  }
}
