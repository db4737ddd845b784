import type { Sampler } from '@langevin/core';
import type { Spacing } from '@langevin/core-schedules';
import type { Image } from '@langevin/io';
import { checkListeners, checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import { imagePromptCalls, type ImagePromptOptions } from './image-prompt-options.ts';
import { controlCalls, type ControlOptions } from './control-options.ts';
import { decodings, type Decoding } from './parts/latent-coder.ts';
import { checkSize } from './picture-lists.ts';
import type { OpenProduct } from './product.ts';
import { clipSkipCounts, promptForm, type ClipSkipCount, type PromptFormOptions } from './prompt-options.ts';
import type { PromptForm } from './prompts/clip-prompts.ts';
import { samplerLead, type SamplerLead, type SamplerWords } from './sampler-options.ts';
import { startOf, type CheckedStart } from './start-options.ts';
import type { ImagePromptCall } from './steer/image-prompts.ts';
import type { ControlCall } from './steer/steering.ts';

/** What {@link generate} is told. */
export interface GenerateOptions {
  readonly model: OpenProduct;
  /** What is to be seen: a text for one picture, or one for each. Models without a text take none. */
  readonly prompt?: string | readonly string[];
  /** What is not to be seen: one text for all, or one for each. Needs guidance. @default what the product has for no prompt */
  readonly negativePrompt?: string | readonly string[];
  /** Pictures for each prompt. @default 1 */
  readonly count?: number;
  /** In pixels. @default that of the pictures that it begins with or is steered by, else the size that the model was trained for */
  readonly width?: number;
  readonly height?: number;
  /** Of the scheduler; calls of the network are more for methods of second order. @default that of the product */
  readonly steps?: number;
  /** Scale of classifier-free guidance as in Stable Diffusion, >= 1; 1 is none. @default that of the product */
  readonly guidance?: number;
  /**
   * How much of the deviation that the prompt's own prediction has is restored, 0..1 (Lin et al. 2023, arXiv:2305.08891, eq. 15).
   *
   * @default 0
   */
  readonly guidanceRescale?: number;
  /**
   * Pictures to begin with (Meng et al. 2022, arXiv:2108.01073): one for all, or one for each prompt, of three channels; the size is that
   * of them.
   *
   * @default none: from noise alone
   */
  readonly image?: Image | readonly Image[];
  /** How much of them may change, 0..1: the share of the steps that is run. @default 0.8; 1 with a mask */
  readonly strength?: number;
  /**
   * What of the pictures is made anew: where this picture of their size is white, and not transparent; the rest is kept. One for all, or
   * one for each prompt.
   *
   * @default none: all of them
   */
  readonly mask?: Image | readonly Image[];
  /**
   * What the pictures are outside of the mask: `kept` as they were, to the last bit, with greys of the mask as a soft edge between old and
   * new; or `decoded`, as diffusers leaves them, changed a little by the autoencoder. @default 'kept'
   */
  readonly outside?: 'kept' | 'decoded';
  /** What steers each control that the model was opened with, in their order. @default none: there are none */
  readonly controls?: readonly ControlOptions[];
  /** What each IP-Adapter that the model was opened with is shown, in their order. @default none: there are none */
  readonly imagePrompts?: readonly ImagePromptOptions[];
  /** Of the first picture; each picture more has the next one. @default 0 */
  readonly seed?: number | bigint;
  /**
   * `each` gives each picture a generator of its own, so that it is the same in any batch; `shared` draws the whole batch from one, as
   * diffusers does when it is given one. @default 'each'
   */
  readonly noise?: 'each' | 'shared';
  /** A sampler of `@langevin/samplers` in place of a scheduler of diffusers. @default none: the checkpoint's scheduler */
  readonly sampler?: Sampler;
  /** Which noise levels the sampler visits. @default what suits the model's noise */
  readonly spacing?: Spacing;
  /** How the two were named, for the note in the picture from which it can be made again. @default by their names alone */
  readonly samplerWords?: SamplerWords;
  /** Another scheduler than the checkpoint's: the entries of a `scheduler_config.json` that differ, its `_class_name` among them. */
  readonly scheduler?: Readonly<Record<string, unknown>>;
  /** Noise that schedulers with such an option add, 0..1: of DDIM. @default 0 */
  readonly eta?: number;
  /**
   * Layers of CLIP's text encoder that are left out, from its end, counted as `clipSkipAs` says. @default none, or what the model is made
   * for
   */
  readonly clipSkip?: number;
  /**
   * `diffusers` counts the layers that are left out beside what the model leaves out, for the prompt alone: 1 is the last but one of Stable
   * Diffusion 1. `a1111` counts from 1, the last layer, and for the negative prompt too: 2 is the last but one of every model.
   *
   * @default 'diffusers'
   */
  readonly clipSkipAs?: ClipSkipCount;
  /** How prompts and negative prompts are read: weights written in them, and texts longer than the encoder takes at once. */
  readonly prompts?: PromptFormOptions;
  /**
   * How latents become pixels: `whole`; in `bands`, the same picture layer by layer, which takes more time; in `tiles` that are blended, as
   * diffusers does, with the least memory, whose tones may change from tile to tile.
   *
   * @default 'whole'
   */
  readonly decoding?: Decoding;
  /** `latents` ends before the autoencoder. @default 'images' */
  readonly output?: 'images' | 'latents';
  /** Aborts between the parts and between calls of the network, with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Options that are checked, with their defaults. */
export interface CheckedGenerate {
  readonly model: OpenProduct;
  /** One for each picture. */
  readonly prompts: readonly string[];
  readonly negatives: readonly (string | undefined)[] | undefined;
  readonly size: { readonly width: number; readonly height: number };
  readonly steps: number;
  readonly guidance: number;
  readonly guidanceRescale: number;
  /** Absent where pictures are made of noise alone. */
  readonly start: CheckedStart | undefined;
  /** One for each control of the model. */
  readonly controls: readonly ControlCall[];
  /** One for each IP-Adapter of the model. */
  readonly imagePrompts: readonly ImagePromptCall[];
  /** One for each picture. */
  readonly seeds: readonly bigint[];
  readonly noise: 'each' | 'shared';
  readonly scheduler: Readonly<Record<string, unknown>>;
  /** Where a sampler leads in place of a scheduler. */
  readonly lead: SamplerLead | undefined;
  readonly eta: number;
  readonly clipSkip: number | undefined;
  readonly clipSkipAs: ClipSkipCount;
  readonly form: PromptForm;
  readonly decoding: Decoding;
  readonly output: 'images' | 'latents';
  readonly signal: AbortSignal | undefined;
}

const WHERE = 'pipelines/generate';
const MOST_PICTURES = 1024;
/** A side beyond this is a mistake, not a picture: the state alone would take gigabytes. */
const LONGEST_SIDE = 16_384;
const LONGEST_PROMPT = 100_000;

const NAMES = [
  'model',
  'prompt',
  'negativePrompt',
  'count',
  'width',
  'height',
  'steps',
  'guidance',
  'guidanceRescale',
  'image',
  'strength',
  'mask',
  'outside',
  'controls',
  'imagePrompts',
  'seed',
  'noise',
  'sampler',
  'spacing',
  'samplerWords',
  'scheduler',
  'eta',
  'clipSkip',
  'clipSkipAs',
  'prompts',
  'decoding',
  'output',
  'signal',
] as const satisfies readonly (keyof GenerateOptions)[];

/** What can be told before anything is computed. @throws UserError naming the option */
export function checkGenerate(given: GenerateOptions): CheckedGenerate {
  const options = readOptions(WHERE, given, NAMES);
  checkListeners(WHERE, { signal: options.signal });
  const { model, count = 1, noise = 'each', output = 'images', guidanceRescale = 0, eta = 0, seed = 0, clipSkip, scheduler = {} } = options;
  if (typeof model !== 'object' || model === null || typeof model.encodePrompts !== 'function')
    throw new UserError(`[${WHERE}] there is no model: model=${shownValue(model)}. Pass what openModel() gives.`);
  const { steps = model.usual.steps, guidance = model.usual.guidance } = options;
  checkNumber(WHERE, { count }, { kind: 'integer', atLeast: 1, atMost: MOST_PICTURES });
  checkNumber(WHERE, { steps }, { kind: 'integer', atLeast: 1, atMost: 100_000 });
  checkNumber(WHERE, { guidance }, { atLeast: 1, atMost: 1e6 });
  checkNumber(WHERE, { guidanceRescale }, { atLeast: 0, atMost: 1 });
  if (guidanceRescale > 0 && model.guidedBy === 'condition')
    throw new UserError(
      `[${WHERE}] a network that is told its guidance has none to rescale: guidanceRescale=${guidanceRescale}, `
        + `model=${model.name}. Leave it `
        + 'out.',
    );
  if (guidance === 1 && guidanceRescale > 0)
    throw new UserError(
      `[${WHERE}] there is no guidance to rescale: guidance=1, guidanceRescale=${guidanceRescale}. Raise guidance, or leave it out.`,
    );
  checkNumber(WHERE, { eta }, { atLeast: 0, atMost: 1 });
  if (clipSkip !== undefined && model.clipSkip === 'refused')
    throw new UserError(
      `[${WHERE}] the model has no text encoder of CLIP to skip layers of: clipSkip=${shownValue(clipSkip)}. Leave it out.`,
    );
  if (clipSkip !== undefined) checkNumber(WHERE, { clipSkip }, { kind: 'integer', atLeast: 0, atMost: 100 });
  const { clipSkipAs = 'diffusers' } = options;
  checkChoice('clipSkipAs', clipSkipAs, clipSkipCounts);
  if (options.clipSkipAs !== undefined && clipSkip === undefined)
    throw new UserError(`[${WHERE}] there is no clipSkip to count: clipSkipAs=${clipSkipAs}. Give clipSkip, or leave it out.`);
  if (clipSkipAs === 'a1111' && clipSkip === 0)
    throw new UserError(`[${WHERE}] A1111's web UI counts from 1, the last layer: clipSkip=0, clipSkipAs=a1111. Give at least 1.`);
  checkChoice('noise', noise, ['each', 'shared']);
  const { decoding = 'whole' } = options;
  checkChoice('decoding', decoding, decodings);
  checkChoice('output', output, ['images', 'latents']);
  if (typeof scheduler !== 'object' || scheduler === null || Array.isArray(scheduler))
    throw new UserError(
      `[${WHERE}] scheduler is no configuration: scheduler=${shownValue(scheduler)}. Pass entries such as { _class_name }.`,
    );
  const texts = promptsOf(options);
  const prompts = texts.flatMap((text) => Array.from({ length: count }, () => text));
  if (prompts.length > MOST_PICTURES)
    throw new UserError(
      `[${WHERE}] too many pictures: prompts=${texts.length}, count=${count}. Ask for at most ${MOST_PICTURES} at a time.`,
    );
  const start = startOf(options, { model, texts, count, steps });
  const controls = controlCalls(options.controls, { model, texts, count });
  const size = sizeOf(options, { picture: start?.pictures[0], hint: controls[0]?.pictures[0] });
  for (const { pictures } of controls) checkSize('picture of a control', pictures, size);
  return {
    model,
    prompts,
    negatives: negativesOf(options, { texts, count, guidance }),
    size,
    start,
    controls,
    imagePrompts: imagePromptCalls(options.imagePrompts, { model, texts, count }),
    steps,
    guidance,
    guidanceRescale,
    seeds: seedsOf(seed, prompts.length),
    noise,
    scheduler,
    lead: samplerLead(options, { model, start }),
    eta,
    clipSkip,
    clipSkipAs,
    form: promptForm(options.prompts, model),
    decoding,
    output,
    signal: options.signal,
  };
}

function checkChoice(name: string, value: unknown, choices: readonly string[]): void {
  if (choices.some((choice) => choice === value)) return;
  throw new UserError(`[${WHERE}] unknown ${name}: ${name}=${shownValue(value)}. Known: ${choices.join(', ')}.`);
}

/** The texts of a call; of a model that takes none, one that is empty. */
function promptsOf({ model, prompt }: GenerateOptions): readonly string[] {
  if (model.prompts !== 'none') return textsOf('prompt', prompt);
  if (prompt === undefined || prompt === '') return [''];
  throw new UserError(`[${WHERE}] the model takes no prompt: prompt=${shownValue(prompt)}, model=${model.name}. Leave it out.`);
}

function textsOf(name: string, given: unknown): readonly string[] {
  const texts = Array.isArray(given) ? (given as readonly unknown[]) : [given];
  if (texts.length > 0 && texts.length <= MOST_PICTURES && texts.every((text) => typeof text === 'string' && text.length <= LONGEST_PROMPT))
    return texts as readonly string[];
  const other = texts.findIndex((text) => typeof text !== 'string');
  const wrong = other >= 0 ? shownValue(texts[other]) : texts.length === 0 ? 'an empty list' : `${texts.length} texts`;
  throw new UserError(
    `[${WHERE}] ${name} is no text: ${name}=${wrong}. Pass a text, or a list of 1 to ${MOST_PICTURES}, each of at most ${LONGEST_PROMPT} `
      + 'characters.',
  );
}

function negativesOf(
  { model, negativePrompt }: GenerateOptions,
  { texts, count, guidance }: { readonly texts: readonly string[]; readonly count: number; readonly guidance: number },
): readonly (string | undefined)[] | undefined {
  if (model.guidedBy === 'condition') {
    if (negativePrompt === undefined) return undefined;
    throw new UserError(
      `[${WHERE}] a negative prompt does nothing for a network that is told its guidance: negativePrompt=${shownValue(negativePrompt)}, `
        + `model=${model.name}. Leave it out.`,
    );
  }
  if (guidance > 1 && model.prompts === 'none')
    throw new UserError(`[${WHERE}] there is no prompt to be guided by: guidance=${guidance}, model=${model.name}. Leave it out.`);
  if (guidance === 1) {
    if (negativePrompt === undefined) return undefined;
    throw new UserError(
      `[${WHERE}] a negative prompt does nothing without guidance: negativePrompt=${shownValue(negativePrompt)}, guidance=1. Raise `
        + 'guidance, or leave it out.',
    );
  }
  if (negativePrompt === undefined) return Array.from({ length: texts.length * count }, () => undefined);
  const negatives = textsOf('negativePrompt', negativePrompt);
  if (negatives.length !== 1 && negatives.length !== texts.length)
    throw new UserError(
      `[${WHERE}] there is one negative prompt for all, or one for each: prompts=${texts.length}, negativePrompts=${negatives.length}. `
        + 'Pass as many.',
    );
  return texts.flatMap((_, i) => Array.from({ length: count }, () => negatives[i] ?? negatives[0]!));
}

function sizeOf(
  { model, width, height }: GenerateOptions,
  { picture, hint }: { readonly picture: Image | undefined; readonly hint: Image | undefined },
): { readonly width: number; readonly height: number } {
  const usual = picture ?? hint ?? model.usual.size;
  const size = { width: width === undefined ? usual.width : width, height: height === undefined ? usual.height : height };
  if (picture !== undefined && (size.width !== picture.width || size.height !== picture.height))
    throw new UserError(
      `[${WHERE}] size is that of the picture to begin with: width=${size.width}, height=${size.height}, `
        + `picture=${picture.width}x${picture.height}. Resize the picture, or leave width and height out.`,
    );
  for (const [name, value] of Object.entries(size)) {
    checkNumber(WHERE, { [name]: value }, { kind: 'integer', atLeast: model.multiple, atMost: LONGEST_SIDE });
    if (value % model.multiple !== 0) {
      const near = [Math.floor(value / model.multiple), Math.ceil(value / model.multiple)].map((n) => n * model.multiple);
      throw new UserError(
        `[${WHERE}] side is not a multiple of ${model.multiple}: ${name}=${value}. Ask for ${near.filter((n) => n > 0).join(' or ')}.`,
      );
    }
  }
  return size;
}

function seedsOf(seed: unknown, count: number): readonly bigint[] {
  const whole = typeof seed === 'bigint' || (typeof seed === 'number' && Number.isSafeInteger(seed));
  if (!whole || BigInt(seed as number) < 0n || BigInt(seed as number) >= 2n ** 64n)
    throw new UserError(`[${WHERE}] seed is no whole number: seed=${shownValue(seed)}. Pass an integer from 0 to 2^64 - 1.`);
  return Array.from({ length: count }, (_, i) => BigInt.asUintN(64, BigInt(seed as number) + BigInt(i)));
}
