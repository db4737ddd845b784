import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { fromImages, type PictureItem } from '@langevin/io';
import { openData } from '@langevin/io/node';
import { autoencoderKl } from '@langevin/latent-ae';
import {
  autoencoderConfigSchema,
  autoencoderRunFromConfig,
  diffusionRunFromConfig,
  encodedPictures,
  keepAutoencoder,
  latentBatches,
  loadAutoencoderFolder,
  loadDiffusionFolder,
  loadModel,
  parseAutoencoderConfig,
  parseTrainingConfig,
  pictureCoder,
  readLatents,
  sampleImages,
  saveAutoencoderFolder,
  saveDiffusionFolder,
  writeLatents,
  type LoadedAutoencoder,
} from '@langevin/pipelines';
import { add, counterGenerator, float32Data, setDefaultEngine, tensor, torchGenerator } from '@langevin/tensor';
import { train } from '@langevin/training';
import { folderStore } from '@langevin/training/node';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { configPage } from './config-page.ts';
import { temporaryFolder, TINY_CONFIG } from './tiny.ts';

vi.setConfig({ testTimeout: 120_000 });
beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ threads: 1 })));

const data = { name: 'captioned-shapes', size: 16, count: 24 };
const tiny = {
  _class_name: 'AutoencoderKL',
  block_out_channels: [4, 4],
  down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
  up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  layers_per_block: 1,
  norm_num_groups: 2,
  latent_channels: 3,
};
const { num_class_embeds: _, ...unlabelled } = TINY_CONFIG as Readonly<Record<string, unknown>>;
const config = parseAutoencoderConfig({
  name: 'shapes-f2',
  seed: 5,
  data,
  heldOut: 0.25,
  flip: 'horizontal',
  autoencoder: tiny,
  regulariser: { name: 'kl', weight: 1e-4 },
  losses: [{ name: 'l1' }],
  discriminator: { channels: 4, layers: 1, from: 2 },
  optimizer: { name: 'adam', learningRate: 0.003, betas: [0.5, 0.9] },
  batchSize: 4,
  average: { decay: 0.5 },
});

/** An autoencoder with random weights in a folder, loaded from it. */
async function autoencoderFolder(seed = 0): Promise<{ readonly folder: string; readonly loaded: LoadedAutoencoder }> {
  const folder = join(await temporaryFolder(), 'vae');
  const vae = autoencoderKl({
    blockOutChannels: [4, 4],
    downBlockTypes: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
    upBlockTypes: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
    layersPerBlock: 1,
    normNumGroups: 2,
    latentChannels: 3,
  });
  const statistics = { latents_mean: [0.5, 0, -0.5], latents_std: [2, 1, 0.5], scaling_factor: 1 };
  await saveAutoencoderFolder(folder, { params: vae.init(torchGenerator(seed)), config: { ...tiny, ...statistics } });
  return { folder, loaded: await loadAutoencoderFolder(folder) };
}

async function shapes() {
  const { source } = await openData(data);
  return source as unknown as Parameters<typeof encodedPictures>[0] & { readonly load: (i: number) => Promise<PictureItem> };
}

describe('an autoencoder from its configuration', () => {
  it('trains, shows reconstructions, is written with the statistics of its latents, and reads back the same', async () => {
    const root = await temporaryFolder();
    const { task, finish, pictures } = await autoencoderRunFromConfig(config);
    expect(pictures.training.length + pictures.heldOut.length).toBe(24);
    const groups = async (part: 'training' | 'heldOut') =>
      new Set(Array.from({ length: pictures[part].length }, (_, i) => pictures[part].about(i).group));
    const [trained, kept] = [await groups('training'), await groups('heldOut')];
    expect([...kept].filter((group) => trained.has(group))).toEqual([]);
    for await (const event of train(task, { store: folderStore(join(root, 'run')), steps: 4, evaluateEvery: 2 })) {
      if (event.kind !== 'done') continue;
      const { params, config: complete, statistics } = await finish(event.state.autoencoder.averages['average']!);
      expect(complete['latents_mean']).toEqual(statistics.mean);
      await saveAutoencoderFolder(join(root, 'vae'), { params, config: complete });
    }
    expect(await readdir(join(root, 'run', 'evaluations', 'step-00000004'))).toEqual(['reconstructions.png']);
    const loaded = await loadAutoencoderFolder(join(root, 'vae'));
    // What is diffused over has zero mean and unit variance over the pictures that were trained on.
    const coder = pictureCoder(loaded);
    const images = await Promise.all(
      Array.from({ length: pictures.training.length }, async (_, i) => (await pictures.training.load(i)).image),
    );
    const latents = await float32Data(await coder.encode(images));
    const mean = latents.reduce((sum, z) => sum + z, 0) / latents.length;
    const std = Math.sqrt(latents.reduce((sum, z) => sum + (z - mean) ** 2, 0) / latents.length);
    expect(Math.abs(mean)).toBeLessThan(1e-3);
    expect(Math.abs(std - 1)).toBeLessThan(0.02);
  });

  it('that gives logits of black and white pixels is drawn as pixels', async () => {
    const folder = join(await temporaryFolder(), 'vae');
    const { losses: _, discriminator: __, ...rest } = config;
    const run = await autoencoderRunFromConfig({ ...rest, losses: [{ name: 'bernoulli' }] });
    const { autoencoder: params } = (await run.task.init()).autoencoder.params;
    const { config: kept } = await run.finish({ autoencoder: params });
    expect(kept['decoder_output']).toBe('logits');
    await saveAutoencoderFolder(folder, { params, config: kept });
    const { autoencoder, params: loaded } = await loadAutoencoderFolder(folder);
    const z = tensor(torchGenerator(1).normal(3 * 64), { shape: [1, 3, 8, 8] });
    const [drawn, logits] = [await float32Data(autoencoder.decode(loaded, z)), await float32Data(run.autoencoder.decode(params, z))];
    drawn.forEach((value, i) => expect(Math.abs(value - (2 / (1 + Math.exp(-logits[i]!)) - 1))).toBeLessThan(1e-5));
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...kept, decoder_output: 'cats' }));
    await expect(loadAutoencoderFolder(folder)).rejects.toThrow(/unknown output: decoder_output="cats"/);
  });

  it('docs/autoencoder-config.md says what the schema takes', async () => {
    const page = configPage(autoencoderConfigSchema, {
      source: 'latents/autoencoder-config.ts',
      test: 'latents',
      title: "The configuration of an autoencoder's training",
      what: 'What `langevin train <config>` reads, where it has an entry `autoencoder`: a JSON file that decides what a run computes.',
      example: 'emoji-f4.json',
    });
    await expect(page).toMatchFileSnapshot(fileURLToPath(new URL('../../../docs/autoencoder-config.md', import.meta.url)));
  });
});

