import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { setDefaultEngine } from '@langevin/tensor';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { expectCase, openTiny } from './golden-pictures.ts';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

describe("pictures of tiny checkpoints are diffusers'", () => {
  it.each(['stable-diffusion', 'stable-diffusion-xl'])('%s: for every scheduler, prompt, size and way of guiding', async (name) => {
    const { golden, model } = await openTiny(name);
    for (const entry of golden.cases) await expectCase(golden, { model, entry });
    await model.dispose();
  });
});
