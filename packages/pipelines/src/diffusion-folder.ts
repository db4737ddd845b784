import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackbonePlugin } from '@langevin/backbones';
import type { NoiseParts } from '@langevin/diffusion';
import type { DataCredits } from '@langevin/io';
import { makeFolder, readPythonJson, writeCredits, writeFileAtomic, writeSafetensors } from '@langevin/io/node';
import { readOptions, UserError } from '@langevin/tensor';
import * as v from 'valibot';
import { imageNetwork, labelCount } from './image-network.ts';
import { readChecked } from './checked.ts';
import { checkModel, type DiffusionModel } from './diffusion-model.ts';
import { CREDITS } from './credits.ts';
import { checkPath, exists, isRun } from './exists.ts';
import { checkLabels, labelsSchema, numberedLabels, type Labels } from './labels.ts';
import { loadAutoencoderFolder, saveAutoencoderFolder, type LoadAutoencoderOptions } from './latents/autoencoder-folder.ts';
import { isRead, parseNoise, readScheduler, schedulerOf } from './noise-files.ts';
import { readWeights, weightsToWrite, type WeightDType } from './weights.ts';

const WEIGHTS = 'diffusion_pytorch_model';
/** In the order of preference; a pickle is named so that its refusal can be explained. */
const WEIGHT_FILES = [
  `${WEIGHTS}.safetensors`,
  `${WEIGHTS}.fp16.safetensors`,
  `${WEIGHTS}.safetensors.index.json`,
  `${WEIGHTS}.bin`,
] as const;

/** `model_index.json`: what diffusers wants there is not looked at. */
const indexSchema = v.looseObject({
  patch: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(64)), 1),
  /** As in a training configuration; without it, the scheduler's file says it. */
  noise: v.optional(v.looseObject({})),
});

/** Folders that diffusers keeps a denoising network in. */
const COMPONENTS = ['unet', 'transformer'] as const;
type Component = (typeof COMPONENTS)[number];

/** The folder of a model's network. @throws UserError when there is none */
export async function findComponent(dir: string): Promise<Component> {
  for (const component of COMPONENTS) if (await exists(join(dir, component, 'config.json'))) return component;
  throw new UserError(
    `[pipelines/folder] not a model's folder: folder=${dir}, neither unet/config.json nor transformer/config.json is there. Give a `
      + 'folder that "langevin export" wrote, or one in the layout of diffusers.',
  );
}

/** Where the files of a model lie, in the layout of diffusers. */
export function diffusionFiles(dir: string, component: Component) {
  return {
    index: join(dir, 'model_index.json'),
    component: join(dir, component),
    config: join(dir, component, 'config.json'),
    weights: join(dir, component, WEIGHT_FILES[0]),
    scheduler: join(dir, 'scheduler', 'scheduler_config.json'),
    labels: join(dir, 'labels.json'),
    /** Of models over latents. */
    coder: join(dir, 'vae', 'config.json'),
  };
}

export interface LoadModelOptions extends LoadAutoencoderOptions {
  /** Kinds of networks to choose from. @default those of @langevin/backbones */
  readonly backbones?: readonly BackbonePlugin[];
  /** Where the noise of a model finds its parts by name. @default those of @langevin/core-schedules */
  readonly noiseParts?: Partial<NoiseParts>;
}

/**
 * Load a model from a folder in the layout of diffusers: `unet/` or `transformer/` with `config.json` and
 * `diffusion_pytorch_model.safetensors` (one file or sharded; float32, float16 or bfloat16), `labels.json` where classes have names, `vae/`
 * of models over latents, and
 * in `model_index.json` `noise` (what the network was trained for, as in a training configuration; without it
 * `scheduler/scheduler_config.json` of an EDM scheduler) and `patch`, where the network works on patches. Nothing in it is executed.
 *
 * @throws UserError naming the file that is missing, malformed, or does not fit the others
 */
