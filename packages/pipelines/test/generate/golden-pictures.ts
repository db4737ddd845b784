import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Image } from '@langevin/io';
import { float32Data } from '@langevin/tensor';
import { expect } from 'vitest';
import { generate, type GenerateResult } from '../../src/generate/generate.ts';
import type { GenerateOptions } from '../../src/generate/options.ts';
import { openModel } from '../../src/generate/open-model.ts';
import type { OpenProduct } from '../../src/generate/product.ts';
import {
  adapterIn,
  controlIn,
  readGolden,
  scratch,
  writeTiny,
  type GoldenCase,
  type GoldenPipeline,
  type GoldenSize,
} from '../checkpoint/tiny-checkpoint.ts';

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
  const { guidance_rescale: guidanceRescale, clip_skip: clipSkip, height, width, strength } = call;
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
    scheduler,
    image: picture && pictureOf(PICTURE, picture),
    mask: mask && pictureOf(MASK, mask),
    imagePrompts: imagePrompts?.map(({ picture: size, scale }) => ({ image: pictureOf(PICTURE, size), scale })),
    controls: controls?.map(({ control: _, picture: size, ...how }) => ({ ...how, image: pictureOf(PICTURE, size) })),
  };
  return { model, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) } as unknown as GenerateOptions;
}

export async function resultOf(options: GenerateOptions): Promise<GenerateResult> {
  for await (const event of generate(options)) if (event.kind === 'done') return event;
  throw new Error('it ended without a result');
}

/** A tiny checkpoint of a golden file, written. */
export async function writtenTiny(name: string): Promise<{ readonly golden: GoldenPipeline; readonly folder: string }> {
  const golden = await readGolden(name);
  return { golden, folder: await writeTiny(join(await scratch(), name), golden) };
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

/** All cases of a golden file, those of one model after another. */
export async function expectCases(name: string): Promise<void> {
  const { golden, folder } = await writtenTiny(name);
  let open: { readonly key: string; readonly model: OpenProduct } | undefined;
  for (const entry of golden.cases) {
    const key = JSON.stringify([
      entry.controls?.map(({ control }) => control),
      entry.adapters,
      entry.absent,
      entry.imagePrompts?.map(({ file }) => file),
    ]);
    if (open?.key !== key) {
      await open?.model.dispose();
      open = { key, model: await openCase(folder, entry) };
    }
    await expectCase(golden, { model: open.model, entry });
  }
  await open?.model.dispose();
}

/** The latents of a case are diffusers', to a share of their deviation, and its pictures to a step of a byte. */
export async function expectCase(
  golden: GoldenPipeline,
  { model, entry }: { readonly model: OpenProduct; readonly entry: GoldenCase },
): Promise<void> {
  const { images, latents } = await resultOf(optionsOf(model, entry));
  const { shape, values } = entry.latents;
  expect(latents.shape).toEqual(shape);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length);
  const made = await float32Data(latents);
  const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - made[i]!)), 0);
  expect(worst / deviation, `${entry.name}: latents`).toBeLessThan(golden.tolerance.latents);
  expect(images.map(({ width, height }) => [width, height])).toEqual(entry.pictures.map(({ size }) => size));
  entry.pictures.forEach(({ rgb }, i) => {
    const wanted = Buffer.from(rgb, 'base64');
    const off = images[i]!.data.reduce((most, byte, at) => Math.max(most, Math.abs(byte - wanted[at]!)), 0);
    expect(off, `${entry.name}: picture ${i}`).toBeLessThanOrEqual(golden.tolerance.pixels);
  });
}
