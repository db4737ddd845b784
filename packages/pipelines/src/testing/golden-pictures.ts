import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Image } from '@langevin/io';
import { float32Data, InternalError } from '@langevin/tensor';
import { generate, type GenerateResult } from '../generate/generate.ts';
import type { GenerateOptions } from '../generate/options.ts';
import { openModel } from '../generate/open-model.ts';
import type { OpenProduct } from '../generate/product.ts';
import { adapterIn, controlIn, writeTiny, type GoldenCase, type GoldenPipeline, type GoldenSize } from './tiny-checkpoint.ts';

type Rule = (at: { readonly x: number; readonly y: number; readonly c: number }) => number;
/** As in the golden script: byte c of pixel (x, y), modulo 256. */
const PICTURE: Rule = ({ x, y, c }) => 40 * x + 24 * y + 80 * c + 3 * x * y;
const MASK: Rule = ({ x, y, c }) => 24 * x + 40 * y + 60 * c;

function pictureOf(rule: Rule, [width, height]: GoldenSize): Image {
  const byte = (i: number): number => rule({ c: i % 3, x: Math.floor(i / 3) % width, y: Math.floor(i / 3 / width) }) % 256;
  return { width, height, channels: 3, data: Uint8Array.from({ length: 3 * width * height }, (_, i) => byte(i)) };
}

/** The words of diffusers for our options. */
function optionsOf(model: OpenProduct, { call, scheduler, picture, mask, controls, imagePrompts }: GoldenCase): GenerateOptions {
  const { prompt, negative_prompt: negativePrompt, guidance_scale: guidance, num_inference_steps: steps, seed, noise } = call;
  const { guidance_rescale: guidanceRescale, clip_skip: clipSkip, height, width, strength, count } = call;
  const given = {
    prompt,
    negativePrompt,
    guidance,
    steps,
    seed,
    noise,
    guidanceRescale,
    clipSkip,
    height,
    width,
    strength,
    count,
    scheduler,
    image: picture && pictureOf(PICTURE, picture),
    mask: mask && pictureOf(MASK, mask),
    // As diffusers leaves them.
    outside: mask && 'decoded',
    imagePrompts: imagePrompts?.map(({ picture: size, scale }) => ({ image: pictureOf(PICTURE, size), scale })),
    controls: controls?.map(({ control: _, picture: size, ...how }) => ({ ...how, image: pictureOf(PICTURE, size) })),
  };
  return { model, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) } as unknown as GenerateOptions;
}

/** What a call makes. */
export async function resultOf(options: GenerateOptions): Promise<GenerateResult> {
  for await (const event of generate(options)) if (event.kind === 'done') return event;
  throw new InternalError('[pipelines/testing] a call ended without a result.');
}

/** The model of a case: the checkpoint, with what steers it and what is added to it. */
export async function openCase(
  folder: string,
  { controls, adapters, imagePrompts, words, absent }: Pick<GoldenCase, 'controls' | 'adapters' | 'imagePrompts' | 'words' | 'absent'>,
): Promise<OpenProduct> {
  return openModel(absent === undefined ? folder : await lacking(folder, absent), {
    ...(controls && { controls: controls.map(({ control }) => ({ from: controlIn(folder, control) })) }),
    ...(words && { embeddings: words.map((file) => ({ from: adapterIn(folder, file) })) }),
    ...(imagePrompts && { imagePrompts: imagePrompts.map(({ file }) => ({ from: adapterIn(folder, file) })) }),
    ...(adapters && { adapters: adapters.map(({ adapter, strength }) => ({ from: adapterIn(folder, adapter), strength })) }),
  });
}

/** The same checkpoint without some components: their folders are not there. */
async function lacking(folder: string, names: readonly string[]): Promise<string> {
  const copy = `${folder}-lacking`;
  await cp(folder, copy, { recursive: true });
  for (const name of names) await rm(join(copy, name), { recursive: true });
  return copy;
}

/** How far a case is from diffusers'. */
export interface CaseDifference {
  readonly entry: GoldenCase;
  /** The largest difference of latents, in units of their deviation. */
  readonly latents: number;
  /** The largest difference of pixels, in steps of a byte. */
  readonly pixels: number;
  /** Deviation of the pixels of the golden pictures: a picture of one colour would be easily met. */
  readonly deviation: number;
}

/**
 * Makes the pictures of all cases of a golden file from its checkpoint, written to a folder, those of one model after another.
 *
 * @throws InternalError when a picture has another size or there are other ones
 */
export async function* compareCases(golden: GoldenPipeline, folder: string): AsyncGenerator<CaseDifference, void> {
  await writeTiny(folder, golden);
  let open: { readonly key: string; readonly model: OpenProduct } | undefined;
  try {
    for (const entry of golden.cases) {
      const { controls, adapters, words, absent, imagePrompts } = entry;
      const key = JSON.stringify([controls?.map(({ control }) => control), adapters, words, absent, imagePrompts?.map(({ file }) => file)]);
      if (open?.key !== key) {
        await open?.model.dispose();
        open = { key, model: await openCase(folder, entry) };
      }
      yield await compareCase(open.model, entry);
    }
  } finally {
    await open?.model.dispose();
  }
}

async function compareCase(model: OpenProduct, entry: GoldenCase): Promise<CaseDifference> {
  const { images, latents } = await resultOf(optionsOf(model, entry));
  const { shape, values } = entry.latents;
  const sizes = JSON.stringify(images.map(({ width, height }) => [width, height]));
  if (latents.shape.join() !== shape.join() || sizes !== JSON.stringify(entry.pictures.map(({ size }) => size)))
    throw new InternalError(
      `[pipelines/testing] pictures have another form: case=${entry.name}, latents=[${latents.shape.join(', ')}], ${sizes}.`,
    );
  const made = await float32Data(latents);
  const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - made[i]!)), 0);
  const wanted = entry.pictures.map(({ rgb }) => bytesOf(rgb));
  const pixels = wanted.map((bytes, i) => images[i]!.data.reduce((most, byte, at) => Math.max(most, Math.abs(byte - bytes[at]!)), 0));
  return { entry, latents: worst / deviationOf(values), pixels: Math.max(...pixels), deviation: Math.min(...wanted.map(deviationOf)) };
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function deviationOf(values: ArrayLike<number>): number {
  const all = Array.from(values);
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  return Math.sqrt(all.reduce((a, b) => a + (b - mean) ** 2, 0) / all.length);
}
