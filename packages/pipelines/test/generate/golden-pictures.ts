import { join } from 'node:path';
import type { Image } from '@langevin/io';
import { float32Data } from '@langevin/tensor';
import { expect } from 'vitest';
import { generate, type GenerateResult } from '../../src/generate/generate.ts';
import type { GenerateOptions } from '../../src/generate/options.ts';
import { openModel } from '../../src/generate/open-model.ts';
import type { OpenProduct } from '../../src/generate/product.ts';
import { readGolden, scratch, writeTiny, type GoldenCase, type GoldenPipeline } from '../checkpoint/tiny-checkpoint.ts';

/** Byte c of pixel (x, y) is (40 x + 24 y + 80 c + 3 x y) mod 256, as in the golden script. */
function pictureOf([width, height]: readonly [number, number]): Image {
  const at = (i: number): number => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    return (40 * x + 24 * y + 80 * c + 3 * x * y) % 256;
  };
  return { width, height, channels: 3, data: Uint8Array.from({ length: 3 * width * height }, (_, i) => at(i)) };
}

/** The words of diffusers for our options. */
function optionsOf(model: OpenProduct, { call, scheduler, picture }: GoldenCase): GenerateOptions {
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
    image: picture && pictureOf(picture),
  };
  return { model, ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) } as unknown as GenerateOptions;
}

export async function resultOf(options: GenerateOptions): Promise<GenerateResult> {
  for await (const event of generate(options)) if (event.kind === 'done') return event;
  throw new Error('it ended without a result');
}

/** A tiny checkpoint of a golden file, opened. */
export async function openTiny(name: string): Promise<{ readonly golden: GoldenPipeline; readonly model: OpenProduct }> {
  const golden = await readGolden(name);
  return { golden, model: await openModel(await writeTiny(join(await scratch(), name), golden)) };
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
  expect(worst / deviation, 'latents').toBeLessThan(golden.tolerance.latents);
  expect(images.map(({ width, height }) => [width, height])).toEqual(entry.pictures.map(({ size }) => size));
  entry.pictures.forEach(({ rgb }, i) => {
    const wanted = Buffer.from(rgb, 'base64');
    const off = images[i]!.data.reduce((most, byte, at) => Math.max(most, Math.abs(byte - wanted[at]!)), 0);
    expect(off, `picture ${i}`).toBeLessThanOrEqual(golden.tolerance.pixels);
  });
}
