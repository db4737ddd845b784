import { copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { declareOptions } from '@langevin/core';
import { edm, processes } from '@langevin/core-schedules';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import type { Image } from '@langevin/io';
import { readImage, writeImage } from '@langevin/io/node';
import {
  describeCheckpoint,
  diffusionRunFromConfig,
  loadModel,
  loadRunModel,
  parseTrainingConfig,
  sampleImages,
  saveDiffusionFolder,
} from '@langevin/pipelines';
import { data, namedTensors, setDefaultEngine } from '@langevin/tensor';
import { train } from '@langevin/training';
import { folderStore } from '@langevin/training/node';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { optimizerNames } from '../src/optimizers.ts';
import { temporaryFolder, TINY_CONFIG } from './tiny.ts';

vi.setConfig({ testTimeout: 120_000 });
beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ threads: 1 })));

/** A folder of plain images in two classes, and a configuration that trains on them. */
async function setUp() {
  const root = await temporaryFolder();
  const folder = join(root, 'images');
  for (const [k, name] of ['dark', 'light'].entries()) {
    await mkdir(join(folder, name), { recursive: true });
    for (let i = 0; i < 3; i++)
      await writeImage(join(folder, name, `${i}.png`), {
        width: 8,
        height: 8,
        channels: 3,
        data: new Uint8Array(192).fill(40 + 160 * k + 10 * i),
      });
  }
  const config = parseTrainingConfig({
    name: 'greys',
    seed: 2,
    data: { name: 'picture-folder', folder, size: 8 },
    labels: 'folder',
    patch: 2,
    backbone: { ...TINY_CONFIG, num_class_embeds: 2 },
    noise: { preconditioning: { name: 'edm', sigmaData: 0.6 } },
    optimizer: { name: 'adamW', learningRate: 0.01 },
    batchSize: 3,
    average: { halfLifeImages: 20 },
  });
  return { config, run: join(root, 'run'), folder };
}

