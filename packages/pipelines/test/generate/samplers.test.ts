import { join } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { linspaceTimes } from '@langevin/core-schedules';
import { openCase, readGolden, resultOf, writeTiny } from '@langevin/pipelines/testing';
import { euler, heun } from '@langevin/samplers';
import { float32Data, setDefaultEngine, UserError } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GenerateOptions } from '../../src/generate/options.ts';
import { GOLDEN, scratch } from '../checkpoint/scratch.ts';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

async function opened() {
  const golden = await readGolden(GOLDEN, 'stable-diffusion');
  return openCase(await writeTiny(join(await scratch(), 'model'), golden), golden.cases[0]!);
}

describe('samplers in place of schedulers', () => {
  it.each([
    ['euler', euler(), linspaceTimes(), { _class_name: 'EulerDiscreteScheduler', timestep_spacing: 'linspace' }],
    ['heun', heun(), linspaceTimes(), { _class_name: 'HeunDiscreteScheduler', timestep_spacing: 'linspace' }],
  ] as const)("%s over the levels of diffusers' scheduler makes its picture", async (_, sampler, spacing, scheduler) => {
    const model = await opened();
    const call: GenerateOptions = { model, prompt: 'a cat', negativePrompt: 'blurry', guidance: 4, steps: 4, seed: 3 };
    const theirs = await resultOf({ ...call, scheduler });
    const ours = await resultOf({ ...call, sampler, spacing });
    const [wanted, made] = [await float32Data(theirs.latents), await float32Data(ours.latents)];
    const deviation = Math.sqrt(wanted.reduce((sum, value) => sum + value * value, 0) / wanted.length);
    expect(Math.max(...wanted.map((value, i) => Math.abs(value - made[i]!))) / deviation).toBeLessThan(1e-3);
    expect(ours.report).toMatchObject({ scheduler: null, sampler: { sampler: sampler.name }, calls: theirs.report.calls });
    await model.dispose();
  });

  it('begin with a picture part of the way, and do not go with what is of schedulers', async () => {
    const model = await opened();
    const image = { width: 16, height: 16, channels: 3 as const, data: new Uint8Array(768).fill(90) };
    const { report } = await resultOf({ model, prompt: 'a cat', image, strength: 0.5, steps: 4, sampler: heun() });
    expect(report.calls).toBe(3);
    const untouched = await resultOf({ model, prompt: 'a cat', image, strength: 0, steps: 4, sampler: heun() });
    expect(untouched.report.calls).toBe(0);
    const refused = (more: object) => resultOf({ model, prompt: 'a cat', sampler: heun(), ...more } as GenerateOptions);
    await expect(refused({ scheduler: { _class_name: 'DDIMScheduler' } })).rejects.toThrow(UserError);
    await expect(refused({ eta: 0 })).rejects.toThrow(/a sampler takes the place of the scheduler: sampler=heun, eta=0/u);
    await expect(refused({ image, mask: image })).rejects.toThrow(/put back by schedulers of diffusers alone/u);
    await expect(refused({ sampler: 'heun' })).rejects.toThrow(/this is no sampler: sampler="heun"/u);
    await expect(resultOf({ model, prompt: 'a', spacing: linspaceTimes() })).rejects.toThrow(/spacing is of a sampler/u);
    await model.dispose();
  });
});
