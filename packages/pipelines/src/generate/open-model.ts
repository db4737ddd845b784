import { checkChoice, readOptions, shownValue, UnsupportedError, UserError } from '@langevin/tensor';
import { openCheckpoint, type Checkpoint, type OpenCheckpointOptions } from '../checkpoint/checkpoint.ts';
import type { CheckpointFiles } from '../checkpoint/files.ts';
import { memoryModes, type OpenOptions, type OpenProduct, type Product } from './product.ts';
import { ditProduct } from './products/dit.ts';
import { fluxProduct } from './products/flux.ts';
import { pixelDiffusion } from './products/pixel-diffusion.ts';
import { pixartProduct } from './products/pixart.ts';
import { stableDiffusion } from './products/stable-diffusion.ts';
import { stableDiffusion3 } from './products/stable-diffusion-3.ts';
import { stableDiffusionXl } from './products/stable-diffusion-xl.ts';

/** Kinds of checkpoints whose pictures are made here. */
export const products: readonly Product[] = Object.freeze([
  stableDiffusion,
  stableDiffusionXl,
  stableDiffusion3,
  fluxProduct,
  pixartProduct,
  ditProduct,
  pixelDiffusion,
]);

export interface OpenModelOptions extends OpenCheckpointOptions, OpenOptions {
  /** Kinds to choose from. @default those that are known here */
  readonly products?: readonly Product[];
}

/** Every option, or the compiler complains. */
const NAMES = Object.keys({
  variant: 0,
  missingVariant: 0,
  singleFile: 0,
  hub: 0,
  prediction: 0,
  adapters: 0,
  embeddings: 0,
  controls: 0,
  imagePrompts: 0,
  engine: 0,
  memory: 0,
  products: 0,
} satisfies Record<keyof OpenModelOptions, 0>);

/**
 * Opens a checkpoint that makes pictures: reads its configurations, decides what they mean, and maps its weights, none of which is read
 * before it is needed.
 *
 * @param given a folder in the layout of diffusers, or files from elsewhere
 * @throws UserError naming the file that is missing, malformed, or does not fit the others; UnsupportedError for pipelines of other kinds
 * @example
 * // not run: needs a checkpoint in a folder
 * const model = await openModel('stable-diffusion-v1-5');
 * model.evidence.find(({ what }) => what === 'prediction'); // what was decided, and from which file
 */
export async function openModel(given: string | CheckpointFiles, options: OpenModelOptions = {}): Promise<OpenProduct> {
  const {
    products: known = products,
    engine,
    memory = 'keep',
    prediction,
    adapters,
    embeddings,
    controls,
    imagePrompts,
    ...rest
  } = readOptions('pipelines/model', options, NAMES);
  checkProducts(known);
  if (engine !== undefined && (typeof engine !== 'object' || engine === null))
    throw new UserError(`[pipelines/model] engine is none: engine=${shownValue(engine)}. Pass what onnxruntimeEngine() resolves to.`);
  checkChoice('pipelines/model', { memory }, memoryModes);
  const checkpoint = await openCheckpoint(given, rest);
  return productOf(checkpoint, known).open(checkpoint, {
    memory,
    ...(engine !== undefined && { engine }),
    ...(prediction !== undefined && { prediction }),
    ...(adapters !== undefined && { adapters }),
    ...(embeddings !== undefined && { embeddings }),
    ...(controls !== undefined && { controls }),
    ...(imagePrompts !== undefined && { imagePrompts }),
    ...(rest.hub && { hub: rest.hub }),
  });
}

function checkProducts(given: unknown): void {
  const isProduct = (each: Partial<Product> | null): boolean => Array.isArray(each?.pipelines) && typeof each.open === 'function';
  if (Array.isArray(given) && given.length > 0 && given.every(isProduct)) return;
  throw new UserError(
    `[pipelines/model] products are a list of kinds of checkpoints: products=${shownValue(given)}. Pass [...products, your own].`,
  );
}

function productOf({ index, files }: Checkpoint, known: readonly Product[]): Product {
  if (index === undefined)
    throw new UserError(
      `[pipelines/model] one network alone makes no pictures of prompts: folder=${files.label}, model_index.json is not there. Give the `
        + 'folder above it.',
    );
  const found = known.find(({ pipelines }) => pipelines.includes(index.className));
  if (found !== undefined) return found;
  const all = known.flatMap(({ pipelines }) => pipelines);
  throw new UnsupportedError(
    `[pipelines/model] pipeline is not supported: _class_name=${shownValue(index.className)}, folder=${files.label}. Known: `
      + `${all.join(', ')}.`,
  );
}