describe('a run from its configuration', () => {
  it('trains, shows previews, and its model loads from the run folder', async () => {
    const { config, run } = await setUp();
    const { task, pictures, labels, parameters } = await diffusionRunFromConfig(config);
    expect(pictures.source.length).toBe(6);
    expect(labels).toEqual({ classes: ['dark', 'light'], categories: [] });
    for await (const event of train(task, { store: folderStore(run), steps: 4, evaluateEvery: 2, checkpointEvery: 2 }))
      if (event.kind === 'step') expect(Number.isFinite(event.losses['loss']!)).toBe(true);

    expect(await readdir(join(run, 'evaluations'))).toEqual(['step-00000002', 'step-00000004']);
    // Two rows of eight images, each 16 pixels wide, with 2 between and around them.
    expect(await readImage(join(run, 'evaluations', 'step-00000004', 'samples.png'))).toMatchObject({
      width: 2 + 8 * 18,
      height: 2 + 2 * 18,
    });

    const average = await loadRunModel(run);
    const params = await loadRunModel(run, { weights: 'params' });
    expect(average).toMatchObject({
      name: 'greys',
      step: 4,
      model: { noise: { preconditioning: { name: 'edm' } }, labels: { classes: ['dark', 'light'] } },
    });
    const weight = async (tree: unknown) => data(namedTensors(tree).get('conv_in.weight')!);
    expect(await weight(average.model.params)).not.toEqual(await weight(params.model.params));
    expect([...namedTensors(params.model.params).values()].reduce((sum, { size }) => sum + size, 0)).toBe(parameters);

    const found = await describeCheckpoint(run);
    expect(found).toMatchObject({ kind: 'run', step: 4, config: { name: 'greys' } });
    expect(found.prefixes.map(({ prefix }) => prefix)).toEqual(
      expect.arrayContaining(['network.params.conv_in', 'network.averages.average.conv_in']),
    );

    let images = 0;
    for await (const event of sampleImages({ model: await loadModel(run), labels: [0, 1], steps: 2 }))
      if (event.kind === 'done') images = event.images.length;
    expect(images).toBe(2);
  });

  it('is not disturbed by its previews', async () => {
    const losses = [];
    for (const evaluateEvery of [0, 1]) {
      const { config, run } = await setUp();
      const { task } = await diffusionRunFromConfig(config);
      const seen: number[] = [];
      for await (const event of train(task, { store: folderStore(run), steps: 3, evaluateEvery }))
        if (event.kind === 'step') seen.push(event.losses['loss']!);
      losses.push(seen);
    }
    expect(losses[1]).toEqual(losses[0]);
  });

  it('keeps the names of its classes: what its data became, or where they went, is no matter', async () => {
    const { config, run, folder } = await setUp();
    const { task } = await diffusionRunFromConfig(config);
    for await (const event of train(task, { store: folderStore(run), steps: 1 })) expect(event.kind).toBeTruthy();
    await mkdir(join(folder, 'ant'));
    await copyFile(join(folder, 'dark', '0.png'), join(folder, 'ant', '0.png'));
    expect((await loadRunModel(run)).model.labels).toEqual({ classes: ['dark', 'light'], categories: [] });
    const other = await diffusionRunFromConfig({ ...config, backbone: { ...config.backbone, num_class_embeds: 3 } });
    await expect(train(other.task, { store: folderStore(run), steps: 2, start: 'resume' }).next()).rejects.toThrow(
      'num_class_embeds: stored 2, given 3',
    );
    await rename(folder, `${folder}-moved`);
    expect((await loadRunModel(run)).model.labels?.classes).toEqual(['dark', 'light']);
    await saveDiffusionFolder(join(run, '..', 'model'), (await loadRunModel(run)).model);
    expect((await loadModel(join(run, '..', 'model'))).labels?.classes).toEqual(['dark', 'light']);

    // The same pictures at another place are the same data.
    await rm(join(`${folder}-moved`, 'ant'), { recursive: true });
    const moved = await diffusionRunFromConfig({ ...config, data: { ...config.data, folder: `${folder}-moved` } });
    for await (const event of train(moved.task, { store: folderStore(run), steps: 2, start: 'resume' }))
      if (event.kind === 'start') expect(event).toMatchObject({ step: 1, changed: [{ path: 'data.folder' }] });
  });

  it('of a network without classes says that those of the data are not used, and samples without them', async () => {
    const { config, run } = await setUp();
    const { num_class_embeds: _, ...backbone } = config.backbone;
    const { task, remarks } = await diffusionRunFromConfig({ ...config, backbone });
    expect(remarks).toEqual([expect.stringContaining('labels "folder" are not used: the network takes none.')]);
    for await (const event of train(task, { store: folderStore(run), steps: 1, evaluateEvery: 1 })) expect(event.kind).toBeTruthy();
    const model = await loadModel(run);
    expect(model.labels).toBeUndefined();
    for await (const event of sampleImages({ model, labels: 2, steps: 1 })) expect(event.kind).toBeTruthy();
  });

  it('on pictures without classes trains class 0 of a network that takes them, and says so', async () => {
    const { config, run } = await setUp();
    const { task, remarks } = await diffusionRunFromConfig({ ...config, labels: undefined });
    expect(remarks).toEqual([
      'no labels are named: of the network\'s 2 only class 0 is trained. Give "labels", an attribute of picture-folder.',
    ]);
    for await (const event of train(task, { store: folderStore(run), steps: 1, evaluateEvery: 1 })) expect(event.kind).toBeTruthy();
    expect((await loadModel(run)).labels).toEqual({ classes: ['0'], categories: [] });
  });

  it('with adamW and no weight decay of its own shrinks weights as adamW does, not as adam', async () => {
    const after: unknown[] = [];
    for (const optimizer of [
      { name: 'adamW', learningRate: 0.01 },
      { name: 'adamW', learningRate: 0.01, weightDecay: 0.01 },
      { name: 'adam', learningRate: 0.01 },
    ]) {
      const { config, run } = await setUp();
      const { task } = await diffusionRunFromConfig(parseTrainingConfig({ ...config, optimizer }));
      for await (const event of train(task, { store: folderStore(run), steps: 2 })) expect(event.kind).toBeTruthy();
      const { model } = await loadRunModel(run, { weights: 'params' });
      after.push(await data(namedTensors(model.params).get('conv_in.weight')!));
    }
    expect(after[0]).toEqual(after[1]);
    expect(after[0]).not.toEqual(after[2]);
  });

  it('whose newest checkpoint is damaged says so; an earlier one can be named', async () => {
    const { config, run } = await setUp();
    const { task } = await diffusionRunFromConfig(config);
    for await (const event of train(task, { store: folderStore(run), steps: 2, checkpointEvery: 1 })) expect(event.kind).toBeTruthy();
    const newest = join(run, 'checkpoints', 'step-00000002.safetensors');
    await writeFile(newest, 'damaged');
    await expect(loadModel(run)).rejects.toThrow(`[pipelines/run] newest checkpoint cannot be read: path=${newest}, `);
    expect(await loadRunModel(join(run, 'checkpoints', 'step-00000001.safetensors'))).toMatchObject({
      step: 1,
      model: { labels: { classes: ['dark', 'light'] } },
    });
  });

  it('is not written over by a model, which would hide it', async () => {
    const { config, run } = await setUp();
    const { task } = await diffusionRunFromConfig(config);
    for await (const event of train(task, { store: folderStore(run), steps: 1 })) expect(event.kind).toBeTruthy();
    const { model } = await loadRunModel(run);
    await expect(saveDiffusionFolder(run, model)).rejects.toThrow(
      `[pipelines/folder] folder is that of a training run, which a model beside it would hide: folder=${run}.`,
    );
    expect(await readdir(run)).not.toContain('unet');
    await saveDiffusionFolder(`${run}-model`, model);
    await cp(`${run}-model`, run, { recursive: true });
    await expect(loadModel(run)).rejects.toThrow("[pipelines/checkpoint] folder is both a model's and a run's");
  });

  it('without a checkpoint has no model', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'checkpoints'));
    await expect(loadModel(folder)).rejects.toThrow(`[pipelines/run] run has no checkpoint: folder=${folder}.`);
  });
});

