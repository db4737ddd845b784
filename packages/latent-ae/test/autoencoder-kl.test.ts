import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { autoencoderFromConfig, autoencoderKl, autoencoderKlToConfig, autoencoderPlugins, findAutoencoder } from '@langevin/latent-ae';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { fitWeights, parameterCount, shapesOnly, type Module } from '@langevin/nn';
import {
  namedTensors,
  numbers,
  ones,
  reshape,
  setDefaultEngine,
  tensor,
  torchGenerator,
  UnsupportedError,
  UserError,
  zeros,
  type Tensor,
} from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareRuled, numbersOf, type RuledGolden } from '@langevin/nn/testing';

interface Case extends RuledGolden {
  readonly sides: readonly [number, number];
  readonly latentSides: readonly [number, number];
}

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/autoencoder-kl.json'), 'utf8')) as {
  readonly tolerance: { readonly output: number; readonly gradients: number };
  readonly cases: readonly Case[];
  readonly counts: Readonly<Record<string, { readonly config: object; readonly parameters: number }>>;
};

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

describe("diffusers' AutoencoderKL", () => {
  it.each(golden.cases.map((entry) => [entry.name, entry] as const))('%s: posterior, pictures and gradients', async (name, entry) => {
    const vae = autoencoderFromConfig(entry.config);
    const { inputs, channels } = vae.info;
    const x = numbersOf(`${name}/x`, [2, inputs, ...entry.sides]);
    const z = numbersOf(`${name}/z`, [2, channels, ...entry.latentSides]);
    const problems = await compareRuled(entry, {
      init: vae.init,
      inputs: { x, z },
      engine,
      tolerance: golden.tolerance,
      apply: (params, given) => {
        const { mode, sample, divergence } = vae.encode(params, given['x']!);
        expect(mode.shape).toEqual(vae.latentShape(x.shape));
        return {
          mode,
          sample: sample(numbersOf(`${name}/noise`, mode.shape)),
          divergence: divergence!,
          decoded: vae.decode(params, given['z']!),
        };
      },
    });
    expect(problems).toEqual([]);
  });

  it.each(Object.entries(golden.counts))('%s has as many parameters', (_, { config, parameters }) => {
    const vae = autoencoderFromConfig({ _class_name: 'AutoencoderKL', ...config });
    expect(parameterCount(vae as unknown as Module<unknown, readonly [], Tensor>)).toBe(parameters);
  });
});

const tiny = {
  blockOutChannels: [4, 4],
  downBlockTypes: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
  upBlockTypes: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  normNumGroups: 2,
} as const;

describe('what latents are diffused as', () => {
  it.each([
    [{}, 0.18215, 0],
    [{ scalingFactor: 0.3611, shiftFactor: 0.1159 }, 0.3611, 0.1159],
    [{ scalingFactor: 0.5, latentsMean: [1, 2, 3, 4], latentsStd: [1, 2, 4, 8] }, [0.5, 0.25, 0.125, 0.0625], [1, 2, 3, 4]],
  ])('%j', (config, scale, shift) => {
    const { info } = autoencoderKl({ ...tiny, ...config });
    expect(info).toEqual({ inputs: 3, channels: 4, factor: [2, 2], scale, shift });
  });
});

