import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { readSafetensors, writeSafetensors } from '@langevin/io/node';
import type { Image } from '@langevin/io';
import { inFloat32 } from '@langevin/nn';
import {
  describeCheckpoint,
  drawLabels,
  labelChoices,
  labelCount,
  loadDiffusionFolder,
  loadModel,
  pictureForm,
  sampleImages,
  saveDiffusionFolder,
  type DiffusionModel,
} from '@langevin/pipelines';
import { data, mapTensors, namedTensors, setDefaultEngine, tensor, toBfloat16Bits } from '@langevin/tensor';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { temporaryFolder, TINY_CONFIG, TINY_LABELS, tinyModel } from './tiny.ts';

vi.setConfig({ testTimeout: 60_000 });

beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ threads: 1 })));

const WEIGHTS = 'unet/diffusion_pytorch_model.safetensors';

async function saved(dtype: 'float16' | 'float32' = 'float32'): Promise<string> {
  const folder = await temporaryFolder();
  await saveDiffusionFolder(folder, tinyModel(), { dtype, metadata: { step: '7' } });
  return folder;
}

async function weights(params: unknown): Promise<Map<string, Float32Array>> {
  const named = [...namedTensors(inFloat32(params))];
  return new Map(
    await Promise.all(named.map(async ([name, value]): Promise<[string, Float32Array]> => [name, (await data(value)) as Float32Array])),
  );
}

describe('a saved folder', () => {
  it('loads as it was: weights bit for bit, process, labels, patch', async () => {
    const model = tinyModel();
    const loaded = await loadModel(await saved());
    expect(await weights(loaded.params)).toEqual(await weights(model.params));
    expect(loaded).toMatchObject({ labels: TINY_LABELS, config: TINY_CONFIG });
    for (const sigma of [0.002, 0.5, 80])
      expect(loaded.noise.preconditioning.at({ alpha: 1, sigma })).toEqual(model.noise.preconditioning.at({ alpha: 1, sigma }));
    expect(loaded.patch).toBe(2);
    expect(pictureForm(loaded.network)).toEqual({ channels: 3, height: 8, width: 8 });
    expect(labelCount(loaded.network)).toBe(4);
  });

  it('has the layout of diffusers', async () => {
    const folder = await saved();
    const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(join(folder, path), 'utf8'));
    expect(await json('model_index.json')).toMatchObject({
      unet: ['diffusers', 'UNet2DModel'],
      scheduler: ['diffusers', 'EDMEulerScheduler'],
    });
    expect(await json('scheduler/scheduler_config.json')).toEqual({
      _class_name: 'EDMEulerScheduler',
      sigma_min: 0.002,
      sigma_max: 80,
      sigma_data: 0.7,
      rho: 7,
      sigma_schedule: 'karras',
      prediction_type: 'epsilon',
      num_train_timesteps: 1000,
    });
    expect((await readSafetensors(join(folder, WEIGHTS))).metadata).toEqual({ format: 'pt', step: '7' });
  });

  it('in float16 takes half the bytes, and each weight is the nearest one that float16 has', async () => {
    const [full, half] = [await saved(), await saved('float16')];
    const [original, loaded] = [await weights(tinyModel().params), await weights((await loadDiffusionFolder(half)).params)];
    for (const [name, values] of original) {
      // 11 bits of mantissa: half a unit in the last place is 2^-11 of the value; below 2^-14 float16 has steps of 2^-24.
      expect(
        values.every((value, i) => Math.abs(loaded.get(name)![i]! - value) <= Math.max(Math.abs(value) * 2 ** -11, 2 ** -25)),
        name,
      ).toBe(true);
    }
    const count = [...original.values()].reduce((sum, values) => sum + values.length, 0);
    expect([(await describeCheckpoint(full)).bytes, (await describeCheckpoint(half)).bytes]).toEqual([4 * count, 2 * count]);
  });

  it('keeps weights in the dtype of their file, and a sample is that of the same weights in float32', async () => {
    const folder = await saved('float16');
    const half = await loadModel(folder);
    const [name, weight] = [...namedTensors(half.params)][0]!;
    expect(weight.dtype, name).toBe('float16');
    const wide = { ...half, params: inFloat32(half.params) };
    const draw = async (model: DiffusionModel): Promise<readonly Image[]> => {
      for await (const event of sampleImages({ model, labels: [0, 3], steps: 2 })) if (event.kind === 'done') return event.images;
      return [];
    };
    expect(await draw(half)).toEqual(await draw(wide));
    const another = await loadModel(folder);
    await saveDiffusionFolder(folder, tinyModel('zero'), { dtype: 'float16' });
    await expect(draw(another)).rejects.toThrow('[pipelines/weights] file of the weights was replaced after it was loaded: path=');
  });

  it('keeps nothing of a model that was there, and no network of another kind beside its own', async () => {
    const folder = await saved();
    const { labels: _, ...unlabelled } = tinyModel();
    await saveDiffusionFolder(folder, unlabelled);
    expect(await readdir(folder)).not.toContain('labels.json');
    await rename(join(folder, 'unet'), join(folder, 'transformer'));
    await expect(saveDiffusionFolder(folder, tinyModel())).rejects.toThrow('[pipelines/folder] folder holds a model of another kind');
  });

  it('loads weights in bfloat16 too', async () => {
    const folder = await saved();
    const { tensors } = await readSafetensors(join(folder, WEIGHTS));
    await writeSafetensors(
      join(folder, WEIGHTS),
      new Map(
        [...tensors].map(([name, { shape, data: values }]) => [
          name,
          { dtype: 'bfloat16', shape, data: Uint16Array.from(values as Float32Array, toBfloat16Bits) },
        ]),
      ),
    );
    const loaded = await weights((await loadDiffusionFolder(folder)).params);
    // 8 bits of mantissa.
    for (const [name, values] of await weights(tinyModel().params))
      expect(
        values.every((value, i) => Math.abs(loaded.get(name)![i]! - value) <= Math.abs(value) * 2 ** -8),
        name,
      ).toBe(true);
  });

  it('refuses a weight that float16 cannot hold, with its name', async () => {
    const model = tinyModel();
    const params = mapTensors(model.params, (value, _, name) =>
      name === 'conv_in.bias' ? tensor(new Float32Array(8).fill(70_000)) : value,
    );
    await expect(saveDiffusionFolder(await temporaryFolder(), { ...model, params }, { dtype: 'float16' })).rejects.toThrow(
      '[pipelines/weights] weight cannot be held in float16: name=conv_in.bias, value=70000. Write float32.',
    );
  });
});