export async function loadDiffusionFolder(dir: string, options: LoadModelOptions = {}): Promise<DiffusionModel> {
  checkPath(dir);
  const { backbones, noiseParts = {}, autoencoders } = readOptions('pipelines/folder', options);
  const files = diffusionFiles(dir, await findComponent(dir));
  const config = (await readPythonJson(files.config)) as Readonly<Record<string, unknown>>;
  const index: v.InferOutput<typeof indexSchema> = (await exists(files.index)) ? await readChecked(files.index, indexSchema) : { patch: 1 };
  const network = imageNetwork(config, { from: files.config, patch: index.patch, ...(backbones && { plugins: backbones }) });
  const noise =
    index.noise === undefined ? await readScheduler(files.scheduler) : parseNoise(index.noise, { file: files.index, parts: noiseParts });
  const known = labelCount(network);
  const labels = known === undefined ? undefined : await loadLabels(files.labels, known);
  const params = await readWeights(await findWeights(files.component), { network });
  const coded = await exists(files.coder);
  return {
    ...{ network, params, config, patch: index.patch, noise },
    ...(labels && { labels }),
    ...(coded && { autoencoder: await loadAutoencoderFolder(dir, { ...(autoencoders && { autoencoders }) }) }),
  };
}

/** Names from `labels.json`; without the file classes are known by their numbers. */
async function loadLabels(path: string, known: number): Promise<Labels> {
  if (!(await exists(path))) return numberedLabels(known);
  const { none, ...labels } = await readChecked(path, labelsSchema);
  return checkLabels({ ...labels, ...(none !== undefined && { none }) }, { known, from: path });
}

/** The weight file in the folder of a network. @throws UserError when there is none */
export async function findWeights(folder: string): Promise<string> {
  for (const name of WEIGHT_FILES) {
    const path = join(folder, name);
    if (await exists(path)) return path;
  }
  throw new UserError(`[pipelines/folder] weights are missing: folder=${folder}. Expected ${WEIGHT_FILES[0]} or ${WEIGHT_FILES[2]} there.`);
}

export interface SaveDiffusionOptions {
  /** @default 'float32'; 'float16' halves the file and rounds weights to 11 bits */
  readonly dtype?: WeightDType;
  /** Written into the header of the weights: where they are from. @default none */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whose data the model knows: licences ask for it. @default not said */
  readonly credits?: readonly DataCredits[];
}

/**
 * Write a model's folder; diffusers' `UNet2DModel.from_pretrained` and `EDMEulerScheduler.from_pretrained` read it too.
 *
 * @throws UserError when the disk fails, the folder is that of a training run or holds a network of another kind, or a weight does not fit
 *   the dtype
 */
export async function saveDiffusionFolder(dir: string, model: DiffusionModel, options: SaveDiffusionOptions = {}): Promise<void> {
  const { dtype = 'float32', metadata = {}, credits } = readOptions('pipelines/folder', options);
  checkModel(model);
  await makeFolder(dir);
  const className = String(model.config['_class_name']);
  const component = className.startsWith('UNet') ? 'unet' : 'transformer';
  const files = diffusionFiles(dir, component);
  const tensors = await weightsToWrite(model.params, dtype);
  if (await isRun(dir))
    throw new UserError(
      `[pipelines/folder] folder is that of a training run, which a model beside it would hide: folder=${dir}. Choose another one.`,
    );
  const other = COMPONENTS.find((name) => name !== component);
  if (other && (await exists(join(dir, other))))
    throw new UserError(
      `[pipelines/folder] folder holds a model of another kind, which would be loaded instead: folder=${dir}, found=${other}/, `
        + `written=${component}/. Choose another folder, or remove what is there.`,
    );
  const scheduler = schedulerOf(model.noise);
  for (const sub of [component, ...(scheduler ? ['scheduler'] : [])]) await makeFolder(join(dir, sub));
  await writeSafetensors(files.weights, tensors, { metadata: { format: 'pt', ...metadata } });
  await writeFileAtomic(files.config, json(model.config));
  if (scheduler) await writeFileAtomic(files.scheduler, json(scheduler));
  // What an earlier model had here would pass for this one's.
  if (model.labels) await writeFileAtomic(files.labels, json(model.labels));
  else await rm(files.labels, { force: true });
  if (credits) await writeCredits(join(dir, CREDITS), credits);
  else await rm(join(dir, CREDITS), { force: true });
  if (model.autoencoder) await saveAutoencoderFolder(join(dir, 'vae'), model.autoencoder, { dtype });
  else await rm(join(dir, 'vae'), { recursive: true, force: true });
  await writeFileAtomic(
    files.index,
    json({
      _class_name: 'ImageDiffusionPipeline',
      ...(scheduler && { scheduler: ['diffusers', scheduler['_class_name']] }),
      [component]: ['diffusers', className],
      ...(model.autoencoder && { vae: ['diffusers', String(model.autoencoder.config['_class_name'])] }),
      patch: model.patch,
      // What a scheduler that is read says alone is said once.
      ...(!isRead(model.noise, scheduler) && { noise: model.noise.config }),
    }),
  );
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