describe('files of every age', () => {
  const vae = autoencoderKl(tiny);
  const own = namedTensors(vae.init(torchGenerator(3)));
  const spellings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    early: { 'to_q.': 'query.', 'to_k.': 'key.', 'to_v.': 'value.', 'to_out.0.': 'proj_attn.' },
    'latent diffusion': { 'to_q.': 'q.', 'to_k.': 'k.', 'to_v.': 'v.', 'to_out.0.': 'proj_out.', 'group_norm.': 'norm.' },
  };

  it.each(Object.entries(spellings))('%s names of the attention give the same weights', async (_, names) => {
    const stored = new Map(
      [...own].map(([name, value]): [string, Tensor] => {
        const part = Object.keys(names).find((each) => name.includes(`attentions.0.${each}`));
        if (part === undefined) return [name, value];
        const projection = value.rank === 2 && names === spellings['latent diffusion'];
        return [name.replace(part, names[part]!), projection ? reshape(value, [...value.shape, 1, 1]) : value];
      }),
    );
    const { params, account } = fitWeights(vae.init(shapesOnly), stored, { rules: findAutoencoder('autoencoder-kl').rules! });
    expect(account.used).toBe(own.size);
    expect(account.renamed.length).toBe(2 * (8 + (names === spellings['latent diffusion'] ? 2 : 0)));
    for (const [name, value] of namedTensors(params)) expect(await numbers(value), name).toEqual(await numbers(own.get(name)!));
  });

  it('do not take layers of the same names elsewhere', () => {
    const stored = new Map([...own, ['encoder.down_blocks.0.resnets.0.norm.weight', ones([4])]]);
    expect(() => fitWeights(vae.init(shapesOnly), stored, { rules: findAutoencoder('AutoencoderKL').rules! })).toThrow('does not know');
  });
});

describe('what does not fit', () => {
  it.each([
    [
      {
        block_out_channels: [6, 8],
        down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
        up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
      },
      /groups do not divide/u,
    ],
    [{ block_out_channels: [32, 32] }, /levels disagree/u],
    [{ scaling_factor: 0 }, /scaling_factor=0/u],
    [{ latents_mean: [1], latents_std: [1] }, /latents_mean=1 entries, latent_channels=4/u],
    [{ latents_mean: [1, 1, 1, 1] }, /statistics of the latents are incomplete/u],
    [{ latents_mean: [0, 0, 0, 0], latents_std: [1, 1, 0, 1] }, /latents_std has 0/u],
    [{ latent_channels: 1e9 }, /latent_channels=1000000000/u],
    [{ act_fn: 'sillu' }, /act_fn="sillu"\. .*Did you mean "silu"/u],
    [{ down_block_types: ['DownBlock3D'] }, /down_block_types/u],
  ])('configuration %j', (config, message) => {
    expect(() => autoencoderFromConfig({ _class_name: 'AutoencoderKL', ...config })).toThrow(UserError);
    expect(() => autoencoderFromConfig({ _class_name: 'AutoencoderKL', ...config })).toThrow(message);
  });

  it('classes that are not known, and none', () => {
    expect(() => autoencoderFromConfig({ _class_name: 'AutoencoderKl' })).toThrow(UnsupportedError);
    expect(() => autoencoderFromConfig({ _class_name: 'AutoencoderKl' })).toThrow('Did you mean "AutoencoderKL"?');
    expect(() => autoencoderFromConfig({})).toThrow(/_class_name=nothing\. Known: .*AutoencoderKL/u);
    expect(() => findAutoencoder(undefined as unknown as string)).toThrow(UserError);
  });

  it('pictures and latents of other shapes', () => {
    const vae = autoencoderKl(tiny);
    const params = vae.init(shapesOnly);
    expect(() => vae.encode(params, zeros([1, 4, 8, 8]))).toThrow('Give [N, 3, H, W] with sides of at least 2.');
    expect(() => vae.encode(params, zeros([1, 3, 8, 1]))).toThrow('pictures do not fit');
    expect(() => vae.decode(params, zeros([1, 3, 4, 4]))).toThrow('Give [N, 4, h, w].');
    expect(() => vae.decode(params, tensor([1]))).toThrow(UserError);
  });
});

describe('configurations', () => {
  it('go to JSON and back', () => {
    const json = autoencoderKlToConfig({ ...tiny, latentChannels: 16, shiftFactor: 0.1 });
    expect(json['_class_name']).toBe('AutoencoderKL');
    expect(autoencoderFromConfig(json).info).toMatchObject({ channels: 16, shift: 0.1 });
    expect(autoencoderPlugins.map(({ name }) => name)).toContain('autoencoder-kl');
  });
});
