import { join } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { compareCases, readGolden } from '@langevin/pipelines/testing';
import { setDefaultEngine } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GOLDEN, scratch } from '../checkpoint/scratch.ts';

async function expectCases(name: string): Promise<void> {
  const golden = await readGolden(GOLDEN, name);
  const { latents, pixels } = golden.tolerance;
  for await (const { entry, ...found } of compareCases(golden, join(await scratch(), name))) {
    expect(found.latents, `${entry.name}: latents`).toBeLessThan(latents);
    expect(found.pixels, `${entry.name}: pixels`).toBeLessThanOrEqual(pixels);
    expect(found.deviation, `${entry.name}: deviation`).toBeGreaterThan(20);
  }
}

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

describe("pictures of tiny checkpoints are diffusers'", () => {
  it.each(['stable-diffusion', 'stable-diffusion-xl'])('%s: for every scheduler, prompt, size and way of guiding', expectCases);
  it('stable-diffusion-tasks: under a mask, steered by ControlNets and a T2I-Adapter, with LoRAs', () =>
    expectCases('stable-diffusion-tasks'));
  it.each(['stable-diffusion-xl-tasks', 'refiner'])('%s', expectCases);
  it('inpainting: by a network that is told the mask', () => expectCases('inpainting'));
  it('stable-diffusion-3: with T5 and without', () => expectCases('stable-diffusion-3'));
  it('stable-diffusion-3-tasks: from a picture, and under a mask', () => expectCases('stable-diffusion-3-tasks'));
  it.each(['pixart', 'pixart-1024', 'flux-dev', 'flux-schnell'])('%s', expectCases);
  it('image-prompts: with IP-Adapters', () => expectCases('image-prompts'));
  it('pixel-diffusion: without a prompt', () => expectCases('pixel-diffusion'));
  it('dit: of classes, by name or number', () => expectCases('dit'));
  it('lcm: by a network that is told its guidance', () => expectCases('lcm'));
});
