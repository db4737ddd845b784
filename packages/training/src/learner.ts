import {
  CLIP_LIMITS,
  clipByGlobalNorm,
  emaWeight,
  globalNorm,
  updateAverage,
  type Decay,
  type Optimizer,
  type Schedule,
} from '@langevin/nn';
import { checkNumber, mapTensors, readOptions, shownValue, UserError, type Operand, type Tensor } from '@langevin/tensor';

/**
 * What training changes of one network, as a plain tree: it is donated, saved and restored whole. A GAN has two, a LoRA one over another
 * tree.
 */
export interface Learner<Params, OptimizerState, Buffers> {
  readonly params: Params;
  /** What a forward pass changes and no gradient does: statistics of batch norms, codebooks, vectors of spectral norms. */
  readonly buffers: Buffers;
  readonly optimizer: OptimizerState;
  /** Moving averages of the parameters, by name. */
  readonly averages: Readonly<Record<string, Params>>;
}

/** No buffers. */
export type NoBuffers = Readonly<Record<string, never>>;

/** Host numbers of one step: inputs of the compiled graph, so that one graph serves all steps. */
export interface LearnerInputs {
  readonly learningRate: Operand;
  /** Share of the new parameters in each average. */
  readonly weights: Readonly<Record<string, Operand>>;
}

export interface LearnerOptions<OptimizerState> {
  readonly optimizer: Optimizer<OptimizerState>;
  /** The learning rate of each step, from 0. */
  readonly learningRate: Schedule;
  /** Gradients are scaled down to this norm. @default they are left alone */
  readonly clipNorm?: number;
  /** Moving averages by name, with their decays. @default none */
  readonly averages?: Readonly<Record<string, Decay>>;
  /** Applied to the parameters after each update, by name and tensor: the forced weight norm of EDM2, say. @default nothing */
  readonly project?: (parameter: Tensor, name: string) => Tensor;
  /** Updates at steps that are multiples of this, for two time scales. @default 1 */
  readonly every?: number;
}

/** How gradients move a learner: a frozen value, made for a compiled step. */
export interface LearnerRule<OptimizerState> {
  /** A learner before the first step; the averages begin with the parameters. */
  readonly init: {
    <Params>(params: Params): Learner<Params, OptimizerState, NoBuffers>;
    <Params, Buffers>(params: Params, buffers: Buffers): Learner<Params, OptimizerState, Buffers>;
  };
  /** Whether a step updates; one that does not may leave the gradients uncomputed. */
  readonly updatesAt: (step: number) => boolean;
  /** The host numbers of a step. */
  readonly inputs: (step: number) => LearnerInputs;
  /** One update, as nodes of the graph, with the norm of the gradients before clipping. */
  readonly update: <Params, Buffers>(
    learner: Learner<Params, OptimizerState, Buffers>,
    grads: Params,
    given: LearnerInputs & { readonly buffers?: Buffers },
  ) => { readonly learner: Learner<Params, OptimizerState, Buffers>; readonly norm: Tensor };
}

/**
 * The rule of a learner: clip, optimise, project, average.
 *
 * @throws UserError when an option is out of range
 * @example
 * const rule = learnerRule({ optimizer: adam(), learningRate: constantSchedule(0.1), averages: { slow: constantDecay(0.9) } });
 * const learner = rule.init({ w: tensor([1]) });
 * const { params, averages } = rule.update(learner, { w: tensor([5]) }, rule.inputs(0)).learner;
 * await numbers(params.w); // => [0.9]
 * await numbers(averages.slow!.w); // => [0.99]
 */
export function learnerRule<OptimizerState>(options: LearnerOptions<OptimizerState>): LearnerRule<OptimizerState> {
  const { optimizer, learningRate, clipNorm, averages = {}, project, every = 1 } = readOptions('training/learner', options);
  if (typeof (optimizer as Partial<typeof optimizer> | undefined)?.init !== 'function')
    throw new UserError(`[training/learner] there is no optimizer: optimizer=${shownValue(optimizer)}. Pass adam(), sgd() or another one.`);
  for (const [name, value] of Object.entries({ learningRate, ...averages })) {
    if (typeof value === 'function') continue;
    throw new UserError(
      `[training/learner] a schedule is no function: ${name}=${shownValue(value)}. Pass constantSchedule() or another one; for averages, `
        + 'constantDecay().',
    );
  }
  if (clipNorm !== undefined) checkNumber('training/learner', { clipNorm }, CLIP_LIMITS);
  checkNumber('training/learner', { every }, { atLeast: 1, kind: 'integer' });
  const updates = (step: number): number => Math.floor(step / every);
  return Object.freeze({
    init: <Params, Buffers>(params: Params, buffers: Buffers = {} as Buffers): Learner<Params, OptimizerState, Buffers> => ({
      params,
      buffers,
      optimizer: optimizer.init(params),
      averages: mapValues(averages, () => params),
    }),
    updatesAt: (step) => step % every === 0,
    inputs: (step) => ({
      learningRate: learningRate(step),
      weights: mapValues(averages, (decay) => emaWeight(decay, updates(step) + 1)),
    }),
    update: (learner, grads, { learningRate: rate, weights, buffers = learner.buffers }) => {
      const clipped = clipNorm === undefined ? { grads, norm: globalNorm(grads) } : clipByGlobalNorm(grads, clipNorm);
      const moved = optimizer.update(clipped.grads, learner.optimizer, { params: learner.params, learningRate: rate });
      const params = project === undefined ? moved.params : mapTensors(moved.params, (parameter, _, name) => project(parameter, name));
      return {
        learner: {
          params,
          buffers,
          optimizer: moved.state,
          averages: mapValues(learner.averages, (average, name) => updateAverage(average, params, weights[name]!)),
        },
        norm: clipped.norm,
      };
    },
  } satisfies LearnerRule<OptimizerState>);
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, fn: (value: A, key: string) => B): Readonly<Record<string, B>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, fn(value, key)]));
}
