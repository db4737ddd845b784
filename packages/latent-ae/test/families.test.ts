import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  autoencoderDc,
  autoencoderFromConfig,
  autoencoderTiny,
  autoencoderTinyFromConfig,
  findAutoencoder,
  vqModel,
  vqModelFromConfig,
  type VqModelParams,
} from '@langevin/latent-ae';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { parameterCount, shapesOnly, type Module } from '@langevin/nn';
import { compareRuled, numbersOf, type NamedInputs, type RuledGolden } from '@langevin/nn/testing';
import {
  add,
  grad,
  mapTensors,
  mul,
  namedTensors,
  numbers,
  setDefaultEngine,
  square,
  sub,
  sum,
  tensor,
  torchGenerator,
  UnsupportedError,
  UserError,
  zeros,
  type Tensor,
} from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Case extends RuledGolden {
  readonly sides: readonly [number, number];
  readonly latentSides: readonly [number, number];
  readonly parameters: readonly string[];
  readonly indices?: readonly (readonly (readonly number[])[])[];
  readonly codes?: readonly (readonly (readonly number[])[])[];
}

interface Golden {
  readonly tolerance: { readonly output: number; readonly gradients: number };
  readonly cases: readonly Case[];
  readonly counts: Readonly<Record<string, { readonly config: object; readonly parameters: number }>>;
}

const golden = (family: string) => JSON.parse(readFileSync(join(import.meta.dirname, `golden/${family}.json`), 'utf8')) as Golden;
const [tiny, vq, dc] = [golden('autoencoder-tiny'), golden('vq-model'), golden('autoencoder-dc')];
const named = ({ cases }: Golden) => cases.map((entry) => [entry.name, entry] as const);

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

/** Where ours differs from a golden case; `more` is what the family gives beside latents and pictures. */
async function problemsOf(
  { tolerance }: Golden,
  entry: Case,
  more: (params: unknown, z: Tensor) => NamedInputs = () => ({}),
): Promise<readonly string[]> {
  const { name } = entry;
  const vae = autoencoderFromConfig(entry.config);
  const x = numbersOf(`${name}/x`, [2, vae.info.inputs, ...entry.sides]);
  const z = numbersOf(`${name}/z`, [2, vae.info.channels, ...entry.latentSides]);
  expect([...namedTensors(vae.init(shapesOnly)).keys()].sort()).toEqual(entry.parameters);
  return compareRuled(entry, {
    init: vae.init,
    inputs: { x, z },
    engine,
    tolerance,
    apply: (ruled, given) => {
      // Variances by the rule would be around 0.
      const params = mapTensors(ruled, (value, _, at) => (at.endsWith('running_var') ? add(value, 1) : value));
      const { mode } = vae.encode(params, given['x']!);
      expect(mode.shape).toEqual(vae.latentShape(x.shape));
      return { mode, decoded: vae.decode(params, given['z']!), ...more(params, given['z']!) };
    },
  });
}

describe("diffusers' AutoencoderTiny", () => {
  it.each(named(tiny))('%s: latents, pictures, latents in bytes, gradients', async (_, entry) => {
    const { toUnitRange, fromUnitRange } = autoencoderTinyFromConfig(entry.config);
    expect(await problemsOf(tiny, entry, (_params, z) => ({ unit: toUnitRange(z), back: fromUnitRange(z) }))).toEqual([]);
  });

  it('takes latents to bytes and back within half a step, and cuts off beyond the magnitude', async () => {
    const { toUnitRange, fromUnitRange } = autoencoderTiny({ latentMagnitude: 2 });
    const z = tensor([-2, -1.1, 0, 0.7, 2, 5, -5]);
    const bytes = (await numbers(toUnitRange(z))).map((unit) => Math.round(unit * 255));
    expect(bytes.slice(5)).toEqual([255, 0]);
    const back = await numbers(fromUnitRange(tensor(bytes.map((byte) => byte / 255))));
    for (const [i, value] of [-2, -1.1, 0, 0.7, 2, 2, -2].entries()) expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual(2 / 255 + 1e-6);
  });

  it('is the same for one picture and for it among two', async () => {
    const vae = autoencoderFromConfig(tiny.cases[0]!.config);
    const params = vae.init(torchGenerator(1));
    const z = numbersOf('z', [2, 4, 3, 5]);
    const [both, second] = [await numbers(vae.decode(params, z)), await numbers(vae.decode(params, numbersOf('z', [1, 4, 3, 5])))];
    expect(Math.max(...second.map((value, i) => Math.abs(value - both[i]!)))).toBeLessThan(1e-5);
  });

  it('refuses what does not come back in its size', () => {
    expect(() => autoencoderTiny({ upsamplingScalingFactor: 4 })).toThrow(/divides sides by 8, the decoder multiplies .* 64/u);
    expect(() => autoencoderTiny({ encoderBlockOutChannels: [32, 64, 64, 64] })).toThrow('levels have different sizes');
    expect(() => autoencoderTiny({ numEncoderBlocks: [1, 3] })).toThrow('levels disagree');
    expect(() => autoencoderTiny({ latentMagnitude: 0 })).toThrow(/latent_magnitude=0/u);
    expect(() => autoencoderTiny().latentShape([1, 4, 8, 8])).toThrow('Give [N, 3, H, W] with sides of at least 1.');
  });
});