describe('a run that could not be used is refused before it trains', () => {
  it.each(['epsilon', 'score'] as const)('%s of flow says nothing at pure noise, where samples begin', async (prediction) => {
    const { config } = await setUp();
    const noise = { process: { name: 'flow' }, prediction, spread: 'stratified', variance: 'fixed' } as const;
    await expect(diffusionRunFromConfig({ ...config, noise } as never)).rejects.toThrow('[pipelines/run] nothing can be sampled');
  });

  it('labels that are dropped, but not named', async () => {
    const { config } = await setUp();
    const { labels: _, categories: __, ...unnamed } = config;
    await expect(diffusionRunFromConfig({ ...unnamed, dropout: { label: 0.5 } })).rejects.toThrow(
      '[pipelines/run] labels are dropped, but none are named: dropout.label=0.5',
    );
  });

  it('a class for which the network has no label but that for none', async () => {
    const { config } = await setUp();
    const { in_channels: channels, sample_size: size } = { in_channels: 12, sample_size: 4, ...config.backbone };
    const backbone = {
      _class_name: 'DiTTransformer2DModel',
      num_attention_heads: 2,
      attention_head_dim: 4,
      in_channels: channels,
      out_channels: channels,
      num_layers: 1,
      sample_size: size,
      patch_size: 1,
      num_embeds_ada_norm: 1,
      norm_num_groups: 1,
    };
    await expect(diffusionRunFromConfig({ ...config, backbone })).rejects.toThrow(
      'has 2, and label 1 of the network stands for none. Raise num_embeds_ada_norm to 2',
    );
  });
});

