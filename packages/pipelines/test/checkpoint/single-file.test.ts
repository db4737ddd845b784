import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import type { HostTensor } from '@langevin/io';
import { readPythonJson, writeSafetensors } from '@langevin/io/node';
import { toStateDict } from '@langevin/nn';
import { setDefaultEngine, UnsupportedError, UserError } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint, type Checkpoint, type OpenCheckpointOptions } from '../../src/checkpoint/checkpoint.ts';
import { within } from '../../src/checkpoint/files.ts';
import { loadNetwork } from '../../src/checkpoint/load-network.ts';
import { architectureOf } from '../../src/checkpoint/single-file/architecture.ts';
import { unetConfig } from '../../src/checkpoint/single-file/configs.ts';
import { partsOf } from '../../src/checkpoint/single-file/parts.ts';
import { unetLayout } from '../../src/checkpoint/single-file/unet-names.ts';
import { weightsOf, type GoldenComponent } from '@langevin/pipelines/testing';
import { scratch } from './scratch.ts';

type How = 'same' | 'pixel' | 'transposed' | 'stacked' | 'swapped';
type Tensors = Map<string, HostTensor>;

/** See tooling/parity/single_files_golden.py: diffusers reads each of these files back to the weights of its components. */
interface Golden {
  readonly cases: Readonly<
    Record<
      string,
      {
        readonly components: Readonly<Record<string, GoldenComponent>>;
        readonly file: readonly (readonly [name: string, how: How, from: readonly string[]])[];
      }
    >
  >;
  readonly published: readonly {
    readonly architecture: string;
    readonly name: string;
    readonly config: Readonly<Record<string, unknown>>;
    /** Shapes by name, as JSON, deflated, in base64. */
    readonly shapes: string;
  }[];
}

const golden = (await readPythonJson(join(import.meta.dirname, '../golden/single-files.json'))) as Golden;
const weights = new Map(
  Object.entries(golden.cases).map(([kind, { components }]) => [
    kind,
    new Map(
      Object.entries(components).flatMap(([name, component]) => [...weightsOf(component)].map(([of, w]) => [`${name}/${of}`, w] as const)),
    ),
  ]),
);

const numbersOf = ({ data }: HostTensor): Float32Array => data as Float32Array;

/** The layouts of the original programs, made of the weights of diffusers' classes. */
const MADE: Readonly<Record<How, (parts: readonly HostTensor[]) => HostTensor>> = {
  same: ([only]) => only!,
  pixel: ([only]) => ({ ...only!, shape: [...only!.shape, 1, 1] }),
  transposed: ([only]) => {
    const [rows, columns] = only!.shape as [number, number];
    const data = numbersOf(only!).map((_, i, all) => all[(i % rows) * columns + Math.floor(i / rows)]!);
    return { dtype: 'float32', shape: [columns, rows], data };
  },
  stacked: (parts) => ({
    dtype: 'float32',
    shape: [parts.reduce((sum, { shape }) => sum + shape[0]!, 0), ...parts[0]!.shape.slice(1)],
    data: Float32Array.from(parts.flatMap((part) => [...numbersOf(part)])),
  }),
  swapped: ([only]) => {
    const half = only!.data.length / 2;
    return { dtype: 'float32', shape: only!.shape, data: numbersOf(only!).map((_, i, all) => all[(i + half) % (2 * half)]!) };
  },
};

function fileOf(kind: string): Tensors {
  const of = weights.get(kind)!;
  return new Map(
    golden.cases[kind]!.file.map(([name, how, from]) => [name, MADE[how](from.map((each) => of.get(each as `${string}/${string}`)!))]),
  );
}

