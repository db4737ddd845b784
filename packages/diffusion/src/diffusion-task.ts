import { checkConditions, type Conditions, dropConditions, type Network, type NoiseLevel } from '@langevin/core';
import {
  denoisingLoss,
  drawLevels,
  drawUniforms,
  hybridLoss,
  trainingCoefficients,
  uncertainLoss,
  variationalCoefficients,
  type DiscreteNoiseProcess,
  type TrainingCoefficients,
  type VariationalCoefficients,
} from '@langevin/core-schedules';
import type { TrainMode } from '@langevin/nn';
import {
  checkNumber,
  readOptions,
  shownValue,
  slice,
  tensor,
  torchGenerator,
  UserError,
  type Engine,
  type Generator,
  type Tensor,
} from '@langevin/tensor';
import {
  defineTask,
  learnerRule,
  learnerStep,
  type Evaluation,
  type Json,
  type Learner,
  type LearnerOptions,
  type NoBuffers,
  type Position,
  type StepPoint,
  type Task,
  type TrainingData,
} from '@langevin/training';
import type { NoiseRecipe } from './noise-recipe.ts';

/** What a step is trained on: samples on the host, and what the network is told of them. */
export interface DiffusionBatch {
  /** float32 [N, C, ...]: pictures, latents, clips, sequences. */
  readonly x0: Float32Array;
  readonly shape: readonly number[];
  /** Of the names and forms that the network declares. @default none */
  readonly conditions?: Conditions;
  /** What stands for none of each condition that may be dropped; of the forms of the conditions. @default labels know their own */
  readonly nulls?: Conditions;
  /** Where the stream stands after it. */
  readonly next: Position;
  /** Which items it holds, for messages. */
  readonly items: readonly (number | string)[];
}

/** What diffusion training changes. */
export interface DiffusionState<Params, OptimizerState> {
  readonly network: Learner<Params, OptimizerState, NoBuffers>;
}

export interface DiffusionTaskOptions<Params, OptimizerState> {
  readonly name: string;
  /** Decides weights, order, noise and everything else that is random. */
  readonly seed: number;
  /** All that decides the result, as JSON. */
  readonly config: Json;
  /** @default none */
  readonly mayChange?: readonly string[];
  readonly data?: TrainingData;
  readonly network: Network<Params>;
  /** Parameters to begin with. @default fresh ones by the seed */
  readonly initial?: Params;
  readonly noise: NoiseRecipe;
  /**
   * u [N] of cNoise [N], learned by the loss / exp(u) + u: what `learnedUncertainty` gives. The loss that is watched is the one that is
   * differentiated; the one without u is beside it, as `denoising`. @default every level counts as the weight says
   */
  readonly logVariance?: (params: Params, cNoise: Tensor) => Tensor;
  readonly learner: LearnerOptions<OptimizerState>;
  /** The batch at a position of the stream `data`; a function of it alone. */
  readonly batch: (position: Position) => Promise<DiffusionBatch>;
  /** How often each condition is dropped, each on its own, in [0, 1]. @default never */
  readonly dropout?: Readonly<Record<string, number>>;
  /** Batches whose gradients make one update. @default 1 */
  readonly accumulate?: number;
  /** What the network has learnt, by its averages. */
  readonly evaluate?: (
    learner: Learner<Params, OptimizerState, NoBuffers>,
    at: Pick<StepPoint, 'step' | 'random'>,
  ) => AsyncIterable<Evaluation>;
  /** @default the default engine */
  readonly engine?: Engine;
}

/** The stream of positions that the task uses. */
const STREAM = 'data';

/**
 * Trains a network to denoise: any process, prediction, preconditioning, weight and distribution of levels, learned variance too, under any
 * conditions, each dropped at random on its own.
 *
 * @throws UserError when an option is out of range, or the network does not fit the recipe; from a step, when a batch does not fit it
 */
