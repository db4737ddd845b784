import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from '@langevin/io/node';
import { describe, expect, test } from 'vitest';
import { cli, temporaryFolder } from './run-cli.ts';

const zeros = (...shape: readonly number[]) =>
  ({ dtype: 'float32', shape, data: new Float32Array(shape.reduce((all, n) => all * n, 1)) }) as const;

/** A folder in the layout of diffusers with two models in it; `info` does not ask whether their weights fit. */
async function folderOfTwo(): Promise<string> {
  const folder = await temporaryFolder();
  const put = async (path: string, content: unknown): Promise<void> => {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), JSON.stringify(content));
  };
  await put('model_index.json', {
    _class_name: 'StableDiffusionPipeline',
    safety_checker: [null, null],
    scheduler: ['diffusers', 'PNDMScheduler'],
    unet: ['diffusers', 'UNet2DConditionModel'],
    vae: ['diffusers', 'AutoencoderKL'],
  });
  await put('scheduler/scheduler_config.json', { _class_name: 'PNDMScheduler' });
  for (const [name, shape] of [
    ['unet', [3, 5]],
    ['vae', [1234]],
  ] as const) {
    await put(`${name}/config.json`, { _class_name: 'X' });
    await writeSafetensors(join(folder, name, 'diffusion_pytorch_model.fp16.safetensors'), { weight: zeros(...shape) });
  }
  return folder;
}

describe('langevin info', () => {
  test('shows the components of a folder, and from what each decision follows', async () => {
    const folder = await folderOfTwo();
    const { code, out } = await cli(['info', folder]);
    expect(code).toBe(0);
    expect(out).toContain(`${folder}: StableDiffusionPipeline`);
    expect(out).toMatch(/vae +AutoencoderKL +1,234 +1 +4\.9 kB +float32 +vae\/diffusion_pytorch_model\.fp16\.safetensors/u);
    expect(out).toMatch(/unet +weights +unet\/.* +the only variant there is: "fp16"/u);
    expect(out).toMatch(/safety_checker +component +absent +null in model_index\.json/u);
    const json = JSON.parse((await cli(['info', folder, '--json'])).out) as {
      readonly checkpoint: { readonly components: readonly unknown[] };
    };
    expect(json.checkpoint.components).toHaveLength(3);
  });

  test('lists the tensors of a file whose layout is none of a model', async () => {
    const path = join(await temporaryFolder(), 'x.safetensors');
    await writeSafetensors(path, { 'a.weight': zeros(2), 'b.weight': zeros(3) });
    const { code, out } = await cli(['info', path]);
    expect(code).toBe(0);
    expect(out).toContain('5 numbers in 2 tensors');
  });

  test('looks for owner/name on a hub, by the variables of Python', async () => {
    const env = { HF_HUB_OFFLINE: '1', HF_HOME: await temporaryFolder() };
    const { code, err } = await cli(['info', 'owner/name@v1'], { env });
    expect(code).toBe(1);
    expect(err).toContain('model is not in the cache, and the network is not to be used: id=owner/name, revision=v1');
  });
});