describe('a model of any noise', () => {
  it.each([
    ['flow', { process: { name: 'flow' }, levels: { name: 'logit-normal' } }, 'FlowMatchEulerDiscreteScheduler'],
    ['flow, shifted', { process: { name: 'flow', shift: 3 } }, 'FlowMatchEulerDiscreteScheduler'],
    ['epsilon on the chain of DDPM', { process: { name: 'discrete-vp' }, prediction: 'epsilon' }, undefined],
    ['v, cosine', { process: { name: 'vp-cosine' }, prediction: 'v', weight: { name: 'min-snr' } }, undefined],
    ['trigflow', { process: { name: 'trigflow' } }, undefined],
    ['learned variances', { process: { name: 'discrete-vp', steps: 50 }, variance: 'learned' }, undefined],
  ] as const)('%s: trains, is saved, loads and samples as the run does', async (_, noise, scheduler) => {
    const { config: edm, run } = await setUp();
    const learned = 'variance' in noise;
    const backbone = { ...edm.backbone, num_class_embeds: 3, ...(learned && { out_channels: 24 }) };
    const config = parseTrainingConfig({ ...edm, backbone, noise, dropout: { label: 0.2 } });
    const { task, labels } = await diffusionRunFromConfig(config);
    expect(labels).toEqual({ classes: ['dark', 'light'], categories: [], none: 2 });
    for await (const event of train(task, { store: folderStore(run), steps: 2 })) expect(event.kind).toBeTruthy();
    const { model, credits } = await loadRunModel(run);
    const folder = `${run}-model`;
    await saveDiffusionFolder(folder, model, { ...(credits && { credits }) });
    const files = await readdir(folder);
    expect(files.includes('scheduler')).toBe(scheduler !== undefined);
    if (scheduler !== undefined)
      expect(JSON.parse(await readFile(join(folder, 'scheduler', 'scheduler_config.json'), 'utf8'))).toMatchObject({
        _class_name: scheduler,
      });
    const loaded = await loadModel(folder);
    expect(loaded.labels).toEqual(labels);
    expect(loaded.noise.config).toEqual(model.noise.config);
    const draw = async (from: typeof model): Promise<readonly Image[]> => {
      for await (const event of sampleImages({ model: from, labels: ['light', 2], steps: 3, seed: 4 })) {
        if (event.kind === 'done') return event.images;
      }
      return [];
    };
    expect(await draw(loaded)).toEqual(await draw(model));
  });

  it('of a process from outside is written and read, even where it declares a scheduler that is read as another', async () => {
    const { config, run } = await setUp();
    const noiseParts = {
      processes: processes.with({
        mine: declareOptions(({ most = 20 }: { readonly most?: number } = {}) => ({ ...edm({ sigmaMax: most }), name: 'mine' }), ['most']),
      }),
    };
    const parsed = parseTrainingConfig({ ...config, noise: { process: { name: 'mine', most: 30 } } });
    const { task } = await diffusionRunFromConfig(parsed, { noiseParts });
    for await (const event of train(task, { store: folderStore(run), steps: 1 })) expect(event.kind).toBeTruthy();
    const { model } = await loadRunModel(run, { noiseParts });
    const folder = `${run}-model`;
    await saveDiffusionFolder(folder, model);
    expect(JSON.parse(await readFile(join(folder, 'scheduler', 'scheduler_config.json'), 'utf8'))).toMatchObject({
      ...{ _class_name: 'EDMEulerScheduler', sigma_max: 30, sigma_data: 0.5 },
    });
    const { noise } = await loadModel(folder, { noiseParts });
    expect([noise.process.name, noise.process.sigma(1), noise.preconditioning.name]).toEqual(['mine', 30, 'edm']);
    await expect(loadModel(folder)).rejects.toThrow('unknown process: "mine"');
  });

  it.each(optimizerNames)('is trained by %s as a configuration names it', async (name) => {
    const { config, run } = await setUp();
    const { task } = await diffusionRunFromConfig(parseTrainingConfig({ ...config, optimizer: { ...config.optimizer, name } }));
    for await (const event of train(task, { store: folderStore(run), steps: 1 })) expect(event.kind).toBeTruthy();
    await expect(diffusionRunFromConfig({ ...config, optimizer: { ...config.optimizer, name, betas: [2, 0] } })).rejects.toThrow('beta1=2');
  });

  it('of which the folder says something else than it can is refused, with the file', async () => {
    const { config, run } = await setUp();
    const { task } = await diffusionRunFromConfig(parseTrainingConfig({ ...config, noise: { process: { name: 'flow' } } }));
    for await (const event of train(task, { store: folderStore(run), steps: 1 })) expect(event.kind).toBeTruthy();
    const folder = `${run}-model`;
    await saveDiffusionFolder(folder, (await loadRunModel(run)).model);
    const file = join(folder, 'model_index.json');
    const index = JSON.parse(await readFile(file, 'utf8')) as object;
    for (const [noise, message] of [
      [{ process: { name: 'flwo' } }, 'Did you mean "flow"?'],
      [{ process: { name: 'flow', shift: -1 } }, 'shift=-1'],
      [{ process: { name: 'flow' }, prediction: 'velocity' }, 'prediction="velocity"'],
      [{ sigma: 1 }, 'sigma'],
    ] as const) {
      await writeFile(file, JSON.stringify({ ...index, noise }));
      const error = await loadModel(folder).catch((caught: unknown) => caught);
      expect(String(error)).toContain(message);
      expect(String(error)).toContain(`File: ${file}.`);
    }
  });
});

it('the sub-categories of emoji fall into their categories', async () => {
  const config = parseTrainingConfig({
    name: 'emoji',
    seed: 0,
    data: { name: 'emoji-google', size: 4, onlySubcategories: ['cat-face', 'food-fruit', 'food-sweet'] },
    labels: 'subcategory',
    categories: 'category',
    patch: 1,
    backbone: { ...TINY_CONFIG, sample_size: 4, in_channels: 3, out_channels: 3, num_class_embeds: 3 },
    optimizer: { name: 'adam', learningRate: 1 },
    batchSize: 1,
    average: { std: 0.1 },
  });
  const { labels } = await diffusionRunFromConfig(config);
  expect(labels).toEqual({
    classes: ['cat-face', 'food-fruit', 'food-sweet'],
    categories: [
      { name: 'Food & Drink', classes: [1, 2] },
      { name: 'Smileys & Emotion', classes: [0] },
    ],
  });
});