export function diffusionTask<Params, OptimizerState>(
  options: DiffusionTaskOptions<Params, OptimizerState>,
): Task<DiffusionState<Params, OptimizerState>> {
  checkGiven(options);
  const { name, seed, config, network, noise, batch: load, dropout = {}, accumulate = 1, logVariance, engine } = options;
  checkNumber('diffusion/task', { accumulate }, { atLeast: 1, atMost: 4096, kind: 'integer' });
  checkNumber('diffusion/task', dropout, { atLeast: 0, atMost: 1 });
  checkOutputs(options);
  if (logVariance !== undefined && noise.variance !== 'fixed') {
    throw new UserError(
      `[diffusion/task] uncertainty of the noise level is learned of a denoising loss alone: variance=${noise.variance}, logVariance is `
        + 'given. Leave one of them out.',
    );
  }
  for (const dropped of Object.keys(dropout)) {
    if (Object.hasOwn(network.info.conditions, dropped)) continue;
    throw new UserError(
      `[diffusion/task] a condition that is dropped is not one of the network's: dropout.${dropped}=${dropout[dropped]}. Known: `
        + `${Object.keys(network.info.conditions).join(', ') || 'none'}.`,
    );
  }
  const rule = learnerRule(options.learner);
  const step = learnerStep({
    rule,
    seed,
    name,
    ...(engine && { engine }),
    loss: (params: Params, { batch, mode }: { readonly batch: Inputs; readonly mode: TrainMode }) => {
      const conditions = dropConditions(batch.conditions, { nulls: batch.nulls, dropped: batch.dropped });
      const apply = (x: Tensor, cNoise: Tensor): Tensor => network.apply(params, x, cNoise, { conditions, mode });
      const { x0, noise: unit, coefficients } = batch;
      if (noise.variance === 'fixed') {
        const plain = denoisingLoss({ network: apply, x0, noise: unit, coefficients });
        if (logVariance === undefined) return { loss: plain.loss };
        const u = logVariance(params, coefficients.cNoise);
        return { loss: uncertainLoss({ perImage: plain.perImage, logVariance: u }).loss, parts: { denoising: plain.loss } };
      }
      const { loss } = hybridLoss({
        network: (x, cNoise) => bothOutputs(apply(x, cNoise)),
        x0,
        noise: unit,
        coefficients: coefficients as VariationalCoefficients,
      });
      return { loss };
    },
  });

  return defineTask<DiffusionState<Params, OptimizerState>>({
    name,
    config,
    seed,
    ...(options.mayChange && { mayChange: options.mayChange }),
    ...(options.data && { data: options.data }),
    init: () => ({ network: rule.init(options.initial ?? network.init(torchGenerator(seed))) }),
    step: async (state, at) => {
      let position = at.stream(STREAM);
      const parts: Inputs[] = [];
      const items: (number | string)[] = [];
      for (let part = 0; part < accumulate; part += 1) {
        const loaded: unknown = await load(position);
        checkBatch(loaded);
        parts.push(inputsOf(loaded, { ...options, dropout, random: (purpose) => at.random(purpose, part) }));
        items.push(...loaded.items);
        position = loaded.next;
      }
      const { learner, losses, gradientNorm } = await step(state.network, parts, at);
      const { learningRate } = rule.inputs(at.step);
      return {
        state: { network: learner },
        losses,
        norms: { gradNorm: gradientNorm },
        measures: { learningRate: Number(learningRate) },
        streams: { [STREAM]: position },
        items: { [STREAM]: items },
      };
    },
    ...(options.evaluate && { evaluate: (state, at) => options.evaluate!(state.network, at) }),
  });
}

/** What the compiled step is given. */
interface Inputs {
  readonly x0: Tensor;
  readonly noise: Tensor;
  readonly coefficients: TrainingCoefficients;
  readonly conditions: Conditions;
  readonly nulls: Conditions;
  readonly dropped: Conditions;
}

type Preparing<Params, OptimizerState> = Pick<DiffusionTaskOptions<Params, OptimizerState>, 'network' | 'noise'> & {
  readonly dropout: Readonly<Record<string, number>>;
  readonly random: (purpose: string) => Generator;
};

function inputsOf<Params, OptimizerState>(batch: DiffusionBatch, given: Preparing<Params, OptimizerState>): Inputs {
  const { network, noise, dropout, random } = given;
  const { x0, shape, conditions = {} } = batch;
  const [count = 0, channels] = shape;
  const size = shape.reduce((product, n) => product * n, 1);
  const axes = network.info.axes.length;
  if (count < 1 || channels !== network.info.channels || shape.length !== axes + 2 || size !== x0.length) {
    throw new UserError(
      `[diffusion/task] a batch does not fit the network: shape=[${shape.join(', ')}], numbers=${x0.length}. Give [N, `
        + `${network.info.channels}, ${[...network.info.axes].join(', ')}].`,
    );
  }
  checkConditions('diffusion/task', conditions, { specs: network.info.conditions, batch: count });
  const generator = random('levels');
  return {
    x0: tensor(x0, { shape }),
    noise: tensor(random('noise').normal(size), { shape }),
    coefficients: coefficientsOf(noise, generator, count),
    conditions,
    ...droppedConditions(batch, { network, dropout, random }),
  };
}

function coefficientsOf(noise: NoiseRecipe, generator: Generator, count: number): TrainingCoefficients {
  const { process, preconditioning, levels, weight, spread } = noise;
  if (noise.variance === 'fixed') {
    const drawn: readonly NoiseLevel[] = drawLevels(levels, { generator, count, spread });
    return trainingCoefficients({ levels: drawn, preconditioning, weight });
  }
  // The bound is one over the steps of the chain, so that levels are its steps.
  const chain = process as DiscreteNoiseProcess;
  const steps = drawUniforms({ generator, count, spread }).map((u) => Math.min(chain.steps - 1, Math.floor(u * chain.steps)));
  return variationalCoefficients({ process: chain, steps, preconditioning, weight });
}

