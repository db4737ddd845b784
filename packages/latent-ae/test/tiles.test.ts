import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { autoencoderDc, autoencoderFromConfig, autoencoderKl, autoencoderTiny, decodeInTiles, encodeInTiles } from '@langevin/latent-ae';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { shapesOnly } from '@langevin/nn';
import { numbersOf, weightsOf } from '@langevin/nn/testing';
import { compile, mul, numbers, resize, roll, setDefaultEngine, torchGenerator, UserError, zeros, type Tensor } from '@langevin/tensor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface Sampled {
  readonly shape: readonly number[];
  readonly stride: number;
  readonly values: readonly number[];
}

interface Case {
  readonly name: string;
  readonly config: object;
  readonly sides: readonly [number, number];
  readonly latentSides: readonly [number, number];
  readonly tile: number;
  readonly stride: number;
  readonly moments: Sampled;
  readonly decoded: Sampled;
}

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/tiles.json'), 'utf8')) as {
  readonly tolerance: { readonly output: number };
  readonly cases: readonly Case[];
};

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

const largest = (values: readonly number[]): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

async function distance(a: Tensor, b: Tensor): Promise<number> {
  expect(a.shape).toEqual(b.shape);
  const [left, right] = [await numbers(a), await numbers(b)];
  return largest(left.map((value, i) => value - right[i]!)) / largest(right);
}

async function expectGolden(made: Tensor, expected: Sampled): Promise<void> {
  expect(made.shape).toEqual(expected.shape);
  const values = await numbers(made);
  const worst = largest(expected.values.map((value, i) => values[i * expected.stride]! - value));
  expect(worst).toBeLessThanOrEqual(golden.tolerance.output * largest(expected.values));
}

describe("diffusers' tiles", () => {
  it.each(golden.cases.map((entry) => [entry.name, entry] as const))('%s', async (name, entry) => {
    const vae = autoencoderFromConfig(entry.config);
    const params = weightsOf(vae.init(shapesOnly), name);
    const shared = {
      autoencoder: vae,
      tile: [entry.tile, entry.tile],
      stride: [entry.stride, entry.stride],
      last: 'remainder',
    } as const;
    const encode = compile((tile: Tensor) => {
      const { mode, moments } = vae.encode(params, tile);
      return moments ?? mode;
    });
    const x = numbersOf(`${name}/x`, [2, 3, ...entry.sides]);
    await expectGolden(await encodeInTiles(x, { ...shared, run: encode }), entry.moments);
    const z = numbersOf(`${name}/z`, [1, 4, ...entry.latentSides]);
    const decode = compile((tile: Tensor) => vae.decode(params, tile));
    await expectGolden(await decodeInTiles(z, { ...shared, run: decode }), entry.decoded);
  });
});

/** Rolled by 3 rows and 5 columns, or by so many times more. */
const moveBy = (x: Tensor, times: number): Tensor => roll(roll(x, 3 * times, 2), 5 * times, 3);

/** Every pixel of its own cell: tiles must fit together as if there were none. */
const plain = {
  info: { inputs: 2, channels: 2, factor: [2, 2], scale: 1, shift: 0 },
  latentShape: (shape: readonly number[]) => [shape[0]!, 2, Math.floor(shape[2]! / 2), Math.floor(shape[3]! / 2)],
};
const enlarged = compile((tile: Tensor) => resize(tile, { size: tile.shape.slice(2).map((n) => 2 * n) }));
const reduced = compile((tile: Tensor) => resize(tile, { size: tile.shape.slice(2).map((n) => Math.floor(n / 2)) }));

