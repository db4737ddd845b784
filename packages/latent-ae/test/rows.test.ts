// What the rows of the systems say that a fake would not keep.
import {
  autoencoderKl,
  autoencoderTask,
  codes,
  gaussianPosterior,
  kl,
  l2,
  patchDiscriminator,
  perplexity,
  usage,
  vqModel,
  type AutoencoderBatch,
} from '@langevin/latent-ae';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { adam, constantSchedule } from '@langevin/nn';
import { numbersOf } from '@langevin/nn/testing';
import {
  add,
  concat,
  float32Data,
  gradients,
  item,
  mul,
  numbers,
  reshape,
  setDefaultEngine,
  slice,
  square,
  sub,
  sum,
  tensor,
  torchGenerator,
  type Tensor,
} from '@langevin/tensor';
import { memoryStore, train } from '@langevin/training';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

describe('vq-reg', () => {
  const vq = vqModel({ blockOutChannels: [4], normNumGroups: 2, latentChannels: 2, numVqEmbeddings: 8, midBlockAddAttention: false });
  const params = vq.init(torchGenerator(3));
  const [places, channels] = [2 * 3 * 4, 2];

  it.each([
    ['corrected', 0.25],
    ['legacy', 1],
  ] as const)("%s: the encoder's gradient is the decoder's, and 2 beta (z - z_q) / n", async (placement, weight) => {
    const z = numbersOf('z', [2, 2, 3, 4]);
    const cotangent = numbersOf('g', [2, 2, 3, 4]);
    const { latent, loss } = vq.quantize(params, z, { beta: 0.25, placement });
    const [made] = gradients([add(sum(mul(latent, cotangent)), loss)], [z]) as [Tensor];
    const wanted = add(cotangent, mul(sub(z, latent), (2 * weight) / (places * channels)));
    const apart = await numbers(sub(made, wanted));
    expect(Math.max(...apart.map(Math.abs))).toBeLessThan(1e-6);
  });

  it('an index is the index of its code, and codes in use are between one and all', async () => {
    const { indices } = vq.quantize(params, numbersOf('z', [2, 2, 3, 4]));
    const book = params.quantize.embedding.weight;
    const known = tensor(
      Int32Array.from({ length: 8 }, (_, i) => i),
      { dtype: 'int32', shape: [1, 2, 4] },
    );
    const { latent } = vq.quantize(params, codeOf(book, known));
    expect(await numbers(vq.quantize(params, latent).indices)).toEqual(await numbers(known));
    const used = await item(perplexity(indices, 8));
    expect(used).toBeGreaterThanOrEqual(1);
    expect(used).toBeLessThanOrEqual(8);
    expect(await item(perplexity(tensor([3, 3, 3], { dtype: 'int32' }), 8))).toBeCloseTo(1, 5);
    expect(await item(sum(usage(indices, 8)))).toBeCloseTo(1, 6);
  });

  it('with codes at the means of their latents the pull on the book vanishes', async () => {
    // Two clouds around two codes, each with the code as its mean.
    const offsets = numbersOf('cloud', [1, 2, 1, 8]);
    const cloud = concat([offsets, mul(offsets, -1)], 3);
    const centre = (x: number): Tensor => tensor([x, -x], { shape: [1, 2, 1, 1] });
    const z = concat([add(mul(cloud, 0.1), centre(5)), add(mul(cloud, 0.1), centre(-5))], 3);
    const two = vqModel({ blockOutChannels: [4], normNumGroups: 2, latentChannels: 2, numVqEmbeddings: 2, midBlockAddAttention: false });
    const weight = tensor([5, -5, -5, 5], { shape: [2, 2] });
    const { loss } = two.quantize({ ...two.init(torchGenerator(0)), quantize: { embedding: { weight } } }, z);
    const [pull] = gradients([loss], [weight]) as [Tensor];
    expect(Math.max(...(await numbers(pull)).map(Math.abs))).toBeLessThan(1e-6);
  });

  /** Rows of the book at indices [1, h, w], as a latent [1, size, h, w]. */
  function codeOf(book: Tensor, indices: Tensor): Tensor {
    const [, h, w] = indices.shape as readonly [number, number, number];
    const rows = Array.from({ length: h * w }, (_, i) => slice(book, { 0: { start: i, stop: i + 1 } }));
    const all = concat(rows, 0);
    const channel = (c: number): Tensor => slice(all, { 1: { start: c, stop: c + 1 } });
    return concat(
      [0, 1].map((c) => reshape(channel(c), [1, 1, h, w])),
      1,
    );
  }
});