function droppedConditions<Params, OptimizerState>(
  { conditions = {}, nulls = {}, shape }: DiffusionBatch,
  { network, dropout, random }: Pick<Preparing<Params, OptimizerState>, 'network' | 'dropout' | 'random'>,
): Pick<Inputs, 'nulls' | 'dropped'> {
  const count = shape[0]!;
  const names = Object.keys(dropout).filter((name) => dropout[name]! > 0);
  const known: Record<string, Tensor> = {};
  const dropped: Record<string, Tensor> = {};
  for (const name of names) {
    const spec = network.info.conditions[name]!;
    const none = spec.kind === 'label' ? spec.none : null;
    const given = nulls[name] ?? (none === null ? undefined : tensor(new Int32Array(count).fill(none), { dtype: 'int32' }));
    if (given === undefined || conditions[name] === undefined) {
      throw new UserError(
        `[diffusion/task] a condition that is dropped has nothing that stands for none: dropout.${name}=${dropout[name]}. Give `
          + `nulls.${name}.`,
      );
    }
    known[name] = given;
    const mask = `${name}.mask`;
    if (nulls[mask] !== undefined) known[mask] = nulls[mask];
    const draws = random(`dropout of ${name}`).uniform(count);
    dropped[name] = tensor(
      Uint8Array.from(draws, (u) => (u < dropout[name]! ? 1 : 0)),
      { dtype: 'bool' },
    );
  }
  return { nulls: known, dropped };
}

/** The halves of the channels of a network that gives the variance too. */
function bothOutputs(output: Tensor): { readonly output: Tensor; readonly variance: Tensor } {
  const half = output.shape[1]! / 2;
  const part = (from: number): Tensor => slice(output, { 1: { start: from, stop: from + half } });
  return { output: part(0), variance: part(half) };
}

/** What a task is made of, of whatever type it is. @throws UserError naming what is missing */
function checkGiven(options: unknown): void {
  const {
    network,
    noise,
    learner,
    batch,
    dropout = {},
    evaluate,
    initial,
    logVariance,
  } = readOptions<Fields>('diffusion/task', options as Fields);
  const parts = {
    network: isRecord(network) && isRecord(network['info']) && typeof network['apply'] === 'function',
    noise: isRecord(noise) && isRecord(noise['process']) && isRecord(noise['levels']) && isRecord(noise['preconditioning']),
    learner: isRecord(learner),
    batch: typeof batch === 'function',
    dropout: isRecord(dropout),
    evaluate: evaluate === undefined || typeof evaluate === 'function',
    initial: initial === undefined || isRecord(initial),
    logVariance: logVariance === undefined || typeof logVariance === 'function',
  };
  const wrong = (Object.keys(parts) as (keyof typeof parts)[]).find((name) => !parts[name]);
  if (wrong === undefined) return;
  const value = { network, noise, learner, batch, dropout, evaluate, initial, logVariance }[wrong];
  throw new UserError(
    `[diffusion/task] an option is not what a task is made of: ${wrong}=${shownValue(value)}. Give a network, noiseRecipe(), the options `
      + 'of a learner, and functions for batch and evaluate.',
  );
}

/** Batches come from outside. @throws UserError when it is none */
function checkBatch(batch: unknown): asserts batch is DiffusionBatch {
  const { x0, shape, conditions = {}, nulls = {}, items } = (isRecord(batch) ? batch : {}) as Fields;
  const parts = {
    x0: x0 instanceof Float32Array,
    shape: Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && (size as number) >= 0),
    conditions: isRecord(conditions),
    nulls: isRecord(nulls),
    items: Array.isArray(items),
  };
  const wrong = (Object.keys(parts) as (keyof typeof parts)[]).find((name) => !parts[name]);
  if (wrong === undefined) return;
  const [name, value] = isRecord(batch) ? [wrong, { x0, shape, conditions, nulls, items }[wrong]] : ['batch', batch];
  throw new UserError(
    `[diffusion/task] this is no batch: ${name}=${shownValue(value)}. Give x0 as a Float32Array, its shape, conditions by name, items and `
      + 'next.',
  );
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkOutputs<Params, OptimizerState>({ network, noise }: DiffusionTaskOptions<Params, OptimizerState>): void {
  const wanted = noise.variance === 'learned' ? 'prediction, variance' : 'prediction';
  const outputs = network.info.outputs.join(', ');
  if (outputs === wanted) return;
  throw new UserError(
    `[diffusion/task] the network's outputs are not those of the recipe: outputs=[${outputs}], variance=${noise.variance}. Give it `
      + `${wanted === 'prediction' ? 'as many channels out as in' : 'twice as many channels out as in'}, or change noise.variance.`,
  );
}