describe('tiles', () => {
  it.each([
    [4, 5],
    [5, 4],
    [9, 8],
    [16, 3],
    [1, 17],
  ])('of what treats pixels alike give the whole, for latents of %d x %d', async (h, w) => {
    const z = numbersOf('z', [2, 2, h, w]);
    const whole = await enlarged(z);
    for (const [tile, stride] of [
      [4, 3],
      [4, 4],
      [4, 1],
      [1, 1],
      [3, 2],
    ] as const)
      for (const sides of ['ends', 'around'] as const) {
        const options = { autoencoder: plain, tile: [tile, tile], stride: [stride, stride], run: enlarged, sides } as const;
        expect(await distance(await decodeInTiles(z, options), whole), `${tile}/${stride}/${sides}`).toBeLessThan(1e-6);
      }
  });

  it.each([
    [9, 8],
    [17, 10],
    [8, 33],
  ])('of pictures of %d x %d keep the odd remainder', async (height, width) => {
    const sizes: string[] = [];
    const run = (tile: Tensor) => {
      sizes.push(tile.shape.slice(2).join('x'));
      return reduced(tile);
    };
    const x = numbersOf('x', [1, 2, height, width]);
    const made = await encodeInTiles(x, { autoencoder: plain, tile: [4, 4], run });
    expect(made.shape).toEqual(plain.latentShape(x.shape).map((n, i) => (i === 1 ? 2 : n)));
    const smallest = sizes.map((size) => Math.min(...size.split('x').map(Number)));
    expect(Math.min(...smallest)).toBe(8); // one cell more than a tile, and no sliver
  });

  it('of a decoder without norms are exact inside, where a tile sees all that a pixel depends on', async () => {
    const vae = autoencoderTiny({
      encoderBlockOutChannels: [4, 4],
      decoderBlockOutChannels: [4, 4],
      numEncoderBlocks: [0, 0],
      numDecoderBlocks: [0, 0],
    });
    const params = vae.init(torchGenerator(0));
    const run = compile((tile: Tensor) => vae.decode(params, tile));
    const z = numbersOf('z', [1, 4, 10, 12]);
    // What lies around is what lies at the other side: rolling the latent rolls the picture.
    const around = (at: Tensor) => decodeInTiles(at, { autoencoder: vae, tile: [32, 32], run, sides: 'around' });
    const moved = await around(moveBy(z, 1));
    expect(await distance(moved, moveBy(await around(z), 2))).toBeLessThan(1e-5);
    const ends = await decodeInTiles(moveBy(z, 1), { autoencoder: vae, tile: [32, 32], run });
    expect(await distance(ends, moved)).toBeGreaterThan(1e-3);
    // An odd side of this class goes to the larger half.
    const x = numbersOf('x', [1, 3, 21, 23]);
    const encode = compile((tile: Tensor) => vae.encode(params, tile).mode);
    const coded = await encodeInTiles(x, { autoencoder: vae, tile: [6, 6], run: encode });
    expect(coded.shape).toEqual(vae.latentShape(x.shape));
  });

  it('report how far they are, and stop between two', async () => {
    const z = zeros([2, 2, 6, 4]);
    const seen: string[] = [];
    const options = { autoencoder: plain, tile: [4, 4], run: enlarged } as const;
    await decodeInTiles(z, { ...options, onProgress: ({ done, of }) => seen.push(`${done}/${of}`) });
    expect(seen).toEqual(['1/4', '2/4', '3/4', '4/4']);
    const stop = new AbortController();
    let tiles = 0;
    const onProgress = () => {
      tiles++;
      stop.abort(new Error('enough'));
    };
    await expect(decodeInTiles(z, { ...options, onProgress, signal: stop.signal })).rejects.toThrow('enough');
    expect(tiles).toBe(1);
  });

  it('are refused where pixels would be skipped or do not fit', async () => {
    const z = zeros([1, 2, 9, 9]);
    const options = { autoencoder: plain, tile: [4, 4], run: enlarged } as const;
    await expect(decodeInTiles(z, { ...options, stride: [5, 3] })).rejects.toThrow('cells would be skipped: tile=4, stride=5');
    await expect(decodeInTiles(z, { ...options, tile: [4, 0] })).rejects.toThrow('tile[1]=0');
    await expect(decodeInTiles(z, { ...options, tile: [4] as never })).rejects.toThrow('Give two numbers');
    await expect(decodeInTiles(z, { ...options, run: (tile) => Promise.resolve(tile) })).rejects.toThrow(
      'another size than the autoencoder',
    );
    await expect(decodeInTiles(zeros([2, 3]), options)).rejects.toThrow(UserError);
    await expect(decodeInTiles(z, { ...options, tiles: 3 } as never)).rejects.toThrow('unknown option: tiles');
    await expect(encodeInTiles(zeros([1, 2, 9, 8]), { ...options, run: reduced, sides: 'around' })).rejects.toThrow('in whole cells');
    await expect(decodeInTiles(z, { ...options, autoencoder: undefined as never })).rejects.toThrow(
      'whose tiles they are: autoencoder=undefined',
    );
    await expect(decodeInTiles(z, { ...options, run: () => Promise.resolve([1] as never) })).rejects.toThrow(UserError);
    await expect(decodeInTiles([1] as never, options)).rejects.toThrow(UserError);
    const dc = autoencoderDc();
    await expect(encodeInTiles(zeros([1, 3, 33, 64]), { ...options, autoencoder: dc })).rejects.toThrow('multiples of 32');
  });
});

describe('distributions in tiles', () => {
  it('are those of the blended moments', async () => {
    const vae = autoencoderKl({ blockOutChannels: [4], normNumGroups: 2, midBlockAddAttention: false });
    const params = vae.init(torchGenerator(0));
    const x = mul(numbersOf('x', [1, 3, 8, 8]), 0.5);
    const { moments, mode } = vae.encode(params, x);
    expect(moments!.shape).toEqual([1, 8, 8, 8]);
    const run = compile((tile: Tensor) => vae.encode(params, tile).moments!);
    const blended = await encodeInTiles(x, { autoencoder: vae, tile: [8, 8], run });
    expect(await distance(blended, moments!)).toBeLessThan(1e-6);
    expect(mode.shape).toEqual([1, 4, 8, 8]);
  });
});