describe('a folder that is wrong', () => {
  const edit = async (folder: string, path: string, change: (json: Record<string, unknown>) => unknown): Promise<void> => {
    const file = join(folder, path);
    await writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>)));
  };

  it.each([
    [
      'unet/config.json',
      (json: object) => ({ ...json, _class_name: 'UNet9DModel' }),
      /backbone is not supported: name="UNet9DModel".*File: .*unet\/config\.json/,
    ],
    [
      'unet/config.json',
      (json: object) => ({ ...json, sample_size: null }),
      /size of the images is missing: sample_size=null, file=.*unet\/config\.json/,
    ],
    [
      'unet/config.json',
      (json: object) => ({ ...json, in_channels: 10, out_channels: 10 }),
      /channels do not divide into patches: in_channels=10, patch=2/,
    ],
    ['unet/config.json', (json: object) => ({ ...json, time_embedding_type: 'fourier' }), /network takes sigma for its time/],
    [
      'unet/config.json',
      (json: object) => ({ ...json, block_out_channels: [16] }),
      /weight has another shape or dtype: name=conv_in\.weight/,
    ],
    ['unet/config.json', (json: object) => ({ ...json, layers_per_block: 2 }), /weights do not fit: .*safetensors lacks "/],
    [
      'scheduler/scheduler_config.json',
      (json: object) => ({ ...json, _class_name: 'PNDMScheduler' }),
      /scheduler is not supported: _class_name="PNDMScheduler", file=.*scheduler_config\.json\. Models are loaded with EDMEuler/,
    ],
    [
      'scheduler/scheduler_config.json',
      (json: object) => ({ ...json, sigma_min: 90 }),
      /noise levels have no range: .*sigma_min=90, sigma_max=80/,
    ],
    ['scheduler/scheduler_config.json', (json: object) => ({ ...json, sigma_data: -1 }), /sigma_data=-1/],
    ['labels.json', () => ({ classes: [] }), /labels\.json, classes=\[\]/],
    [
      'labels.json',
      () => ({ classes: ['a', 'b', 'c', 'd', 'e'] }),
      /network knows fewer classes than are named: .*classes=5, num_class_embeds=4/,
    ],
    [
      'labels.json',
      () => ({ classes: ['a'], categories: [{ name: 'x', classes: [1] }] }),
      /category has a class that is not named: .*category="x", class=1, classes=1/,
    ],
    ['model_index.json', (json: object) => ({ ...json, patch: 0 }), /model_index\.json, patch=0/],
  ])('%s is refused', async (path, change, message) => {
    const folder = await saved();
    await edit(folder, path, change);
    await expect(loadDiffusionFolder(folder)).rejects.toThrow(message);
  });

  it('says which file is missing', async () => {
    await expect(loadDiffusionFolder('/nowhere')).rejects.toThrow(
      "[pipelines/folder] not a model's folder: folder=/nowhere, neither unet/config.json nor transformer/config.json is there.",
    );
    const folder = await saved();
    await rm(join(folder, WEIGHTS));
    await expect(loadDiffusionFolder(folder)).rejects.toThrow(
      `[pipelines/folder] weights are missing: folder=${join(folder, 'unet')}. Expected diffusion_pytorch_model.safetensors`,
    );
    await expect(loadModel('/nowhere')).rejects.toThrow('[pipelines/checkpoint] nothing to load: path=/nowhere.');
    await expect(loadModel(join(folder, 'labels.json'))).rejects.toThrow(
      '[pipelines/checkpoint] a file alone does not say what its weights are for',
    );
  });

  it('refuses a pickle', async () => {
    const folder = await saved();
    await rename(join(folder, WEIGHTS), join(folder, 'unet/diffusion_pytorch_model.bin'));
    await expect(loadDiffusionFolder(folder)).rejects.toThrow(/diffusion_pytorch_model\.bin.*pickle/);
  });

  it('without labels.json has classes by number', async () => {
    const folder = await saved();
    await rm(join(folder, 'labels.json'));
    expect((await loadDiffusionFolder(folder)).labels).toEqual({ classes: ['0', '1', '2', '3'], categories: [] });
  });
});

