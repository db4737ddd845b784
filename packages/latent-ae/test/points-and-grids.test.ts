// Sets of points, and codes on a grid.
import {
  autoencoderTask,
  chamfer,
  codes,
  fsqModel,
  fsqModelFromConfig,
  fsqModelToConfig,
  kl,
  pointSetAutoencoder,
  pointSetAutoencoderFromConfig,
  pointSetAutoencoderToConfig,
  scalarQuantizer,
} from '@langevin/latent-ae';
import { checkReconstructionLoss, checkRegulariser } from '@langevin/latent-ae/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { adam, constantSchedule } from '@langevin/nn';
import { numbersOf } from '@langevin/nn/testing';
import { flip, gradients, mul, numbers, roll, setDefaultEngine, sum, tensor, torchGenerator, type Tensor } from '@langevin/tensor';
import { memoryStore, train } from '@langevin/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

const apart = async (a: Tensor, b: Tensor): Promise<number> => {
  const [x, y] = [await numbers(a), await numbers(b)];
  return Math.max(...x.map((value, i) => Math.abs(value - y[i]!)));
};

describe('chamfer', () => {
  it('keeps what every loss has to keep', async () => checkReconstructionLoss(chamfer(), { shape: [3, 3, 20] }));

  it('is what all pairs say, whatever the order, and 0 for the same set', async () => {
    const [a, b] = [numbersOf('a', [1, 2, 7]), numbersOf('b', [1, 2, 5])];
    const { apply } = chamfer();
    const of = async (target: Tensor, reconstruction: Tensor) => (await numbers(apply({ target, reconstruction })))[0]!;
    const [p, q] = [await numbers(a), await numbers(b)];
    const far = (i: number, j: number): number => (p[i]! - q[j]!) ** 2 + (p[7 + i]! - q[5 + j]!) ** 2;
    const [ofA, ofB] = [
      [0, 1, 2, 3, 4, 5, 6],
      [0, 1, 2, 3, 4],
    ];
    const mean = (list: readonly number[]): number => list.reduce((total, value) => total + value, 0) / list.length;
    const wanted =
      (mean(ofA.map((i) => Math.min(...ofB.map((j) => far(i, j))))) + mean(ofB.map((j) => Math.min(...ofA.map((i) => far(i, j)))))) / 2;
    expect(await of(a, b)).toBeCloseTo(wanted, 5);
    expect(await of(b, a)).toBeCloseTo(wanted, 5);
    expect(await of(flip(a, [2]), b)).toBeCloseTo(wanted, 5);
    expect(await of(a, roll(a, 3, 2))).toBeLessThan(1e-6);
    expect(() => apply({ target: numbersOf('x', [2, 3]), reconstruction: a })).toThrow(
      /\[latent-ae\/chamfer\] these are no sets of points/,
    );
  });
});

describe('a point-set autoencoder', () => {
  const config = { numPoints: 16, numLatents: 2, latentChannels: 2, numAttentionHeads: 2, attentionHeadDim: 8, numLayers: 1 };

  it('does not see the order of points, and sees where they are', async () => {
    const vae = pointSetAutoencoder(config);
    const params = vae.init(torchGenerator(2));
    const x = numbersOf('points', [2, 3, 11]);
    const { mode } = vae.encode(params, x);
    expect(await apart(vae.encode(params, roll(flip(x, [2]), 4, 2)).mode, mode)).toBeLessThan(1e-5);
    expect(await apart(vae.encode(params, mul(x, 1.1)).mode, mode)).toBeGreaterThan(1e-3);
  });

  it('learns rings of several sizes, better than one ring could be', async () => {
    const [n, points] = [8, 16];
    const shape = [n, 2, points];
    const radius = (i: number): number => 0.3 + (0.9 * i) / (n - 1);
    const x = Float32Array.from({ length: n * 2 * points }, (_, k) => {
      const [i, axis, p] = [Math.floor(k / (2 * points)), Math.floor(k / points) % 2, k % points];
      const angle = (2 * Math.PI * p) / points;
      return radius(i) * (axis === 0 ? Math.cos(angle) : Math.sin(angle));
    });
    const task = autoencoderTask({
      ...{ name: 'rings', seed: 3, config: {}, shape, losses: [chamfer()], regulariser: kl({ weight: 1e-6 }) },
      autoencoder: pointSetAutoencoder({ ...config, inChannels: 2 }),
      learner: { optimizer: adam(), learningRate: constantSchedule(5e-3) },
      batch: async () => ({ x, shape, next: { epoch: 0, index: 0 }, items: [] }),
    });
    const errors: number[] = [];
    for await (const event of train(task, { store: memoryStore(), steps: 150, logEvery: 1, checkpointEvery: 150 }))
      if (event.kind === 'step') errors.push(event.losses['reconstruction']!);
    // One ring at the middle radius: both ways the squared distance of radii, for each of two coordinates.
    const middle = 0.75;
    const best = Array.from({ length: n }, (_, i) => (radius(i) - middle) ** 2).reduce((total, each) => total + each, 0) / n;
    expect(errors[0]!).toBeGreaterThan(best);
    expect(errors.at(-1)!).toBeLessThan(best / 2);
  });

  it('is its configuration', () => {
    const stored = pointSetAutoencoderToConfig({ ...config, scalingFactor: 2 });
    expect(pointSetAutoencoderFromConfig(stored).info).toEqual({ inputs: 3, channels: 2, factor: [8], scale: 2, shift: 0 });
    expect(() => pointSetAutoencoder({ numPoints: 10, numLatents: 4 })).toThrow(/points are no multiple of the tokens/);
  });
});

