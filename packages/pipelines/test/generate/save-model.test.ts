import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { openSafetensors } from '@langevin/io/node';
import { openModel, saveModel } from '@langevin/pipelines';
import { readGolden, resultOf, writeTiny } from '@langevin/pipelines/testing';
import { setDefaultEngine, UserError } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GOLDEN, scratch } from '../checkpoint/scratch.ts';

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

const call = { prompt: 'a red cat', negativePrompt: 'blurry', steps: 2, seed: 5 } as const;

describe('a model that is saved', () => {
  it.each(['stable-diffusion-tasks', 'stable-diffusion-xl', 'stable-diffusion-3', 'flux-dev', 'pixart', 'dit'])(
    '%s: makes the same pictures from its new folder, adapters and all',
    async (name) => {
      const root = await scratch();
      const golden = await readGolden(GOLDEN, name);
      const folder = await writeTiny(join(root, 'model'), golden);
      const adapters = golden.adapters?.['peft'] ? [{ from: `${folder}-adapter-peft.safetensors`, strength: 0.7 }] : [];
      const model = await openModel(folder, { adapters });
      const small = name.startsWith('flux') ? { ...call, negativePrompt: undefined, width: 16, height: 16 } : call;
      const wanted = name === 'dit' ? { ...call, prompt: '3', negativePrompt: '207' } : small;
      const options = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)) as typeof call;
      const first = await resultOf({ model, ...options });
      const seen: string[] = [];
      await saveModel(join(root, 'saved'), model, { onProgress: (done, total) => seen.push(`${done}/${total}`) });
      const again = await openModel(join(root, 'saved'));
      expect((await resultOf({ model: again, ...options })).images[0]!.data).toEqual(first.images[0]!.data);
      expect(seen.at(-1)).toBe(`${seen.length}/${seen.length}`);
      expect(await readdir(root)).not.toContainEqual(expect.stringMatching(/tmp$/u));
      await model.dispose();
      await again.dispose();
    },
  );

  it('has weights of 16 bits where asked for, and is whole or not there', async () => {
    const root = await scratch();
    const model = await openModel(await writeTiny(join(root, 'model'), await readGolden(GOLDEN, 'stable-diffusion')));
    await saveModel(join(root, 'half'), model, { dtype: 'float16' });
    const half = await openSafetensors(join(root, 'half/unet/diffusion_pytorch_model.safetensors'));
    expect([...half.entries.values()].every(({ dtype }) => dtype === 'float16')).toBe(true);
    await half.close();
    await mkdir(join(root, 'full'));
    await writeFile(join(root, 'full/a'), '');
    await expect(saveModel(join(root, 'full'), model)).rejects.toThrow(/folder has files: .*files=1/u);
    await expect(saveModel('', model)).rejects.toThrow(UserError);
    await expect(saveModel(join(root, 'x'), model, { dtype: 'int8' as 'float16' })).rejects.toThrow(UserError);
    const controller = new AbortController();
    const stopped = saveModel(join(root, 'stopped'), model, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(stopped).rejects.toThrow();
    expect((await readdir(root)).filter((name) => name.startsWith('stopped'))).toEqual([]);
    await model.dispose();
  });
});
