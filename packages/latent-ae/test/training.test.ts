import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  autoencoderFromConfig,
  autoencoderKl,
  autoencoderTask,
  codes,
  emaCodes,
  kl,
  l1,
  l2,
  none,
  patchDiscriminator,
  vqModel,
  type AutoencoderBatch,
  type AutoencoderTaskOptions,
} from '@langevin/latent-ae';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { adam, constantDecay, constantSchedule, sgd } from '@langevin/nn';
import { numbersOf, projected, weightsOf } from '@langevin/nn/testing';
import {
  float32Data,
  mul,
  namedTensors,
  numbers,
  setDefaultEngine,
  sub,
  tensor,
  torchGenerator,
  type Generator,
  type Tensor,
} from '@langevin/tensor';
import { memoryStore, train, type StepPoint } from '@langevin/training';
import { checkTask } from '@langevin/training/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

interface TwinCase {
  readonly name: string;
  readonly config: object;
  readonly logged: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, readonly [number, number]>>;
  readonly discriminatorSteps?: Readonly<Record<string, readonly [number, number]>>;
  readonly running?: Readonly<Record<string, { readonly mean: readonly number[]; readonly var: readonly number[] }>>;
}

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'golden/training-step.json'), 'utf8')) as {
  readonly rate: number;
  readonly tolerance: { readonly logged: number; readonly steps: number };
  readonly cases: readonly TwinCase[];
};

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

const shape = [2, 3, 16, 16];
const HOW = {
  kl: { regulariser: kl({ weight: 1e-2 }), losses: [l1()], variance: 'learned', weight: 0.5, r1: 0 },
  codes: { regulariser: codes(), losses: [l2()], variance: 'fixed', weight: 0.75, r1: 3 },
  alone: { regulariser: kl({ weight: 1 }), losses: [l2()], variance: 'fixed' },
} as const;

/** A place in a run whose draws are given. */
const place = (normal: () => Float32Array): StepPoint => ({
  step: 0,
  stream: () => ({ epoch: 0, index: 0 }),
  random: () => ({ ...torchGenerator(0), normal }) as Generator,
});

describe('a step beside PyTorch', () => {
  it.each(golden.cases.map((entry) => [entry.name, entry] as const))('%s: losses, and what moves by how much', async (name, entry) => {
    const how = HOW[name as keyof typeof HOW];
    const autoencoder = autoencoderFromConfig(entry.config);
    const learner = { optimizer: sgd(), learningRate: constantSchedule(golden.rate) };
    const network = patchDiscriminator({ inputs: 3, channels: 4, layers: 1 });
    const x = await float32Data(numbersOf(`${name}/x`, shape));
    const noise = await float32Data(numbersOf(`${name}/posterior`, autoencoder.latentShape(shape)));
    const initial = weightsOf(autoencoder.init(torchGenerator(0)), name);
    const task = autoencoderTask({
      ...{ name: 'twin', seed: 0, config: {}, autoencoder, initial, learner, shape },
      ...{ regulariser: how.regulariser, losses: how.losses, variance: how.variance },
      ...('weight' in how && { discriminator: { network, learner, weight: how.weight, r1: how.r1 } }),
      batch: async (): Promise<AutoencoderBatch> => ({ x, shape, next: { epoch: 0, index: 2 }, items: [0, 1] }),
    });
    const begun = await task.init();
    const critic = begun.discriminator && {
      ...begun.discriminator,
      params: weightsOf(begun.discriminator.params, `${name}/discriminator`),
    };
    const before = { autoencoder: begun.autoencoder.params, discriminator: critic?.params };
    const kept = await mapped(before);
    const { state, losses, measures } = await task.step(
      { ...begun, ...(critic && { discriminator: critic }) },
      place(() => noise),
    );
    const logged: Readonly<Record<string, number>> = { ...losses, ...measures };
    for (const [key, value] of Object.entries(entry.logged))
      expect(Math.abs(logged[key]! / value - 1), key).toBeLessThan(golden.tolerance.logged);
    const after = namedTensors({ autoencoder: state.autoencoder.params, discriminator: state.discriminator?.params });
    const wanted = Object.entries({
      ...Object.fromEntries(
        Object.entries(entry.steps).map(([key, value]) => [
          key === 'logVariance' ? 'autoencoder.logVariance' : `autoencoder.autoencoder.${key}`,
          [key, value] as const,
        ]),
      ),
      ...Object.fromEntries(
        Object.entries(entry.discriminatorSteps ?? {}).map(([key, value]) => [
          `discriminator.${key}`,
          [`discriminator/${key}`, value] as const,
        ]),
      ),
    });
    expect(wanted.length).toBeGreaterThan(80);
    for (const [place, [key, [product, norm]]] of wanted) {
      const step = sub(after.get(place)!, kept.get(place)!);
      const [madeProduct = NaN, madeNorm = NaN] = await numbers(projected(name, key, step));
      // A step is a difference of float32 weights: of those that hardly move, rounding is what is left.
      const rounding = 1e-7 * Math.sqrt(step.size);
      expect(Math.abs(madeProduct - product), place).toBeLessThan(golden.tolerance.steps * norm + 3 * rounding);
      expect(Math.abs(madeNorm - norm), place).toBeLessThan(golden.tolerance.steps * norm + 3 * rounding);
    }
    const { norms = [] } = state.discriminator?.buffers ?? {};
    for (const [i, { mean, var: variance }] of Object.entries(entry.running ?? {})) {
      const { running_mean, running_var } = norms[Number(i)]!;
      expectClose(await numbers(running_mean), mean);
      expectClose(await numbers(running_var), variance);
    }
  });
});

