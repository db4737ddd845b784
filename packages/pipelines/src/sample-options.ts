import type { Denoiser, NoiseLevel, NoiseSource, Sampler } from '@langevin/core';
import type { Spacing } from '@langevin/core-schedules';
import type { NetworkDenoiser } from '@langevin/diffusion';
import { checkGuidance, type Guidance } from '@langevin/guidance';
import type { Image } from '@langevin/io';
import { checkListeners, checkNumber, didYouMean, readOptions, shownValue, UserError, type Engine, type Tensor } from '@langevin/tensor';
import { checkModel, type DiffusionModel } from './diffusion-model.ts';
import { labelCount, pictureForm } from './image-network.ts';
import { labelChoices } from './labels.ts';
import type { PictureCoder } from './latents/picture-coder.ts';

/** The images that are sampled together. */
export interface SampleBatch {
  /** Their numbers in the run, from 0. */
  readonly images: readonly number[];
  /** Their classes; absent for models without. */
  readonly labels?: readonly number[];
  readonly seed: number | bigint;
  readonly levels: readonly NoiseLevel[];
  /** The model's denoiser for other classes of the same images, one each: what guidance asks beside the first. */
  readonly denoiserOf: (labels: readonly number[]) => Denoiser<Tensor>;
}

export interface SampleImagesOptions {
  readonly model: DiffusionModel;
  /** The class of each image, by number or by name; for models without classes, how many images. */
  readonly labels: readonly (number | string)[] | number;
  /** @default 0 */
  readonly seed?: number | bigint;
  /** @default heun() for EDM's models, dpmpp2m() for others: deterministic and of second order */
  readonly sampler?: Sampler;
  /** @default karras() with the model's rho for EDM's models, trailing() for others */
  readonly spacing?: Spacing;
  /** Sampler steps, >= 1. @default 18, where EDM's CIFAR-10 models stop gaining */
  readonly steps?: number;
  /**
   * Noise of the sampler's steps, for samplers that draw any: keyed by image and step, or the path of a Brownian tree for each image,
   * seeded by seed + image number, which stays the same when the number of steps changes; or a source of your own for each batch, from
   * which its run starts, too. With a name, runs start from noise keyed by image. @default 'images'
   */
  readonly noise?: 'images' | 'brownian-tree' | ((batch: SampleBatch) => NoiseSource);
  /** Leads images towards their classes: `cfg({ scale: 3 })`. @default none */
  readonly guidance?: Guidance;
  /** A class, by number or name, that guidance leads away from. @default what the model was told in place of classes, where it was */
  readonly negative?: number | string;
  /** What stands around the denoiser, guided or not:  clamping, inpainting. @default nothing */
  readonly denoiser?: (denoise: Denoiser<Tensor>, batch: SampleBatch) => Denoiser<Tensor>;
  /**
   * Pictures to start from, as SDEdit does (Meng et al. 2022, arXiv:2108.01073), one for each image and of the model's size: noised to the
   * start level. @default none: from noise alone
   */
  readonly pictures?: readonly Image[];
  /**
   * Noise-to-signal ratio that runs start at, > 0: levels above it are left out, and its own is put first. With pictures, how much of them
   * may change. @default the spacing's first level
   */
  readonly startSigma?: number;
  /** At most so many images at a time. @default 32 */
  readonly batch?: number;
  /** Aborts between evaluations, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** @default the default engine */
  readonly engine?: Engine | undefined;
  /** The model's denoiser, compiled before, to use again. @default one for this call, freed at its end */
  readonly compiled?: NetworkDenoiser<unknown>;
  /** Between pictures and what the model diffuses over, compiled before, to use again. @default one for this call, freed at its end */
  readonly coder?: PictureCoder;
}

interface CheckedOptions extends SampleImagesOptions {
  readonly count: number;
  /** Of each image, by number; absent for models without. */
  readonly classes?: readonly number[];
  /** What guidance compares with, by number; absent where there is none. */
  readonly none?: number;
}

const NAMES = [
  'model',
  'labels',
  'seed',
  'sampler',
  'spacing',
  'steps',
  'noise',
  'guidance',
  'negative',
  'denoiser',
  'pictures',
  'startSigma',
  'batch',
  'signal',
  'engine',
  'compiled',
  'coder',
] as const satisfies readonly (keyof SampleImagesOptions)[];