describe("diffusers' VQModel", () => {
  it.each(named(vq))('%s: latents, codes, losses, pictures, gradients', async (name, entry) => {
    const vae = vqModelFromConfig(entry.config);
    const codes = tensor(entry.codes!.flat(2), { shape: [2, 2, 3], dtype: 'int32' });
    let indices: Tensor | undefined;
    const problems = await problemsOf(vq, entry, (given, z) => {
      const params = given as VqModelParams;
      const quantized = vae.quantize(params, z);
      ({ indices } = quantized);
      return {
        quantized: quantized.latent,
        corrected: quantized.loss,
        legacy: vae.quantize(params, z, { placement: 'legacy' }).loss,
        fromCodes: vae.decodeIndices(params, codes),
      };
    });
    expect(problems).toEqual([]);
    expect(await numbers(indices!), name).toEqual(entry.indices!.flat(2));
  });

  it('gives the encoder the gradient of the decoder plus 2 beta (z - code) / n', async () => {
    const vae = vqModel({ blockOutChannels: [8], normNumGroups: 2, numVqEmbeddings: 9 });
    const params = vae.init(torchGenerator(2));
    const z = numbersOf('z', [1, 3, 4, 4]);
    const weights = numbersOf('weights', z.shape);
    const loss = (beta: number, placement: 'corrected' | 'legacy') => (at: Tensor) => {
      const { latent, loss: held } = vae.quantize(params, at, { beta, placement });
      return add(sum(mul(latent, weights)), held);
    };
    const code = sub(vae.quantize(params, z).latent, 0);
    for (const [placement, factor] of [
      ['corrected', 0.3],
      ['legacy', 1],
    ] as const) {
      const made = await numbers(grad(loss(0.3, placement))(z));
      const expected = await numbers(add(weights, mul(sub(z, code), (2 * factor) / z.size)));
      expect(Math.max(...made.map((value, i) => Math.abs(value - expected[i]!))), placement).toBeLessThan(1e-6);
    }
  });

  it('finds the nearest code of each pixel, by all distances', async () => {
    const vae = vqModel({ blockOutChannels: [8], normNumGroups: 2, numVqEmbeddings: 31 });
    const params = vae.init(torchGenerator(3));
    const z = mul(numbersOf('z', [2, 3, 3, 2]), 0.02);
    const book = await numbers(params.quantize.embedding.weight);
    const values = await numbers(z);
    const expected = Array.from({ length: 12 }, (_, at) => {
      const [n, pixel] = [Math.floor(at / 6), at % 6];
      const distances = Array.from({ length: 31 }, (_unused, k) =>
        [0, 1, 2].reduce((total, c) => total + (values[n * 18 + c * 6 + pixel]! - book[k * 3 + c]!) ** 2, 0),
      );
      return distances.indexOf(Math.min(...distances));
    });
    expect(await numbers(vae.quantize(params, z).indices)).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(3);
    const codes = vae.quantize(params, z).latent;
    expect(await numbers(sum(square(sub(vae.quantize(params, codes).latent, codes))))).toEqual([0]);
  });

  it('refuses what is not built and what does not fit', () => {
    expect(() => vqModel({ normType: 'spatial' })).toThrow(UnsupportedError);
    expect(() => vqModel({ upBlockTypes: ['AttnUpDecoderBlock2D'] })).toThrow(/MoVQ/u);
    const vae = vqModel({ blockOutChannels: [8], normNumGroups: 2 });
    const params = vae.init(shapesOnly);
    expect(() => vae.decodeIndices(params, zeros([1, 2]))).toThrow('Give int32 [N, h, w].');
    expect(() => vae.decodeIndices(params, zeros([1, 2, 2]))).toThrow('int32');
    expect(() => vae.quantize(params, zeros([1, 4, 2, 2]))).toThrow('Give [N, 3, h, w].');
    expect(() => vae.quantize(params, zeros([1, 3, 2, 2]), { beta: -1 })).toThrow(UserError);
  });
});

describe("diffusers' AutoencoderDC", () => {
  it.each(named(dc))('%s: latents, pictures, gradients', async (_, entry) => {
    expect(await problemsOf(dc, entry)).toEqual([]);
  });

  it('knows which tensors of batch norm are counts', () => {
    expect(findAutoencoder('AutoencoderDC').rules!.ignored![0]!.pattern.test('decoder.up_blocks.0.1.norm.num_batches_tracked')).toBe(true);
  });

  it.each([
    [{ encoderLayersPerBlock: [1, 2] }, /encoder_layers_per_block=2, encoder_block_out_channels=6/u],
    [{ encoderLayersPerBlock: [2, 0, 2, 3, 3, 3] }, /encoder_layers_per_block\[1\]=0/u],
    [{ latentChannels: 48 }, /latent_channels=48, deepest level has 1024/u],
    [{ decoderBlockOutChannels: [128, 256, 512, 512, 1000, 1024] }, /shortcut between levels does not divide/u],
    [{ encoderBlockTypes: 'EfficientViTBlock', attentionHeadDim: 256 }, /level is smaller than a head/u],
    [{ encoderQkvMultiscales: [[], [], [], [4], [5], [5]] }, /encoder_qkv_multiscales has 4/u],
    [{ decoderNormTypes: ['rms_norm', 'layer_norm'] }, /decoder_norm_types/u],
  ] as const)('refuses %j', (config, message) => {
    expect(() => autoencoderDc(config as object)).toThrow(UserError);
    expect(() => autoencoderDc(config as object)).toThrow(message);
  });

  it('refuses sides that do not divide', () => {
    expect(() => autoencoderDc().latentShape([1, 3, 64, 40])).toThrow('sides that are multiples of 32.');
  });
});

describe('true sizes', () => {
  it.each([tiny, vq, dc].flatMap(({ counts }) => Object.entries(counts)))('%s has as many parameters', (_, { config, parameters }) => {
    const vae = autoencoderFromConfig(config) as unknown as Module<unknown, readonly [], Tensor>;
    expect(parameterCount(vae)).toBe(parameters);
  });
});