const expectClose = (made: readonly number[], wanted: readonly number[]): void => {
  made.forEach((value, i) => expect(Math.abs(value - wanted[i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(wanted[i]!))));
};

/** Copies, since a step may overwrite what it is given. */
async function mapped(tree: unknown): Promise<ReadonlyMap<string, Tensor>> {
  const copies = new Map<string, Tensor>();
  for (const [name, x] of namedTensors(tree)) copies.set(name, tensor(Float32Array.from(await float32Data(x)), { shape: x.shape }));
  return copies;
}

const tiny = {
  blockOutChannels: [4, 4],
  downBlockTypes: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
  upBlockTypes: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
  normNumGroups: 2,
  layersPerBlock: 1,
  midBlockAddAttention: false,
} as const;

const common = {
  name: 'test',
  seed: 3,
  config: {},
  losses: [l1()],
  learner: { optimizer: adam(), learningRate: constantSchedule(1e-3), averages: { average: constantDecay(0.9) } },
  shape,
  batch: async ({ epoch, index }) => ({
    x: await float32Data(numbersOf(`batch ${epoch} ${index}`, shape)),
    shape,
    next: { epoch, index: index + 2 },
    items: [index],
  }),
} satisfies Partial<AutoencoderTaskOptions<unknown, unknown>>;

const discriminator = {
  network: patchDiscriminator({ inputs: 3, channels: 4, layers: 1 }),
  learner: { optimizer: adam({ beta1: 0.5 }), learningRate: constantSchedule(1e-3) },
} as const;

describe('a run', () => {
  it('is the same bytes however it is interrupted, with a discriminator that joins later and a book that follows latents', async () => {
    const make = () =>
      autoencoderTask({
        ...common,
        autoencoder: vqModel({
          blockOutChannels: [4],
          normNumGroups: 2,
          midBlockAddAttention: false,
          numVqEmbeddings: 8,
          latentChannels: 2,
        }),
        regulariser: emaCodes({ decay: 0.8 }),
        discriminator: { ...discriminator, from: 1 },
      });
    await checkTask(make, { steps: 3 });
  });

  it('is told nothing by a discriminator before its first step', async () => {
    const last = async (from: number | undefined) => {
      const task = autoencoderTask({
        ...common,
        autoencoder: autoencoderKl(tiny),
        regulariser: kl(),
        ...(from !== undefined && { discriminator: { ...discriminator, from } }),
      });
      for await (const event of train(task, { store: memoryStore(), steps: 2 }))
        if (event.kind === 'done') return numbers(namedTensors(event.state.autoencoder.params).get('autoencoder.decoder.conv_out.weight')!);
      throw new Error('no end');
    };
    const alone = await last(undefined);
    expect(await last(2)).toEqual(alone);
  });

  it('does not care how large the verdict is, where gradients are balanced', async () => {
    const moved = async (scale: number, balance: 'last-layer' | 'none') => {
      const network = discriminator.network;
      const task = autoencoderTask({
        ...common,
        learner: { optimizer: sgd(), learningRate: constantSchedule(1e-3) },
        autoencoder: autoencoderKl(tiny),
        regulariser: none(),
        discriminator: {
          learner: { optimizer: sgd(), learningRate: constantSchedule(1e-3) },
          balance,
          network: {
            ...network,
            apply: (params, x, given) => {
              const { logits, buffers } = network.apply(params, x, given);
              return { logits: mul(logits, scale), buffers };
            },
          },
        },
      });
      const { state } = await task.step(
        await task.init(),
        place(() => new Float32Array()),
      );
      return numbers(namedTensors(state.autoencoder.params).get('autoencoder.encoder.conv_in.weight')!);
    };
    const apart = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((v, i) => Math.abs(v - b[i]!)));
    // Large enough for the floor under the gradient to matter little: what is left is what it does.
    const [small, tenfold] = [await moved(100, 'last-layer'), await moved(1000, 'last-layer')];
    const [plain, more] = [await moved(100, 'none'), await moved(1000, 'none')];
    expect(apart(plain, more)).toBeGreaterThan(1e-4);
    expect(apart(small, tenfold)).toBeLessThan(0.01 * apart(plain, more));
  });

  it('brings codes back that nobody uses, and makes codes the means of latents', async () => {
    const autoencoder = vqModel({ ...tiny, numVqEmbeddings: 16, latentChannels: 2 });
    const task = autoencoderTask({ ...common, autoencoder, regulariser: emaCodes({ decay: 0.5, reviveBelow: 0.5 }) });
    const used: number[] = [];
    for await (const event of train(task, { store: memoryStore(), steps: 12, logEvery: 1 }))
      if (event.kind === 'step') used.push(event.measures?.['perplexity']!);
    expect(used.at(-1)!).toBeGreaterThan(used[0]!);
    expect(used.at(-1)!).toBeGreaterThan(3);
  });
});