describe('kl-reg', () => {
  it('the divergence in closed form is that of drawn latents', async () => {
    const moments = concat([numbersOf('mean', [1, 3, 1, 1]), mul(numbersOf('log variance', [1, 3, 1, 1]), 0.7)], 1);
    const { divergence, sample, mode } = gaussianPosterior(moments);
    const logVariance = slice(moments, { 1: { start: 3, stop: 6 } });
    const count = 200_000;
    const noise = tensor(torchGenerator(5).normal(3 * count), { shape: [count, 3, 1, 1] });
    const z = sample(noise);
    // log q(z) - log p(z) of each draw.
    const ratio = mul(sub(sub(square(z), square(noise)), logVariance), 0.5);
    const estimate = (await item(sum(ratio))) / count;
    expect(mode.shape).toEqual([1, 3, 1, 1]);
    expect(Math.abs(estimate - (await item(sum(divergence!))))).toBeLessThan(0.01 * Math.max(1, Math.abs(estimate)));
  });

  it('the divergence of latents falls with its weight', async () => {
    const shape = [4, 1, 4, 4];
    const x = await float32Data(numbersOf('data', shape));
    const trained = async (weight: number): Promise<number> => {
      const task = autoencoderTask({
        ...{ name: 'weak', seed: 1, config: {}, shape, losses: [l2()], regulariser: kl({ weight }) },
        autoencoder: autoencoderKl({
          ...{ blockOutChannels: [4], normNumGroups: 2, latentChannels: 2, midBlockAddAttention: false, layersPerBlock: 1 },
          ...{ inChannels: 1, outChannels: 1 },
        }),
        learner: { optimizer: adam(), learningRate: constantSchedule(0.01) },
        batch: async (): Promise<AutoencoderBatch> => ({ x, shape, next: { epoch: 0, index: 0 }, items: [] }),
      });
      let last = NaN;
      for await (const event of train(task, { store: memoryStore(), steps: 50, logEvery: 1 }))
        if (event.kind === 'step') last = event.measures?.['kl'] ?? NaN;
      return last;
    };
    const [weak, middle, strong] = [await trained(1e-6), await trained(0.1), await trained(10)];
    expect(middle).toBeLessThan(weak);
    expect(strong).toBeLessThan(middle);
    // A strong one makes the posterior the prior.
    expect(strong / 32).toBeLessThan(0.05);
  });
});

describe('patch-disc', () => {
  it.each([
    [1, 16],
    [2, 34],
    [3, 70],
  ])('%i layers: one logit sees a square of exactly %i pixels', async (layers, side) => {
    const net = patchDiscriminator({ inputs: 1, channels: 2, layers });
    expect(net.receptiveField).toBe(side);
    const size = 96;
    const x = numbersOf('x', [1, 1, size, size]);
    // By running statistics: those of the batch would couple all pixels.
    const { logits } = net.apply(net.init(torchGenerator(1)), x, { buffers: net.buffers(), statistics: 'running' });
    const [, , h, w] = logits.shape as readonly [number, number, number, number];
    const one = slice(logits, { 2: { start: h >> 1, stop: (h >> 1) + 1 }, 3: { start: w >> 1, stop: (w >> 1) + 1 } });
    const [slope] = gradients([sum(one)], [x]) as [Tensor];
    const seen = (await numbers(slope)).map((value) => value !== 0);
    const rows = Array.from({ length: size }, (_, y) => seen.slice(y * size, (y + 1) * size).some(Boolean));
    const columns = Array.from({ length: size }, (_, c) => rows.some((_row, y) => seen[y * size + c]));
    expect(rows.filter(Boolean).length).toBe(side);
    expect(columns.filter(Boolean).length).toBe(side);
    expect(rows.lastIndexOf(true) - rows.indexOf(true) + 1).toBe(side);
  });
});

describe('ldm-ae', () => {
  it('moves what it draws by as much as what it is shown moves, in multiples of its factor', async () => {
    const vae = autoencoderKl({
      ...{ blockOutChannels: [4, 4], normNumGroups: 2, layersPerBlock: 1, midBlockAddAttention: false },
      downBlockTypes: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
      upBlockTypes: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
    });
    const params = vae.init(torchGenerator(2));
    const size = 160;
    // A spot on an empty ground, far from the borders: norms see the same numbers wherever it lies.
    const spot = (at: number): Tensor => {
      const data = new Float32Array(3 * size * size);
      for (let c = 0; c < 3; c += 1)
        for (let y = 0; y < 6; y += 1)
          for (let x = 0; x < 6; x += 1) data[(c * size + at + y) * size + at + x] = Math.sin(1 + c + 3 * y + 7 * x);
      return tensor(data, { shape: [1, 3, size, size] });
    };
    const drawn = async (at: number): Promise<readonly number[]> => numbers(vae.decode(params, vae.encode(params, spot(at)).mode));
    const [here, there] = [await drawn(76), await drawn(78)];
    expect(vae.info.factor).toEqual([2, 2]);
    let apart = 0;
    let inside = 0;
    for (let c = 0; c < 3; c += 1)
      for (let y = 60; y < 100; y += 1)
        for (let x = 60; x < 100; x += 1) {
          const value = here[(c * size + y) * size + x]!;
          apart = Math.max(apart, Math.abs(value - there[(c * size + y + 2) * size + x + 2]!));
          inside = Math.max(inside, Math.abs(value - here[(c * size + 60) * size + 60]!));
        }
    expect(inside).toBeGreaterThan(0.01);
    expect(apart).toBeLessThan(1e-4 * Math.max(1, inside));
  });

  it('codes are the regulariser of a model with codes alone', () => {
    expect(codes().misfit!(vqModel() as never, {} as never)).toBeUndefined();
  });
});