/** The same tensors as GGUF of version 3, in float32. */
function ggufOf(tensors: Tensors): Uint8Array {
  const number = (value: number, bytes: 4 | 8): Buffer => {
    const made = Buffer.alloc(bytes);
    made.writeUInt32LE(value);
    return made;
  };
  let end = 0;
  const described: Buffer[] = [];
  const values: Buffer[] = [];
  for (const [name, tensor] of tensors) {
    const raw = Buffer.from(numbersOf(tensor).slice().buffer);
    const sizes = [...tensor.shape].reverse().map((size) => number(size, 8));
    described.push(number(Buffer.byteLength(name), 8), Buffer.from(name), number(sizes.length, 4), ...sizes, number(0, 4), number(end, 8));
    values.push(raw, Buffer.alloc((32 - (raw.length % 32)) % 32));
    end += raw.length + values.at(-1)!.length;
  }
  const head = Buffer.concat([Buffer.from('GGUF'), number(3, 4), number(tensors.size, 8), number(0, 8), ...described]);
  return Buffer.concat([head, Buffer.alloc((32 - (head.length % 32)) % 32), ...values]);
}

/** A single file, and a folder of the configurations of its components beside it. */
async function written(kind: string, change: (tensors: Tensors) => Tensors = (tensors) => tensors) {
  const root = await scratch();
  const path = join(root, `${kind}.safetensors`);
  await writeSafetensors(path, change(fileOf(kind)), { metadata: {} });
  const config = join(root, 'config');
  for (const [name, component] of Object.entries(golden.cases[kind]!.components)) {
    await mkdir(join(config, name), { recursive: true });
    await writeFile(join(config, name, 'config.json'), JSON.stringify(component.config));
  }
  return { root, path, config };
}

const renamed =
  (pattern: RegExp, to: string) =>
  (tensors: Tensors): Tensors =>
    new Map([...tensors].map(([name, tensor]) => [name.replace(pattern, to), tensor]));
const marked =
  (...names: readonly string[]) =>
  (tensors: Tensors): Tensors =>
    new Map([...tensors, ...names.map((name) => [name, { dtype: 'float32', shape: [0], data: new Float32Array(0) }] as const)]);

async function open(kind: string, change?: (tensors: Tensors) => Tensors, options: OpenCheckpointOptions['singleFile'] = {}) {
  const { path, config } = await written(kind, change);
  return openCheckpoint(path, { singleFile: { config, ...options } });
}

/** Every weight of every component is that of diffusers' class, and nothing else is there; values of those whose names match. */
async function expectWeights({ components, files }: Checkpoint, kind: string, values = /(?:)/u): Promise<void> {
  for (const [name, { weights: listed }] of Object.entries(golden.cases[kind]!.components)) {
    const component = components.get(name)!;
    const { tensors } = await files.weights(within(component.folder, component.weights!.name));
    const bare = (of: string): string => of.replace(/^text_model\./u, '');
    const found = await toStateDict(Object.fromEntries([...tensors].filter(([of]) => values.test(of))));
    const byName = new Map([...found].map(([of, tensor]) => [bare(of), tensor]));
    expect([...tensors.keys()].map(bare).sort()).toEqual(listed.map(([of]) => bare(of)).sort());
    for (const [of, shape] of listed.filter(([name]) => values.test(name))) {
      const { shape: foundShape, data } = byName.get(bare(of))!;
      const wanted = weights.get(kind)!.get(`${name}/${of}`)!.data;
      if (!/proj_(?:in|out)\.weight$/u.test(of)) expect([of, foundShape]).toEqual([of, shape]);
      if (data.some((value, i) => value !== wanted[i])) throw new Error(`${kind}: ${name}/${of} differs`);
    }
  }
}

const decided = ({ evidence }: Checkpoint, what: string): string | undefined => {
  const found = evidence.find((each) => each.what === what);
  return found && `${found.value}: ${found.from}`;
};

beforeAll(() => setDefaultEngine(referenceEngine({ precision: 'float32' })));
afterAll(() => setDefaultEngine(undefined));