describe('finite scalar quantisation', () => {
  it.each([[[3, 4, 5]], [[8, 5, 5, 5]], [[7]]])('of %j levels: index to code to index is where it began, for all', async (levels) => {
    const { count, look, indicesOf } = scalarQuantizer(levels);
    expect(count).toBe(levels.reduce((a, b) => a * b, 1));
    const all = tensor(
      Int32Array.from({ length: count }, (_, i) => i),
      { dtype: 'int32', shape: [1, count] },
    );
    const code = look(all);
    expect(code.shape).toEqual([1, levels.length, count]);
    expect(await numbers(indicesOf(code))).toEqual(await numbers(all));
    // Each channel has exactly its levels, evenly far apart, in [-1, 1].
    const values = await numbers(code);
    levels.forEach((level, c) => {
      const seen = [...new Set(values.slice(c * count, (c + 1) * count))].sort((a, b) => a - b);
      expect(seen.length).toBe(level);
      seen.forEach((value, k) => expect(value).toBeCloseTo((k - Math.floor(level / 2)) / Math.floor(level / 2), 5));
    });
  });

  it('reaches every level and no other, and lets the gradient of the bound through', async () => {
    const levels = [4, 5];
    const { quantize, look } = scalarQuantizer(levels);
    const wide = tensor(
      Float32Array.from({ length: 2 * 401 }, (_, k) => ((k % 401) - 200) / 20),
      { shape: [1, 2, 401] },
    );
    const { latent, indices, loss } = quantize(wide);
    const values = await numbers(latent);
    levels.forEach((level, c) => expect(new Set(values.slice(c * 401, (c + 1) * 401)).size).toBe(level));
    expect(await apart(look(indices), latent)).toBeLessThan(1e-6);
    expect(await numbers(loss)).toEqual([0]);
    const z = tensor([0.4, -0.3], { shape: [1, 2, 1] });
    const [slope] = gradients([sum(quantize(z).latent)], [z]) as [Tensor];
    // d/dz (tanh(z + shift) (L - 1) (1 + 1e-3) / 2) / floor(L / 2), with shift where an even number of levels has its middle at 0.
    const wanted = [
      [0.4, 4, 0.5],
      [-0.3, 5, 0],
    ].map(([at, level, offset]) => {
      const reach = ((level! - 1) * 1.001) / 2;
      return ((1 - Math.tanh(at! + Math.atanh(offset! / reach)) ** 2) * reach) / Math.floor(level! / 2);
    });
    (await numbers(slope)).forEach((value, i) => expect(value).toBeCloseTo(wanted[i]!, 5));
  });

  it('is an autoencoder with codes, and without a book', async () => {
    const config = { blockOutChannels: [4], normNumGroups: 2, levels: [4, 3], midBlockAddAttention: false };
    const fsq = fsqModel(config);
    const params = fsq.init(torchGenerator(4));
    await checkRegulariser(codes(), { autoencoder: fsq });
    const { latent, indices } = fsq.quantize(params, mul(numbersOf('z', [1, 2, 4, 4]), 2));
    expect(await apart(fsq.decodeIndices(params, indices), fsq.decodeQuantized(params, latent))).toBeLessThan(1e-5);
    expect([fsq.codes, fsq.book]).toEqual([12, undefined]);
    expect(fsqModelFromConfig(fsqModelToConfig({ ...config, scalingFactor: 2 })).info.scale).toBe(2);
    expect(() => fsqModel({ levels: [1000, 1000, 1000] })).toThrow(/there are too many codes/);
  });
});