it('the configurations that docs/latents.md prints are ones', async () => {
  const page = await readFile(fileURLToPath(new URL('../../../docs/latents.md', import.meta.url)), 'utf8');
  const [first, second] = [...page.matchAll(/```json\n(.*?)```/gsu)].map(([, json]) => JSON.parse(json!) as unknown);
  expect(parseAutoencoderConfig(first)).toMatchObject({ name: 'shapes-f4', regulariser: { name: 'kl' } });
  expect(parseTrainingConfig(second)).toMatchObject({ latents: { autoencoder: 'runs/shapes-f4/autoencoder', draw: 'sample' } });
});

describe('latents that are encoded once', () => {
  it('are drawn from the posterior of the picture or of its mirror, as the autoencoder itself would', async () => {
    const { loaded } = await autoencoderFolder();
    const source = await shapes();
    const encoded = await encodedPictures(source, { autoencoder: loaded, flip: 'horizontal' });
    const at = latentBatches(encoded, { info: loaded.autoencoder.info, batchSize: 3, seed: 9, draw: 'sample' });
    const { x0, shape, items } = await at({ epoch: 0, index: 0 });
    expect(shape).toEqual([3, 3, 8, 8]);
    const size = 3 * 8 * 8;
    for (const [k, name] of items.entries()) {
      const number = Array.from({ length: source.length }, (_, i) => i).find((i) => source.itemName(i) === name)!;
      const { image } = await source.load(number);
      const pixels = fromImages([image]);
      const flipped = counterGenerator({ seed: 9, stream: [0x666c6970, 0, number] }).uniform(1)[0]! < 0.5;
      if (flipped) for (let row = 0; row < pixels.data.length; row += 16) pixels.data.subarray(row, row + 16).reverse();
      const posterior = loaded.autoencoder.encode(loaded.params, tensor(pixels.data, { shape: pixels.shape }));
      const noise = counterGenerator({ seed: 9, stream: [0x706f7374, 0, number] }).normal(size);
      const wanted = await float32Data(posterior.sample(tensor(noise, { shape: [1, 3, 8, 8] })));
      const [shift, scale] = [
        [0.5, 0, -0.5],
        [0.5, 1, 2],
      ];
      wanted.forEach((z, i) => {
        const channel = Math.floor(i / 64);
        expect(Math.abs(x0[k * size + i]! - (z - shift[channel]!) * scale[channel]!)).toBeLessThan(1e-4);
      });
    }
  });

  it('come from the disk the next time, and are others for another autoencoder', async () => {
    const folder = await temporaryFolder();
    const [{ loaded }, { loaded: other }] = [await autoencoderFolder(0), await autoencoderFolder(1)];
    const source = await shapes();
    const kept = { ...source, contentOf: async (i: number) => `shape ${i}` };
    const options = { flip: 'none', folder } as const;
    const first = await (await encodedPictures(kept, { ...options, autoencoder: loaded })).load(0);
    const silent = { ...kept, load: () => Promise.reject(new Error('nothing is loaded again')) };
    expect(await (await encodedPictures(silent, { ...options, autoencoder: loaded })).load(0)).toEqual(first);
    await expect((await encodedPictures(silent, { ...options, autoencoder: other })).load(0)).rejects.toThrow('loaded again');
    await expect((await encodedPictures(silent, { ...options, flip: 'horizontal', autoencoder: loaded })).load(0)).rejects.toThrow('again');
  });
});