describe('describeCheckpoint', () => {
  it('counts what the file holds', async () => {
    const folder = await saved('float16');
    const found = await describeCheckpoint(folder);
    const count = [...namedTensors(tinyModel().params).values()].reduce((sum, { size }) => sum + size, 0);
    expect(found).toMatchObject({
      kind: 'model',
      file: join(folder, WEIGHTS),
      elements: count,
      bytes: 2 * count,
      dtypes: { F16: count },
      metadata: { step: '7' },
      config: { _class_name: 'UNet2DModel' },
    });
    expect(found.prefixes.reduce((sum, { elements }) => sum + elements, 0)).toBe(count);
    expect(found.prefixes.find(({ prefix }) => prefix === 'conv_in')).toEqual({
      prefix: 'conv_in',
      tensors: 2,
      elements: 8 * 12 * 9 + 8,
      bytes: 2 * (8 * 12 * 9 + 8),
    });
    expect(await describeCheckpoint(join(folder, WEIGHTS))).toMatchObject({ kind: 'file', elements: count });
  });
});

describe('labels', () => {
  it('can be asked for by class and by category', () => {
    expect(labelChoices(TINY_LABELS).map(({ name, classes }) => `${name}: ${classes}`)).toEqual([
      'animals: 0,1',
      'plants: 2,3',
      'cat: 0',
      'dog: 1',
      'rose: 2',
      'oak: 3',
    ]);
  });

  it('are drawn from their row, each class once before any comes again', () => {
    const rows = [
      { name: 'a', classes: [0, 1, 2] },
      { name: 'b', classes: [7] },
    ];
    const drawn = drawLabels({ rows, columns: 6, seed: 3 });
    expect(drawn).toHaveLength(12);
    for (const third of [drawn.slice(0, 3), drawn.slice(3, 6)]) expect([...third].sort()).toEqual([0, 1, 2]);
    expect(drawn.slice(6)).toEqual([7, 7, 7, 7, 7, 7]);
    expect(drawLabels({ rows, columns: 6, seed: 3 })).toEqual(drawn);
    expect(new Set(Array.from({ length: 20 }, (_, seed) => String(drawLabels({ rows, columns: 3, seed })))).size).toBeGreaterThan(1);
    // A wider grid begins with the narrower one.
    expect(drawLabels({ rows, columns: 4, seed: 3 }).slice(0, 4)).toEqual(drawn.slice(0, 4));
  });
});