/** What can be told before anything is computed. @throws UserError when an option is none */
export function checkSampleOptions(given: SampleImagesOptions): CheckedOptions {
  const options = readOptions('pipelines/sample', given, NAMES);
  checkListeners('pipelines/sample', { signal: options.signal });
  const { model, batch = 32, noise = 'images', denoiser, pictures, startSigma = 1 } = options;
  checkModel(model);
  if (typeof noise !== 'function' && noise !== 'images' && noise !== 'brownian-tree')
    throw new UserError(
      `[pipelines/sample] unknown noise: noise=${shownValue(noise)}. Known: images, brownian-tree; or pass a function that makes a source.`,
    );
  if (denoiser !== undefined && typeof denoiser !== 'function')
    throw new UserError('[pipelines/sample] denoiser is no wrapper. Pass a function from denoiser to denoiser.');
  checkNumber('pipelines/sample', { batch }, { kind: 'integer', atLeast: 1 });
  checkNumber('pipelines/sample', { startSigma }, { above: 0 });
  const { labels, guidance, negative } = options;
  if (guidance !== undefined) checkGuidance('pipelines/sample', guidance);
  if (guidance === undefined && negative !== undefined)
    throw new UserError(
      `[pipelines/sample] a class to lead away from does nothing without guidance: negative=${shownValue(negative)}. Pass guidance too.`,
    );
  if (guidance !== undefined && labelCount(model.network) === undefined)
    throw new UserError(`[pipelines/sample] model knows no classes, which guidance follows: guidance=${guidance.name}. Leave it out.`);
  const count = Array.isArray(labels) ? labels.length : labels;
  checkNumber('pipelines/sample', { images: count }, { kind: 'integer', atLeast: 1, atMost: 1e6, advice: 'Ask for 1 to 1000000.' });
  const classes = checkLabels(model, labels);
  const none = classes && noneOf(model, options);
  if (pictures !== undefined) checkPictures(model, { pictures, count: count as number });
  return { ...options, count: count as number, ...(classes && { classes }), ...(none !== undefined && { none }) };
}

function checkLabels(model: DiffusionModel, labels: SampleImagesOptions['labels']): readonly number[] | undefined {
  const known = labelCount(model.network);
  if (typeof labels === 'number') {
    if (known === undefined) return undefined;
    throw new UserError(
      `[pipelines/sample] model wants a class for each image: labels=${labels}, classes=${known}. Give a list of labels.`,
    );
  }
  if (known === undefined)
    throw new UserError(`[pipelines/sample] model knows no classes: ${labels.length} labels given. Give the number of images instead.`);
  return Array.from(labels, (label) => {
    if (typeof label === 'string') return labelOf(model, label);
    if (Number.isSafeInteger(label) && label >= 0 && label < known) return label;
    throw new UserError(
      `[pipelines/sample] label is not one of the model's: label=${label}, classes=${known}. Give integers from 0 to ${known - 1}`
        + `${model.labels ? ', or names' : ''}.`,
    );
  });
}

/** What guidance compares the classes with. */
function noneOf(model: DiffusionModel, { negative }: SampleImagesOptions): number | undefined {
  if (negative !== undefined) return checkLabels(model, [negative])![0]!;
  const label = model.network.info.conditions['label'];
  return model.labels?.none ?? (label?.kind === 'label' ? (label.none ?? undefined) : undefined);
}

/** The number of a class. Of a category there are several: see {@link drawLabels}. */
function labelOf({ labels }: DiffusionModel, name: string): number {
  const classes = labels?.classes ?? [];
  const at = classes.indexOf(name);
  if (at >= 0) return at;
  const category = labels && labelChoices(labels).find((choice) => choice.name === name);
  const remedy = category
    ? 'It is a category: draw classes of it with drawLabels().'
    : classes.length === 0
      ? 'The model has no names of classes: give numbers.'
      : `${didYouMean(name, classes)} The model has ${classes.length} classes: model.labels.classes.`.trim();
  throw new UserError(`[pipelines/sample] label is not one of the model's: label=${JSON.stringify(name.slice(0, 80))}. ${remedy}`);
}

function checkPictures(
  { network, autoencoder: coder }: DiffusionModel,
  { pictures, count }: { readonly pictures: readonly Image[]; readonly count: number },
): void {
  if (pictures.length !== count)
    throw new UserError(
      `[pipelines/sample] there is not a picture for each image: pictures=${pictures.length}, images=${count}. Give as many.`,
    );
  const form = pictureForm(network);
  const [down = 1, across = 1] = coder?.autoencoder.info.factor ?? [];
  const { channels, height, width } = {
    channels: coder?.autoencoder.info.inputs ?? form.channels,
    height: form.height * down,
    width: form.width * across,
  };
  const wrong = pictures.findIndex((picture) => picture.width !== width || picture.height !== height || picture.channels !== channels);
  if (wrong < 0) return;
  const picture = pictures[wrong]!;
  throw new UserError(
    `[pipelines/sample] picture does not have the model's form: pictures[${wrong}] is ${picture.width}x${picture.height} with `
      + `${picture.channels} channels, the model wants ${width}x${height} with ${channels}. Use resizeImage() and readImage()'s channels.`,
  );
}