describe('diffusion over latents', () => {
  it('trains as over pixels do, keeps its autoencoder, resumes, samples, and is a folder with vae/', async () => {
    const root = await temporaryFolder();
    const run = join(root, 'run');
    const { folder } = await autoencoderFolder();
    const stage2 = parseTrainingConfig({
      name: 'shapes-latent',
      seed: 1,
      data,
      latents: { autoencoder: folder },
      flip: 'horizontal',
      backbone: { ...unlabelled, in_channels: 3, out_channels: 3, sample_size: 8 },
      optimizer: { name: 'adam', learningRate: 0.001 },
      batchSize: 4,
      average: { decay: 0.9 },
    });
    const steps = async (count: number, start: 'new' | 'resume') => {
      const { task, autoencoder } = await diffusionRunFromConfig(stage2);
      await keepAutoencoder(run, { from: folder, sha256: autoencoder!.sha256 });
      for await (const event of train(task, { store: folderStore(run), steps: count, start })) if (event.kind === 'done') return event.step;
      return 0;
    };
    expect(await steps(2, 'new')).toBe(2);
    expect(await steps(3, 'resume')).toBe(3);
    const model = await loadModel(run);
    const sampled = async (from: typeof model) => {
      for await (const event of sampleImages({ model: from, labels: 2, steps: 2, seed: 4 })) if (event.kind === 'done') return event.images;
      throw new Error('no samples');
    };
    const images = await sampled(model);
    expect(images.map(({ width, height, channels }) => [width, height, channels])).toEqual([
      [16, 16, 3],
      [16, 16, 3],
    ]);
    // From a picture, with hardly any noise: the picture comes back as its autoencoder has it.
    const [first] = images;
    for await (const event of sampleImages({ model, labels: 1, steps: 8, startSigma: 0.005, pictures: [first!] })) {
      if (event.kind !== 'done') continue;
      const coder = pictureCoder(model.autoencoder);
      const [wanted] = await coder.decode(await coder.encode([first!]));
      const apart = event.images[0]!.data.map((value, i) => Math.abs(value - wanted!.data[i]!));
      expect(Math.max(...apart)).toBeLessThan(12);
    }
    await expect(sampleImages({ model, labels: 1, pictures: [{ ...first!, width: 8, height: 32 }] }).next()).rejects.toThrow(/16x16/);
    await saveDiffusionFolder(join(root, 'model'), model);
    expect((await readdir(join(root, 'model'))).sort()).toEqual(['model_index.json', 'scheduler', 'unet', 'vae']);
    expect(await sampled(await loadDiffusionFolder(join(root, 'model')))).toEqual(images);

    // Another autoencoder is another data set: refused, and nothing is overwritten.
    const { folder: other, loaded } = await autoencoderFolder(7);
    await expect(keepAutoencoder(run, { from: other, sha256: loaded.sha256 })).rejects.toThrow(/run has another autoencoder/);
    const changed = await diffusionRunFromConfig({ ...stage2, latents: { autoencoder: other, draw: 'sample' } });
    const resumed = train(changed.task, { store: folderStore(run), steps: 4, start: 'resume' });
    await expect(resumed[Symbol.asyncIterator]().next()).rejects.toThrow(/the autoencoder of latents was/);
  });

  it('says in what a network and latents differ', async () => {
    const { folder } = await autoencoderFolder();
    const wrong = { ...config, latents: { autoencoder: folder } };
    await expect(
      diffusionRunFromConfig(
        parseTrainingConfig({
          name: 'wrong',
          seed: 1,
          data,
          latents: wrong.latents,
          backbone: { ...TINY_CONFIG, in_channels: 4, out_channels: 4 },
          optimizer: { name: 'adam', learningRate: 0.001 },
          batchSize: 4,
          average: { decay: 0.9 },
        }),
      ),
    ).rejects.toThrow(/\[pipelines\/run\] latents do not fit the network: .*\[3, 8, 8\]/);
  });
});

describe('files of latents', () => {
  it('come back as they were, with names, by their own autoencoder alone', async () => {
    const path = join(await temporaryFolder(), 'latents.safetensors');
    const [{ loaded }, { loaded: other }] = [await autoencoderFolder(0), await autoencoderFolder(1)];
    const source = await shapes();
    const latents = await pictureCoder(loaded).encode([(await source.load(0)).image, (await source.load(1)).image]);
    const shape = [2, 3, 8, 8] as const;
    const values = await float32Data(add(latents, 0));
    await writeLatents(path, { data: values, shape, names: ['a', 'b'] }, loaded);
    expect(await readLatents(path, loaded)).toEqual({ data: values, shape, names: ['a', 'b'] });
    await expect(readLatents(path, other)).rejects.toThrow(/those of another autoencoder/);
    await writeFile(path, (await readFile(path)).subarray(0, 200));
    await expect(readLatents(path, loaded)).rejects.toThrow(/^\[io\//);
  });
});
