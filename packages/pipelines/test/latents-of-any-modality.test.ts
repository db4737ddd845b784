// One second stage, which knows no autoencoder: what is diffused over latents of pictures, sequences, clips and points is the same code.
import type { Autoencoder, Network } from '@langevin/core';
import { bindCondition, defineNetwork } from '@langevin/core';
import { tensorAlgebra } from '@langevin/core-schedules';
import { diffusionTask, networkDenoiser, noiseRecipe } from '@langevin/diffusion';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { defineSource } from '@langevin/io';
import {
  autoencoderKl,
  clipAutoencoder,
  fsqModel,
  latentStatistics,
  pointSetAutoencoder,
  scaledLatents,
  sequenceAutoencoder,
  unscaledLatents,
} from '@langevin/latent-ae';
import { adam, constantDecay, constantSchedule, linear, normal, perItem, sinusoidalEmbedding, transformerBlock } from '@langevin/nn';
import { latentBatches, usualSampler, usualSpacing, type EncodedPicture } from '@langevin/pipelines';
import { imageNoise, sample, startState } from '@langevin/samplers';
import {
  add,
  counterGenerator,
  float32Data,
  mean,
  numbers,
  reshape,
  setDefaultEngine,
  std,
  swapAxes,
  tensor,
  torchGenerator,
  zeros,
  type Generator,
  type Tensor,
} from '@langevin/tensor';
import { memoryStore, train } from '@langevin/training';
import { afterAll, beforeAll, expect, it } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
beforeAll(() => setDefaultEngine(engine));
afterAll(() => setDefaultEngine(undefined));

const ITEMS = 24;
const BATCH = 8;
const SAMPLES = 16;
const WIDTH = 16;
/** By how many axes a latent has behind its channels. */
const AXES = { 1: 'l', 2: 'hw', 3: 'thw' } as const;

/** A transformer over the cells of a latent of any shape [N, channels, ...]. */
function cellNetwork([, channels, ...sides]: readonly [number, number, ...number[]]): Network<unknown> {
  const cells = sides.reduce((product, side) => product * side, 1);
  const [into, out] = [linear({ inputs: channels, outputs: WIDTH }), linear({ inputs: WIDTH, outputs: channels })];
  const block = transformerBlock({ channels: WIDTH, heads: 2, contextChannels: null });
  const network = defineNetwork({
    info: {
      ...{ channels, outChannels: channels, outputs: ['prediction'], size: null, multiple: 1, time: 'sigma', conditions: {} },
      axes: AXES[sides.length as 1 | 2 | 3],
    } as const,
    init: (generator: Generator) => ({
      into: into.init(generator),
      places: normal({ deviation: 1 })(generator, [cells, WIDTH]),
      block: block.init(generator),
      out: out.init(generator),
    }),
    apply(params, x: Tensor, time: Tensor) {
      const tokens = swapAxes(reshape(x, [x.shape[0]!, channels, cells]), 1, 2);
      const when = sinusoidalEmbedding(perItem(time, x.shape[0]!, 'time'), { size: WIDTH });
      const h = add(add(into.apply(params.into, tokens), params.places), reshape(when, [x.shape[0]!, 1, WIDTH]));
      return reshape(swapAxes(out.apply(params.out, block.apply(params.block, h, {})), 1, 2), x.shape);
    },
  });
  return network as Network<unknown>;
}

