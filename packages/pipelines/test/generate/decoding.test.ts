import { join } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { openCase, readGolden, resultOf, writeTiny } from '@langevin/pipelines/testing';
import { setDefaultEngine, UnsupportedError } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generate } from '../../src/generate/generate.ts';
import { GOLDEN, scratch } from '../checkpoint/scratch.ts';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

async function opened(name: string) {
  const golden = await readGolden(GOLDEN, name);
  return openCase(await writeTiny(join(await scratch(), 'model'), golden), golden.cases[0]!);
}

describe('latents to pixels', () => {
  it('in bands give the same picture, in tiles of its size too', async () => {
    const model = await opened('stable-diffusion');
    const call = { model, prompt: 'a cat', steps: 2, width: 32, height: 24 };
    const whole = (await resultOf(call)).images[0]!;
    for (const decoding of ['bands', 'tiles'] as const) {
      const { images } = await resultOf({ ...call, decoding });
      expect(images[0]).toMatchObject({ width: 32, height: 24 });
      const off = images[0]!.data.reduce((most, byte, i) => Math.max(most, Math.abs(byte - whole.data[i]!)), 0);
      expect(off, decoding).toBeLessThanOrEqual(1);
    }
    await model.dispose();
  });

  it('have previews of a known family, and none of another', async () => {
    const model = await opened('stable-diffusion');
    for await (const event of generate({ model, prompt: 'a cat', steps: 1, output: 'latents' }))
      if (event.kind === 'step') expect((await event.preview())[0]).toMatchObject({ width: 8, height: 8, channels: 3 });
    await model.dispose();
    const other = await opened('flux-schnell');
    for await (const event of generate({ model: other, prompt: 'a cat', steps: 1, width: 16, height: 16, output: 'latents' }))
      if (event.kind === 'step') await expect(event.preview()).rejects.toThrow(UnsupportedError);
    await other.dispose();
  });
});
