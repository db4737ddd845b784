import { autoencoderKl, autoencoderTiny, inBands, vqModel, type AutoencoderKlConfig } from '@langevin/latent-ae';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { inFloat32, shapesOnly } from '@langevin/nn';
import { numbersOf, weightsOf } from '@langevin/nn/testing';
import {
  add,
  cast,
  mapTensors,
  mul,
  namedTensors,
  numbers,
  realize,
  setDefaultEngine,
  UnsupportedError,
  UserError,
  zeros,
  type Tensor,
} from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

const largest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

async function distance(a: Tensor, b: Tensor): Promise<number> {
  expect(a.shape).toEqual(b.shape);
  const [left, right] = [await numbers(a), await numbers(b)];
  return largest(left.map((value, i) => value - right[i]!)) / largest(right);
}

const two = {
  blockOutChannels: [4, 8],
  downBlockTypes: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
  upBlockTypes: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  normNumGroups: 2,
} as const;

describe('bands of rows give what the whole picture gives', () => {
  it.each([
    ['few rows', {}, { pixels: 24 }],
    ['one row, one row of queries', {}, { pixels: 1, scores: 1 }],
    [
      'no attention, other activation, no quantisation',
      { midBlockAddAttention: false, actFn: 'gelu', useQuantConv: false, usePostQuantConv: false },
      { pixels: 50 },
    ],
    [
      'one level',
      { blockOutChannels: [4], downBlockTypes: ['DownEncoderBlock2D'], upBlockTypes: ['UpDecoderBlock2D'] },
      { pixels: 17, scores: 500 },
    ],
    ['a band larger than the picture', {}, {}],
  ] as const)('%s', async (name, config, options) => {
    const vae = autoencoderKl({ ...two, ...(config as Partial<AutoencoderKlConfig>) });
    const params = weightsOf(vae.init(shapesOnly), name);
    const bands = inBands(vae, options);
    // Odd sides, and values far from 0, where moments of parts lose digits if they are added up carelessly.
    const x = add(mul(numbersOf('x', [2, 3, 13, 9]), 0.5), 3);
    expect(await distance(await bands.encode(params, x), vae.encode(params, x).moments!)).toBeLessThan(2e-5);
    const z = numbersOf('z', [1, 4, 7, 5]);
    expect(await distance(await bands.decode(params, z), vae.decode(params, z))).toBeLessThan(2e-5);
    await bands.dispose();
  });

  it('of a book of codes too', async () => {
    const vae = vqModel({ ...two, numVqEmbeddings: 9 });
    const params = weightsOf(vae.init(shapesOnly), 'codes');
    const bands = inBands(vae, { pixels: 20 });
    const [x, z] = [numbersOf('x', [1, 3, 8, 6]), numbersOf('z', [2, 3, 4, 3])];
    expect(await distance(await bands.encode(params, x), vae.encode(params, x).mode)).toBeLessThan(2e-5);
    expect(await distance(await bands.decode(params, z), vae.decode(params, z))).toBeLessThan(2e-5);
  });
});

describe('weights of 16 bits', () => {
  it('are widened, and read by the engine that is given', async () => {
    const vae = autoencoderKl(two);
    const params = weightsOf(vae.init(shapesOnly), 'half');
    const half = mapTensors(params, (weight) => cast(weight, 'float16'));
    await realize([...namedTensors(half).values()], { engine });
    const z = numbersOf('z', [1, 4, 3, 3]);
    const expected = await numbers(vae.decode(inFloat32(half), z));
    setDefaultEngine(undefined);
    const made = await inBands(vae, { pixels: 12, engine }).decode(half, z);
    const values = await numbers(made, { engine });
    setDefaultEngine(engine);
    expect(largest(values.map((value, i) => value - expected[i]!)) / largest(expected)).toBeLessThan(2e-5);
    expect(await distance(made, vae.decode(params, z))).toBeGreaterThan(1e-5);
  });
});

describe('a call in bands', () => {
  const vae = autoencoderKl(two);
  const params = weightsOf(vae.init(shapesOnly), 'call');

  it('says how far it is, and stops between two bands', async () => {
    const seen: number[] = [];
    const bands = inBands(vae, { pixels: 16 });
    const z = numbersOf('z', [2, 4, 4, 4]);
    let total = 0;
    await bands.decode(params, z, {
      onProgress: ({ done, of }) => {
        seen.push(done);
        total = of;
      },
    });
    expect(seen).toEqual(Array.from({ length: total }, (_, i) => i + 1));
    const stop = new AbortController();
    let calls = 0;
    const onProgress = () => {
      calls++;
      stop.abort(new Error('enough'));
    };
    await expect(bands.decode(params, z, { onProgress, signal: stop.signal })).rejects.toThrow('enough');
    expect(calls).toBe(1);
  });

  it('is refused where it does not fit', async () => {
    expect(() => inBands(vae, { pixels: 0 })).toThrow(UserError);
    expect(() => inBands(vae, { rows: 3 } as never)).toThrow('unknown option: rows');
    expect(() => inBands(autoencoderTiny())).toThrow(UnsupportedError);
    await expect(inBands(vae).decode(params, zeros([1, 3, 4, 4]))).rejects.toThrow('Give [N, 4, h, w].');
    await expect(inBands(vae).encode(params, zeros([1, 3, 1, 4]))).rejects.toThrow('sides of at least 2');
  });
});
