import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { setDefaultEngine } from '@langevin/tensor';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { expectCase, openTiny } from './golden-pictures.ts';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

describe("pictures of a tiny Stable Diffusion are diffusers'", () => {
  it('for every scheduler, prompt, size and way of guiding', async () => {
    const { golden, model } = await openTiny('stable-diffusion');
    for (const entry of golden.cases) await expectCase(golden, { model, entry });
    await model.dispose();
  });
});
