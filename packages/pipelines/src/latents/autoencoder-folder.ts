import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Autoencoder } from '@langevin/core';
import type { DataCredits } from '@langevin/io';
import { makeFolder, readPythonJson, writeCredits, writeFileAtomic, writeSafetensors } from '@langevin/io/node';
import { bernoulli, findAutoencoder, type AutoencoderPlugin } from '@langevin/latent-ae';
import { classNamed, fitWeights, shapesOnly } from '@langevin/nn';
import { readOptions, shownValue, UserError, type Tensor } from '@langevin/tensor';
import { CREDITS } from '../credits.ts';
import { findWeights } from '../diffusion-folder.ts';
import { checkPath, exists, isRun } from '../exists.ts';
import { naming } from '../naming.ts';
import { mappedTensors, weightsToWrite, type WeightDType } from '../weights.ts';

/** An autoencoder with its weights, as a folder holds it. */
export interface LoadedAutoencoder {
  readonly autoencoder: Autoencoder<unknown>;
  /** In the dtype of the file, or of the training. */
  readonly params: unknown;
  /** Its configuration, as in `config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** SHA-256 of the file of its weights, hexadecimal: what latents that were kept are named by. */
  readonly sha256: string;
}

export interface LoadAutoencoderOptions {
  /** Classes to choose from. @default those of @langevin/latent-ae */
  readonly autoencoders?: readonly AutoencoderPlugin[];
}

/**
 * Load an autoencoder from a folder: `config.json` and `diffusion_pytorch_model.safetensors` in it or in its `vae/`, as diffusers has them.
 * Nothing in it is executed.
 *
 * @throws UserError naming the file that is missing, malformed, or does not fit the others; UnsupportedError for a class that is not known
 */
export async function loadAutoencoderFolder(dir: string, options: LoadAutoencoderOptions = {}): Promise<LoadedAutoencoder> {
  checkPath(dir);
  const { autoencoders } = readOptions('pipelines/autoencoder', options, ['autoencoders']);
  const folder = await folderOf(dir);
  const file = join(folder, 'config.json');
  const config = (await readPythonJson(file)) as Readonly<Record<string, unknown>>;
  const plugin = naming(file, () => pluginOf(config, autoencoders));
  const { [OUTPUT]: output, ...own } = config;
  const parsed = naming(file, () => plugin.parse(own));
  const autoencoder = naming(file, () => drawing(parsed, output));
  const weights = await findWeights(folder);
  const { tensors } = await mappedTensors(weights);
  const { params } = fitWeights(autoencoder.init(shapesOnly), tensors, { from: weights, ...(plugin.rules && { rules: plugin.rules }) });
  return Object.freeze({ autoencoder, params, config, sha256: await hashOf(weights) });
}

/** In a configuration, where the decoder was trained to give something else than pixels: `logits` of black and white ones. */
export const OUTPUT = 'decoder_output';

/** An autoencoder whose decoder gives pixels. @throws UserError for an output that is not known */
function drawing(autoencoder: Autoencoder<unknown>, output: unknown): Autoencoder<unknown> {
  if (output === undefined) return autoencoder;
  if (output !== 'logits') throw new UserError(`[pipelines/autoencoder] unknown output: ${OUTPUT}=${shownValue(output)}. Known: logits.`);
  const { toPicture } = bernoulli();
  return Object.freeze({ ...autoencoder, decode: (params: unknown, z: Tensor) => toPicture!(autoencoder.decode(params, z)) });
}

/** The plugin of a configuration's class. @throws UserError when it names none; UnsupportedError when it is not known */
export function pluginOf(config: unknown, plugins?: readonly AutoencoderPlugin[]): AutoencoderPlugin {
  return findAutoencoder(classNamed(config, { plugins: plugins ?? [], where: 'pipelines/autoencoder' }), plugins);
}

/** Where an autoencoder's files lie: a folder, or its `vae/`. @throws UserError when they are in neither */
export async function folderOf(dir: string): Promise<string> {
  for (const folder of [join(dir, 'vae'), dir]) if (await exists(join(folder, 'config.json'))) return folder;
  throw new UserError(
    `[pipelines/autoencoder] not an autoencoder's folder: folder=${dir}, neither config.json nor vae/config.json is there. `
      + 'Give a folder that "langevin train" or diffusers wrote.',
  );
}

/** SHA-256 of a file, hexadecimal. */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

export interface SaveAutoencoderOptions {
  /** @default 'float32'; 'float16' halves the file and rounds weights to 11 bits */
  readonly dtype?: WeightDType;
  /** Written into the header of the weights: where they are from. @default none */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Whose data it was trained on: licences ask for it. @default not said */
  readonly credits?: readonly DataCredits[];
}

/**
 * Write an autoencoder's folder, which diffusers' `AutoencoderKL.from_pretrained` and its relatives read.
 *
 * @throws UserError when the disk fails, the folder is that of a training run, or a weight does not fit the dtype
 */
export async function saveAutoencoderFolder(
  dir: string,
  { params, config }: Pick<LoadedAutoencoder, 'params' | 'config'>,
  options: SaveAutoencoderOptions = {},
): Promise<void> {
  checkPath(dir);
  const { dtype = 'float32', metadata = {}, credits } = readOptions('pipelines/autoencoder', options, ['dtype', 'metadata', 'credits']);
  if (await isRun(dir))
    throw new UserError(
      `[pipelines/autoencoder] folder is that of a training run, which a model beside it would hide: folder=${dir}. Choose another one.`,
    );
  await makeFolder(dir);
  const tensors = await weightsToWrite(params, dtype);
  await writeSafetensors(join(dir, 'diffusion_pytorch_model.safetensors'), tensors, { metadata: { format: 'pt', ...metadata } });
  await writeFileAtomic(join(dir, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  if (credits) await writeCredits(join(dir, CREDITS), credits);
}
