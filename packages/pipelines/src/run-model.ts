import { join } from 'node:path';
import { loadDataset, readJson } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { listCheckpoints, parseTrainingConfig, runFolder } from '@langevin/training';
import { imageBackbone } from './image-backbone.ts';
import { datasetLabels } from './dataset-labels.ts';
import { exists, findComponent, loadDiffusionFolder } from './diffusion-folder.ts';
import type { DiffusionModel } from './diffusion-model.ts';
import { EDM_DEFAULTS } from './edm-description.ts';
import { readWeights } from './weights.ts';

/** Which weights of a training run: their moving average, which samples better, or the ones that were being trained. */
export type RunWeights = 'average' | 'params';

/** A training run's model, and the step it is from. */
export interface RunModel {
  readonly model: DiffusionModel;
  readonly name: string;
  readonly step: number;
}

/**
 * The model of a run folder's newest checkpoint.
 *
 * @throws UserError when the folder holds no checkpoint or its files are damaged
 */
export async function loadRunModel(root: string, options: { readonly weights?: RunWeights } = {}): Promise<RunModel> {
  const { weights = 'average' } = options;
  const folder = runFolder(root);
  const newest = (await listCheckpoints(folder.checkpoints)).at(-1);
  if (!newest)
    throw new UserError(
      `[pipelines/run] run has no checkpoint: folder=${root}. Give the folder of a run that "langevin train" has written at least `
        + 'one checkpoint to.',
    );
  const config = parseTrainingConfig(await readJson(folder.config), folder.config);
  const backbone = imageBackbone(config.backbone, { from: folder.config, patch: config.patch });
  const labels = await datasetLabels(await loadDataset(config.data), config.data);
  const params = await readWeights(join(newest.path, 'state.safetensors'), backbone, `${weights}.`);
  const process = { ...EDM_DEFAULTS, sigmaData: config.edm.sigmaData };
  return { model: { backbone, params, config: config.backbone, process, ...(labels && { labels }) }, name: config.name, step: newest.step };
}

/** What a path to a model leads to. */
export type CheckpointKind = 'model' | 'run' | 'file';

/** @throws UserError when it leads to none of them */
export async function checkpointKind(path: string): Promise<CheckpointKind> {
  if (
    await findComponent(path).then(
      () => true,
      () => false,
    )
  )
    return 'model';
  if (await exists(runFolder(path).checkpoints)) return 'run';
  if (/\.[a-z0-9]+$/i.test(path) && (await exists(path))) return 'file';
  throw new UserError(
    `[pipelines/checkpoint] nothing to load: path=${path}. Give a folder with unet/config.json or transformer/config.json, the `
      + 'folder of a training run, or a .safetensors file.',
  );
}

/** Load a model from its folder, or from the folder of the run that trains it. */
export async function loadModel(path: string): Promise<DiffusionModel> {
  switch (await checkpointKind(path)) {
    case 'model':
      return loadDiffusionFolder(path);
    case 'run':
      return (await loadRunModel(path)).model;
    case 'file':
      throw new UserError(
        `[pipelines/checkpoint] a file alone does not say what its weights are for: path=${path}. Give the model's folder.`,
      );
  }
}
