import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeSafetensors } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import { describe, expect, it } from 'vitest';
import { componentOf, openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { folderFiles } from '../../src/checkpoint/folder-files.ts';
import { readGolden, writeTiny } from '@langevin/pipelines/testing';
import { GOLDEN, scratch } from './scratch.ts';

const golden = await readGolden(GOLDEN, 'stable-diffusion');
const tiny = async () => writeTiny(join(await scratch(), 'tiny'), golden);
const put = async (path: string, content: unknown): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
};

describe('openCheckpoint', () => {
  it('knows the components of a folder, with what was decided and why', async () => {
    const checkpoint = await openCheckpoint(await tiny());
    expect([...checkpoint.components].map(([name, { className }]) => [name, className])).toEqual([
      ['scheduler', 'PNDMScheduler'],
      ['text_encoder', 'CLIPTextModel'],
      ['tokenizer', 'CLIPTokenizer'],
      ['unet', 'UNet2DConditionModel'],
      ['vae', 'AutoencoderKL'],
    ]);
    expect(componentOf(checkpoint, 'unet').config['cross_attention_dim']).toBe(16);
    expect(checkpoint.absent.get('safety_checker')).toBe('null in model_index.json');
    expect(checkpoint.index!.settings).toEqual({ requires_safety_checker: false });
    expect(checkpoint.evidence).toContainEqual({
      component: 'vae',
      what: 'weights',
      value: 'vae/diffusion_pytorch_model.safetensors',
      from: 'the plain files',
    });
    expect(() => componentOf(checkpoint, 'unit')).toThrow('Did you mean "unet"?');
  });

  it('takes a variant where a component has it, and says where it does not', async () => {
    const folder = await tiny();
    await rename(join(folder, 'unet/diffusion_pytorch_model.safetensors'), join(folder, 'unet/diffusion_pytorch_model.fp16.safetensors'));
    const { evidence } = await openCheckpoint(folder, { variant: 'fp16' });
    expect(evidence.filter(({ what }) => what === 'weights').map(({ value, from }) => `${value}: ${from}`)).toEqual([
      'text_encoder/model.safetensors: no variant "fp16" here',
      'unet/diffusion_pytorch_model.fp16.safetensors: variant "fp16" was asked for',
      'vae/diffusion_pytorch_model.safetensors: no variant "fp16" here',
    ]);
    await expect(openCheckpoint(folder, { variant: 'fp16', missingVariant: 'refuse' })).rejects.toThrow('no such variant');
  });

  it('notes an optional component without its folder, and refuses another one', async () => {
    const folder = await tiny();
    const index = { ...golden.index, safety_checker: ['stable_diffusion', 'StableDiffusionSafetyChecker'] };
    await put(join(folder, 'model_index.json'), index);
    const { absent } = await openCheckpoint(folder);
    expect(absent.get('safety_checker')).toBe('listed in model_index.json, without a folder');
    await rm(join(folder, 'vae'), { recursive: true });
    await expect(openCheckpoint(folder)).rejects.toThrow('component is missing: component=vae, class=AutoencoderKL');
  });

  it('takes weights straight in the root for one model', async () => {
    const folder = join(await tiny(), 'vae');
    const { components } = await openCheckpoint(folder);
    expect([...components.values()].map(({ className, folder: at }) => [className, at])).toEqual([['AutoencoderKL', '']]);
  });

  it.each([
    ['a list', [], /content=/u],
    ['no class', { unet: ['diffusers', 'X'] }, /_class_name=undefined/u],
    ['a path for a component', { _class_name: 'P', '../x': ['diffusers', 'X'] }, /component="\.\.\/x"/u],
    ['a path for a class', { _class_name: 'P', unet: ['diffusers', '../x'] }, /unet="\.\.\/x"/u],
  ])('refuses an index that is %s', async (_, index, message) => {
    const folder = await tiny();
    await put(join(folder, 'model_index.json'), index);
    await expect(openCheckpoint(folder)).rejects.toThrow(UserError);
    await expect(openCheckpoint(folder)).rejects.toThrow(message);
  });

  it.each([
    ['configuration is no object', 'unet/config.json', '[]', /configuration is no object: file=.*unet\/config\.json/u],
    ['configuration is no JSON', 'unet/config.json', '{', /config\.json/u],
    ['index is no JSON', 'model_index.json', 'hello', /model_index\.json/u],
  ])('refuses a folder whose %s', async (_, file, content, message) => {
    const folder = await tiny();
    await put(join(folder, file), content);
    await expect(openCheckpoint(folder)).rejects.toThrow(message);
  });

  it('refuses what is no folder, or no checkpoint', async () => {
    const folder = await scratch();
    await put(join(folder, 'a.txt'), 'x');
    await expect(openCheckpoint(folder)).rejects.toThrow('not a checkpoint');
    await expect(openCheckpoint(join(folder, 'a.txt'))).rejects.toThrow('a file is there');
    await expect(openCheckpoint(join(folder, 'b'))).rejects.toThrow('nothing is there');
    for (const nothing of ['', undefined, 3]) await expect(openCheckpoint(nothing as string)).rejects.toThrow(UserError);
  });
});

describe('folderFiles', () => {
  it('refuses links out of the folder, and follows those of the cache of the hub', async () => {
    const root = await scratch();
    await put(join(root, 'secret.json'), { key: 1 });
    const folder = join(root, 'model');
    await put(join(folder, 'own.json'), { key: 2 });
    await symlink(join(root, 'secret.json'), join(folder, 'config.json'));
    const files = await folderFiles(folder);
    await expect(files.json('config.json')).rejects.toThrow('link leads out of the folder');
    expect(await files.json('own.json')).toEqual({ key: 2 });
    await expect(files.json('../secret.json')).rejects.toThrow('file is missing');

    const repository = join(root, 'models--a--b');
    await put(join(repository, 'blobs/abc'), { key: 3 });
    await mkdir(join(repository, 'snapshots/main'), { recursive: true });
    await symlink('../../blobs/abc', join(repository, 'snapshots/main/config.json'));
    expect(await (await folderFiles(join(repository, 'snapshots/main'))).json('config.json')).toEqual({ key: 3 });
  });

  it('does not open shards that an index names outside of the folder, or by a link', async () => {
    const root = await scratch();
    const w = { w: { dtype: 'float32', shape: [1], data: Float32Array.of(1) } } as const;
    await writeSafetensors(join(root, 'outside.safetensors'), w);
    const folder = join(root, 'model');
    await put(join(folder, 'model.safetensors.index.json'), { weight_map: { w: '../outside.safetensors' } });
    await expect((await folderFiles(folder)).weights('model.safetensors.index.json')).rejects.toThrow(
      'only *.safetensors files beside the index',
    );
    await put(join(folder, 'model.safetensors.index.json'), { weight_map: { w: 'linked.safetensors' } });
    await symlink(join(root, 'outside.safetensors'), join(folder, 'linked.safetensors'));
    await expect((await folderFiles(folder)).weights('model.safetensors.index.json')).rejects.toThrow('link leads out of the folder');
  });
});
