import { edm2 } from '@langevin/backbones';
import { defineNetwork } from '@langevin/core';
import { diffusionTask, learnedUncertainty, noiseRecipe, type DiffusionBatch } from '@langevin/diffusion';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { adam, forceFilterNorms, inverseSqrtSchedule, withWarmUp } from '@langevin/nn';
import {
  abs,
  compile,
  concat,
  counterGenerator,
  max,
  mean,
  mul,
  namedTensors,
  numbers,
  reshape,
  scalar,
  setDefaultEngine,
  sqrt,
  square,
  sub,
  tensor,
  type Tensor,
  type Untraced,
} from '@langevin/tensor';
import { memoryStore, train } from '@langevin/training';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 60_000 });
beforeAll(async () => setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 })));
afterAll(() => setDefaultEngine(undefined));

interface Position {
  readonly epoch: number;
  readonly index: number;
}

/** EDM2's rate: a short rise, constant, then the inverse root of the step. */
const rateOf = (peak: number, flatSteps: number) => withWarmUp(inverseSqrtSchedule({ peak, flatSteps }), 20);

test('u(sigma) learns the log of the loss at each level', async () => {
  // A network that answers 0, on data that is 0: the target is -cSkip sigma noise / cOut, of mean square 0.25 / (sigma^2 + 0.25).
  const nothing = defineNetwork({
    init: () => ({ w: scalar(0) }),
    apply: ({ w }: { readonly w: Tensor }, x: Tensor) => mul(mul(x, w), 0),
    info: { channels: 1, outChannels: 1, outputs: ['prediction'], axes: 'l', size: null, multiple: 1, time: 'sigma', conditions: {} },
  });
  const uncertain = learnedUncertainty(nothing);
  const task = diffusionTask({
    ...uncertain,
    ...{ name: 'nothing', seed: 1, config: {} },
    noise: noiseRecipe({ levels: { name: 'log-normal', mean: -0.4, std: 1 } }),
    learner: { optimizer: adam({ beta2: 0.99 }), learningRate: rateOf(0.1, 100) },
    batch: ({ epoch, index }: Position): Promise<DiffusionBatch> =>
      Promise.resolve({ x0: new Float32Array(64 * 64), shape: [64, 1, 64], next: { epoch, index: index + 1 }, items: [index] }),
  });
  const sigmas = [0.2, 0.5, 1, 2];
  let last: readonly number[] = [];
  for await (const event of train(task, { store: memoryStore(), steps: 600 })) {
    if (event.kind !== 'done') continue;
    const cNoise = tensor(sigmas.map((sigma) => Math.log(sigma) / 4));
    last = await numbers(uncertain.logVariance(event.state.network.params, cNoise));
  }
  sigmas.forEach((sigma, i) => expect(Math.abs(last[i]! - Math.log(0.25 / (sigma ** 2 + 0.25))), `sigma ${sigma}`).toBeLessThan(0.1));
});

test('EDM2 trains: each filter has the length sqrt(fan in) after each of 500 steps, and the loss goes down', async () => {
  const network = edm2({
    ...{ sampleSize: 4, inChannels: 1, modelChannels: 8, channelMultipliers: [1], layersPerBlock: 1 },
    ...{ attentionSizes: [], attentionHeadDim: 8 },
  });
  const task = diffusionTask({
    ...learnedUncertainty(network, { channels: 16 }),
    ...{ name: 'edm2', seed: 2, config: {} },
    noise: noiseRecipe({ levels: { name: 'log-normal', mean: -0.4, std: 1 } }),
    learner: { optimizer: adam({ beta2: 0.99 }), learningRate: rateOf(0.01, 200), project: forceFilterNorms },
    // Stripes, up or down: two pictures.
    batch: ({ epoch, index }: Position): Promise<DiffusionBatch> => {
      const signs = counterGenerator({ seed: 3, stream: [index] }).uniform(8);
      const x0 = Float32Array.from({ length: 8 * 16 }, (_, k) => (k % 2 === 0 ? 0.5 : -0.5) * (signs[Math.floor(k / 16)]! < 0.5 ? -1 : 1));
      return Promise.resolve({ x0, shape: [8, 1, 4, 4], next: { epoch, index: index + 1 }, items: [index] });
    },
  });
  const farthest = compile((params: unknown) => {
    const filters = [...namedTensors(params)].filter(([name]) => name.endsWith('.filters')).map(([, each]) => each);
    const lengths = filters.map((each) => sqrt(mean(square(reshape(each, [each.shape[0]!, -1])), { axes: 1 })));
    return max(abs(sub(concat(lengths, 0), 1)));
  });
  const watched: typeof task = {
    ...task,
    async step(state, at) {
      const result = await task.step(state, at);
      const [far] = await numbers(await farthest(result.state.network.params as Untraced<unknown>));
      worst.push(far!);
      return result;
    },
  };
  const worst: number[] = [];
  const losses: number[] = [];
  for await (const event of train(watched, { store: memoryStore(), steps: 500 }))
    if (event.kind === 'step') losses.push(event.losses['denoising']!);
  // A run takes one step after its last, which is not kept, to judge the weights of the last.
  expect(worst).toHaveLength(500 + 1);
  // A projection divides by the length and epsilon = 1e-4: fresh filters may have a third of the length, all later ones nearly the whole.
  expect(worst[0]).toBeLessThan(3e-4);
  expect(Math.max(...worst.slice(2))).toBeLessThan(1.2e-4);
  const average = (list: readonly number[]): number => list.reduce((sum, value) => sum + value, 0) / list.length;
  expect(average(losses.slice(-50))).toBeLessThan(0.5 * average(losses.slice(0, 10)));
});

test('a learned variance has no such u', () => {
  const network = defineNetwork({
    init: () => ({ w: scalar(0) }),
    apply: ({ w }: { readonly w: Tensor }, x: Tensor) => mul(concat([x, x], 1), w),
    info: {
      ...{
        channels: 1,
        outChannels: 2,
        outputs: ['prediction', 'variance'],
        axes: 'l',
        size: null,
        multiple: 1,
        time: 'index',
        conditions: {},
      },
    } as const,
  });
  const make = () =>
    diffusionTask({
      ...learnedUncertainty(network),
      ...{ name: 'both', seed: 1, config: {} },
      noise: noiseRecipe({ process: { name: 'discrete-vp' }, variance: 'learned' }),
      learner: { optimizer: adam(), learningRate: rateOf(0.1, 10) },
      batch: () => Promise.reject(new Error('not reached')),
    });
  expect(make).toThrow('[diffusion/task] uncertainty of the noise level is learned of a denoising loss alone: variance=learned');
});