/** Encode once, measure, diffuse, sample, decode: the whole second stage over whatever it is given. */
async function secondStage(autoencoder: Autoencoder<unknown>, shape: readonly number[]) {
  const params = autoencoder.init(torchGenerator(1));
  const size = shape.reduce((product, side) => product * side, 1);
  // What all items have in common, and what is each item's own.
  const common = counterGenerator({ seed: 1, stream: [0] }).normal(size);
  const data = Float32Array.from(counterGenerator({ seed: 1, stream: [1] }).normal(ITEMS * size), (z, k) => common[k % size]! + 0.4 * z);
  const posterior = autoencoder.encode(params, tensor(data, { shape: [ITEMS, ...shape] }));
  const kind = posterior.moments === undefined ? 'mode' : 'moments';
  const stored = posterior.moments ?? posterior.mode;
  const latentShape = autoencoder.latentShape([ITEMS, ...shape]);
  const modes = await float32Data(posterior.mode);
  const views = await float32Data(stored);
  const meter = latentStatistics();
  meter.add(modes, latentShape);
  const measured = meter.result();
  const info = { scale: measured.std.map((deviation) => 1 / deviation), shift: measured.mean };

  const each = views.length / ITEMS;
  const source = defineSource<EncodedPicture>({
    name: 'latents',
    length: ITEMS,
    load: (i) => ({ views: [views.slice(i * each, (i + 1) * each)], shape: stored.shape.slice(1), kind }),
  });
  const network = cellNetwork(latentShape as [number, number, ...number[]]);
  const noise = noiseRecipe({ process: { name: 'flow' }, levels: { name: 'logit-normal' } });
  const task = diffusionTask({
    ...{ name: 'second stage', seed: 3, config: {}, network, noise },
    batch: latentBatches(source, { info, batchSize: BATCH, seed: 2, draw: 'mode' }),
    learner: { optimizer: adam(), learningRate: constantSchedule(5e-3), averages: { ema: constantDecay(0.95) } },
  });
  const losses: number[] = [];
  let trained: unknown;
  for await (const event of train(task, { store: memoryStore(), steps: 250, logEvery: 1, checkpointEvery: 250 })) {
    if (event.kind === 'step') losses.push(event.losses['loss']!);
    if (event.kind === 'done') trained = event.state.network.averages['ema'];
  }

  const denoiser = networkDenoiser({ network, params: trained, noise });
  const algebra = tensorAlgebra();
  const levels = usualSpacing(noise).levels(noise.process, { steps: 10 });
  const like = zeros([SAMPLES, ...latentShape.slice(1)]);
  const x = await startState({ algebra, noise: imageNoise({ seed: 0 }), at: levels[0]!, like });
  const latents = await sample({ sampler: usualSampler(noise), denoise: bindCondition(denoiser, {}), x, levels, algebra });
  const decoded = autoencoder.decode(params, unscaledLatents(latents, info));
  return { losses, latents, decoded, scaled: scaledLatents(tensor(modes, { shape: latentShape }), info) };
}

/** Means over the items of a batch, one for each number of an item. */
const itemMeans = (x: Tensor): Promise<readonly number[]> => numbers(mean(x, { axes: [0] }));

function correlation(a: readonly number[], b: readonly number[]): number {
  const middle = (list: readonly number[]): number => list.reduce((total, value) => total + value, 0) / list.length;
  const [ma, mb] = [middle(a), middle(b)];
  const dot = (f: (i: number) => number): number => a.reduce((total, _, i) => total + f(i), 0);
  return dot((i) => (a[i]! - ma) * (b[i]! - mb)) / Math.sqrt(dot((i) => (a[i]! - ma) ** 2) * dot((i) => (b[i]! - mb) ** 2));
}

const two = { blockOutChannels: [4, 4], normNumGroups: 2, layersPerBlock: 1, midBlockAddAttention: false };
const pictures = {
  ...two,
  downBlockTypes: ['DownEncoderBlock2D', 'DownEncoderBlock2D'] as const,
  upBlockTypes: ['UpDecoderBlock2D', 'UpDecoderBlock2D'] as const,
};
const points = { numPoints: 12, numLatents: 4, latentChannels: 2, numAttentionHeads: 2, attentionHeadDim: 4, numLayers: 1 };

it.each([
  ['pictures', autoencoderKl({ ...pictures, latentChannels: 2 }), [3, 8, 8]],
  ['pictures by codes on a grid', fsqModel({ ...pictures, levels: [8, 5] }), [3, 8, 8]],
  ['sequences', sequenceAutoencoder({ ...two, inChannels: 1, latentChannels: 2 }), [1, 24]],
  ['clips', clipAutoencoder({ ...pictures, latentChannels: 2 }), [3, 3, 4, 4]],
  ['sets of points', pointSetAutoencoder(points), [3, 12]],
] as const)('latents of %s are learnt and drawn by the same second stage', async (_, autoencoder, shape) => {
  const { losses, latents, decoded, scaled } = await secondStage(autoencoder as Autoencoder<unknown>, shape);
  const average = (list: readonly number[]): number => list.reduce((total, value) => total + value, 0) / list.length;
  // A network that says nothing has the variance of noise minus data, 2.
  expect(average(losses.slice(-20))).toBeLessThan(0.5 * average(losses.slice(0, 5)));
  expect(latents.shape.slice(1)).toEqual(scaled.shape.slice(1));
  expect(decoded.shape).toEqual([SAMPLES, ...shape]);
  expect((await numbers(decoded)).every(Number.isFinite)).toBe(true);
  // What all items have in common, place by place, is in what was drawn.
  expect(correlation(await itemMeans(latents), await itemMeans(scaled))).toBeGreaterThan(0.95);
  expect(Math.abs((await numbers(std(latents)))[0]! - 1)).toBeLessThan(0.3);
});