describe('options', () => {
  it.each([
    [
      'a regulariser that wants codes',
      { autoencoder: autoencoderKl(tiny), regulariser: codes() },
      /\[latent-ae\/codes\] regulariser does not fit.*no codes/,
    ],
    ['one that wants a divergence', { autoencoder: vqModel(tiny), regulariser: kl() }, /\[latent-ae\/kl\] .*no divergence/],
    ['no losses', { autoencoder: autoencoderKl(tiny), regulariser: kl(), losses: [] }, /\[latent-ae\/task\].*losses/],
    ['no shape', { autoencoder: autoencoderKl(tiny), regulariser: kl(), shape: [0] as number[] }, /shape/],
    [
      'a weight below 0',
      { autoencoder: autoencoderKl(tiny), regulariser: kl(), discriminator: { ...discriminator, weight: -1 } },
      /weight=-1/,
    ],
    [
      'sides that do not come back',
      { autoencoder: autoencoderKl(tiny), regulariser: kl(), shape: [2, 3, 15, 16] },
      /another shape.*multiples of 2, 2/,
    ],
    [
      'pictures too small for the discriminator',
      { autoencoder: autoencoderKl(tiny), regulariser: kl(), shape: [2, 3, 2, 2], discriminator },
      /conv/,
    ],
  ])('%s: refused before anything is made', (_, options, message) => {
    expect(() => autoencoderTask({ ...common, ...options } as never)).toThrow(message);
  });
});