describe('openCheckpoint of a single file', () => {
  it.each(Object.keys(golden.cases))('gives the weights of a folder: %s', async (kind) => {
    const checkpoint = await open(kind);
    await expectWeights(checkpoint, kind);
    expect([...checkpoint.components.keys()].sort()).toEqual([...Object.keys(golden.cases[kind]!.components), 'scheduler'].sort());
  });

  it.each([
    ['state_dict, more than once', 'sd1', renamed(/^/u, 'state_dict.state_dict.')],
    ['CLIP without its prefix', 'sd1', renamed(/\.text_model\./u, '.')],
    ['CLIP without its prefix', 'sdxl', renamed(/\.text_model\./u, '.')],
    [
      'projections as matrices',
      'sd1',
      (tensors: Tensors): Tensors =>
        new Map(
          [...tensors].map(([name, t]) => [name, /\.proj_(?:in|out)\.weight$/u.test(name) ? { ...t, shape: t.shape.slice(0, 2) } : t]),
        ),
    ],
    [
      'projections as convolutions',
      'sd2',
      (tensors: Tensors): Tensors =>
        new Map(
          [...tensors].map(([name, t]) => [
            name,
            /input_.*\.proj_(?:in|out)\.weight$/u.test(name) ? { ...t, shape: [...t.shape, 1, 1] } : t,
          ]),
        ),
    ],
    [
      'buffers of the training',
      'sd1',
      marked('betas', 'alphas_cumprod_prev', 'sqrt_recip_alphas_cumprod', 'posterior_variance', 'model_ema.decay'),
    ],
    ['no prefix before the transformer', 'sd3', renamed(/^model\.diffusion_model\./u, '')],
    ['no prefix before the transformer', 'flux', renamed(/^model\.diffusion_model\./u, '')],
  ])('takes files with %s: %s', async (_, kind, change) => {
    const checkpoint = await open(kind, change);
    // How values change is told above: here names are, and those of the tensors that are spelt otherwise.
    await expectWeights(checkpoint, kind, /proj_|token_embedding|norm_out|to_q/u);
    // The class wants one form of a projection and gets it.
    if (kind.startsWith('sd1') || kind === 'sd2') expect((await loadNetwork(checkpoint, 'unet')).account.ignored).toEqual([]);
  });

  it('takes the moving average where it is asked for, and says that there are two', async () => {
    const shifted = (tensor: HostTensor): HostTensor => ({
      dtype: 'float32',
      shape: tensor.shape,
      data: numbersOf(tensor).map((n) => n + 1),
    });
    const averaged = (tensors: Tensors): Tensors =>
      new Map([
        ...tensors,
        ...[...tensors].flatMap(([name, tensor]) =>
          name.startsWith('model.diffusion_model.') ? [[`model_ema.${name.split('.').slice(1).join('')}`, shifted(tensor)] as const] : [],
        ),
      ]);
    const raw = await open('sd1', averaged);
    await expectWeights(raw, 'sd1', /conv_in|to_q/u);
    expect(raw.evidence.map(({ value, from }) => `${value}: ${from}`)).toContain('raw: the file has raw weights and their moving average');
    const ema = await open('sd1', averaged, { weights: 'ema' });
    const { tensors } = await ema.files.weights('unet/diffusion_pytorch_model.safetensors');
    const found = await toStateDict({ w: tensors.get('conv_in.bias')! });
    expect([...found.get('w')!.data]).toEqual(
      [...weights.get('sd1')!.get('unet/conv_in.bias')!.data].map((n) => Math.fround(Number(n) + 1)),
    );
    await expect(open('sd1', undefined, { weights: 'ema' })).rejects.toThrow('file has no moving average');
    await expect(open('sd1', (all) => new Map([...averaged(all)].slice(0, -1)), { weights: 'ema' })).rejects.toThrow(
      'moving average lacks',
    );
    await expect(open('sd1', undefined, { weights: 'best' as 'raw' })).rejects.toThrow('unknown weights');
  });

  it('decides the prediction by the caller, markers, the configuration beside it, the product, in this order', async () => {
    const usual = await open('sd1');
    expect(decided(usual, 'prediction')).toBe('epsilon: nothing in the file says it: the usual of Stable Diffusion 1');
    expect(decided(await open('sd2'), 'prediction')).toMatch(/^v_prediction: nothing in the file says it.*512 pixels predict epsilon/u);
    const marker = await open('sdxl', marked('v_pred', 'ztsnr'));
    expect(decided(marker, 'prediction')).toBe('v_prediction: the marker tensor v_pred');
    expect(marker.components.get('scheduler')!.config).toMatchObject({ prediction_type: 'v_prediction', rescale_betas_zero_snr: true });
    expect(decided(await open('sdxl', marked('v_pred'), { prediction: 'epsilon' }), 'prediction')).toBe('epsilon: asked for');
    const { path, config } = await written('sd1');
    await writeFile(path.replace('.safetensors', '.yaml'), 'model:\n  params:\n    parameterization: "v"\n    linear_start: 0.00085\n');
    expect(decided(await openCheckpoint(path, { singleFile: { config } }), 'prediction')).toMatch(/^v_prediction: parameterization/u);
    await expect(open('flux', undefined, { prediction: 'v' })).rejects.toThrow('prediction cannot be chosen');
    await expect(open('sd1', undefined, { prediction: 'w' as 'v' })).rejects.toThrow('unknown prediction');
  });

  it('says what it is, what it lacks, and which pipeline it is for', async () => {
    const checkpoint = await open('sdxl');
    expect(decided(checkpoint, 'architecture')).toBe('Stable Diffusion XL: two encoders, input of 8 features, context of 40');
    expect(checkpoint.index!.className).toBe('StableDiffusionXLPipeline');
    expect(checkpoint.evidence.filter(({ value }) => value === 'absent').map(({ component }) => component)).toEqual([
      'tokenizer',
      'tokenizer_2',
    ]);
    expect(checkpoint.evidence.find(({ component, what }) => component === 'unet' && what === 'class')!.from).toBe(
      'the names and shapes of sdxl.safetensors',
    );
    const without = await open('sd1', (all) => new Map([...all].filter(([name]) => !name.startsWith('cond_stage_model.'))), {
      architecture: 'sd1',
    });
    expect([...without.components.keys()].sort()).toEqual(['scheduler', 'unet', 'vae']);
  });

  it('takes an autoencoder alone where it is said whose it is', async () => {
    const only = (all: Tensors): Tensors =>
      new Map(
        [...all].flatMap(([name, t]) =>
          name.startsWith('first_stage_model.') ? [[name.slice('first_stage_model.'.length), t] as const] : [],
        ),
      );
    const { path } = await written('sd1', only);
    await expect(openCheckpoint(path)).rejects.toThrow('nothing in the file says how latents are scaled');
    const { components } = await openCheckpoint(path, { singleFile: { architecture: 'sdxl' } });
    expect(components.get('model')!.config).toMatchObject({
      _class_name: 'AutoencoderKL',
      scaling_factor: 0.13025,
      latent_channels: 4,
      block_out_channels: [4, 8],
    });
  });

  it.each([
    [
      'a tensor that belongs to nothing',
      (all: Tensors): Tensors => new Map([...all, ['surprise.weight', [...all.values()][0]!]]),
      /belong to nothing.*"surprise\.weight"/u,
    ],
    [
      'a tensor too much in a block',
      (all: Tensors): Tensors => new Map([...all, ['model.diffusion_model.input_blocks.1.0.in_layers.9.weight', [...all.values()][0]!]]),
      /in_layers\.9/u,
    ],
    [
      'a name twice',
      (all: Tensors): Tensors => new Map([...all, ['state_dict.model.diffusion_model.out.0.bias', [...all.values()][0]!]]),
      /two tensors have one name/u,
    ],
    [
      'the names of diffusers',
      (): Tensors => new Map([['conv_in.weight', { dtype: 'float32', shape: [1], data: Float32Array.of(1) }]]),
      /names of diffusers/u,
    ],
    [
      'an adapter',
      (): Tensors => new Map([['lora_unet_x.lora_down.weight', { dtype: 'float32', shape: [1], data: Float32Array.of(1) }]]),
      /file is an adapter/u,
    ],
    ['something else', (): Tensors => new Map([['x', { dtype: 'float32', shape: [1], data: Float32Array.of(1) }]]), /layout is not known/u],
    ['nothing', (): Tensors => new Map(), /layout is not known/u],
    [
      'channels of no pipeline',
      (all: Tensors): Tensors =>
        new Map([
          ...all,
          ['model.diffusion_model.input_blocks.0.0.weight', { dtype: 'float32', shape: [1, 7, 1, 1], data: new Float32Array(7) }],
        ]),
      /channels=7/u,
    ],
  ])('refuses a file with %s', async (_, change, message) => {
    const opened = open('sd1', change);
    await expect(opened).rejects.toThrow(message);
    await opened.catch((error: unknown) => expect(error instanceof UserError || error instanceof UnsupportedError).toBe(true));
  });

  it('names the weight whose shape cannot be that of its name', async () => {
    const name = 'cond_stage_model.model.transformer.resblocks.0.attn.in_proj_bias';
    const odd = { dtype: 'float32', shape: [47], data: new Float32Array(47) } as const;
    await expect(open('sd2', (all) => new Map([...all, [name, odd]]))).rejects.toThrow(`name=${name}, shape=[47]. The file is damaged`);
  });

  it('refuses pickles, and what is no file of weights', async () => {
    const { path, root } = await written('sd1');
    await rename(path, join(root, 'model.ckpt'));
    await expect(openCheckpoint(join(root, 'model.ckpt'))).rejects.toThrow(UserError);
    await writeFile(join(root, 'a.safetensors'), 'hello');
    await expect(openCheckpoint(join(root, 'a.safetensors'))).rejects.toThrow(UserError);
  });

  it('names the dtype of weights that no engine holds', async () => {
    const path = join(await scratch(), 'a.safetensors');
    const name = 'model.diffusion_model.input_blocks.0.0.weight';
    const header = Buffer.from(JSON.stringify({ [name]: { dtype: 'I8', shape: [2], data_offsets: [0, 2] } }).padEnd(120));
    const size = Buffer.alloc(8);
    size.writeUInt32LE(header.length);
    await writeFile(path, Buffer.concat([size, header, Buffer.alloc(2)]));
    await expect(openCheckpoint(path)).rejects.toThrow(`name=${name}, dtype=I8. Take a file of the model in F16`);
  });

  it.each(['sd1', 'flux'])('%s is the same in a GGUF file as in a safetensors file', async (kind) => {
    const { path, config } = await written(kind);
    const there = path.replace(/safetensors$/u, 'gguf');
    await writeFile(there, ggufOf(fileOf(kind)));
    await expectWeights(await openCheckpoint(there, { singleFile: { config } }), kind);
  });

  it('is the same opened as files as it is opened by name', async () => {
    const { path, config } = await written('sd1');
    const { files } = await openCheckpoint(path, { singleFile: { config } });
    const again = await openCheckpoint(files);
    expect(again.evidence).toEqual((await openCheckpoint(path, { singleFile: { config } })).evidence);
    await expect(files.json('nothing.json')).rejects.toThrow('file is missing');
    await expect(files.weights('nothing')).rejects.toThrow('file is missing');
  });
});

describe('published models', () => {
  it.each(golden.published)('are told by shapes, with their configurations: $name', ({ architecture, config, shapes: packed }) => {
    const shapes = new Map(
      Object.entries(JSON.parse(inflateSync(Buffer.from(packed, 'base64')).toString()) as Record<string, readonly number[]>),
    );
    expect(architectureOf(partsOf(shapes, 'file'), { asked: undefined, from: 'file' })!.name).toBe(architecture);
    const own = new Map([...shapes].map(([name, shape]) => [name.slice('model.diffusion_model.'.length), shape]));
    const found = unetConfig(unetLayout(own), { architecture: architecture as 'sd1', pixels: Number(config['sample_size']) * 8 });
    // As diffusers has it where one number stands for all levels, and for a level that has no attention.
    const depth = config['transformer_layers_per_block'];
    const comparable = { ...found };
    if (architecture === 'sdxl-refiner') {
      expect(found['transformer_layers_per_block']).toEqual([1, 4, 4, 4]);
      comparable['transformer_layers_per_block'] = depth;
    }
    expect(comparable).toMatchObject(config);
  });
});
