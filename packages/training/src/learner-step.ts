import { addGradients } from '@langevin/nn';
import type { TrainMode } from '@langevin/nn';
import {
  allocateHost,
  compile,
  float32Data,
  isFloating,
  mapTensors,
  mul,
  namedTensors,
  tensor,
  UserError,
  valueAndGrad,
  type Engine,
  type Tensor,
  type Untraced,
  checkNumber,
  readOptions,
  shownValue,
} from '@langevin/tensor';
import type { Learner, LearnerInputs, LearnerRule, NoBuffers } from './learner.ts';
import { layerMode, type Running } from './random.ts';
import type { StepPoint } from './task.ts';

/** What a loss function gives: the one number that is differentiated, others to watch, and new buffers. */
export interface LossResult<Buffers> {
  /** A scalar. */
  readonly loss: Tensor;
  /** Scalars by name, to be watched and logged beside it. @default none */
  readonly parts?: Readonly<Record<string, Tensor>>;
  /** @default those that were given */
  readonly buffers?: Buffers;
}

export interface LearnerStepOptions<Params, Batch, OptimizerState, Buffers = NoBuffers> {
  readonly rule: LearnerRule<OptimizerState>;
  /**
   * The loss of one batch, or of one of its parts: a mean over its items, so that the mean over equal parts is that of the whole. A tree of
   * tensors is what `batch` may be; layers that are random draw from `mode`.
   */
  readonly loss: (
    params: Params,
    given: { readonly buffers: Buffers; readonly batch: Batch; readonly mode: TrainMode },
  ) => LossResult<Buffers>;
  /** The seed of the task, for the layers. */
  readonly seed: number;
  /** For messages and the debug switch. @default 'learner' */
  readonly name?: string;
  /** @default the default engine */
  readonly engine?: Engine;
}

export interface LearnerStepResult<Params, Buffers, OptimizerState> {
  readonly learner: Learner<Params, OptimizerState, Buffers>;
  /** The loss as `loss`, and its parts by name: means over the parts of the batch. */
  readonly losses: Readonly<Record<string, number>>;
  /** Norm of the gradients before clipping. */
  readonly gradientNorm: number;
}

/**
 * A training step of one learner, compiled once for each shape of its batch. With one batch everything is one graph; with several, which
 * are equal parts of a larger one, gradients are accumulated: memory is that of a part, the update that of the whole.
 *
 * @example
 * const rule = learnerRule({ optimizer: sgd(), learningRate: constantSchedule(0.5) });
 * const step = learnerStep({
 *   rule, seed: 0,
 *   loss: (params: { readonly w: Tensor }, { batch }: { readonly batch: { readonly x: Tensor } }) =>
 *     ({ loss: mean(square(sub(params.w, batch.x))) }),
 * });
 * const at = { step: 0 };
 * const { learner } = await step(rule.init({ w: tensor([0]) }), [{ x: tensor([2]) }, { x: tensor([4]) }], at);
 * await numbers(learner.params.w); // => [3]
 */
export function learnerStep<Params, Batch, OptimizerState, Buffers = NoBuffers>(
  options: LearnerStepOptions<Params, Batch, OptimizerState, Buffers>,
): (
  learner: Learner<Params, OptimizerState, Buffers>,
  batches: readonly Batch[],
  at: Pick<StepPoint, 'step'>,
) => Promise<LearnerStepResult<Params, Buffers, OptimizerState>> {
  const { rule, loss, seed, name = 'learner', engine } = readOptions<typeof options>('training/learner', options);
  if (typeof rule?.update !== 'function')
    throw new UserError(`[training/learner] this is no rule: rule=${shownValue(rule)}. Pass what learnerRule() gives.`);
  if (typeof loss !== 'function')
    throw new UserError(`[training/learner] loss is a function of parameters and what it is given: loss=${shownValue(loss)}. Pass one.`);
  checkNumber('training/learner', { seed }, { kind: 'integer' });
  type State = Learner<Params, OptimizerState, Buffers>;
  let running: Running = { seed, step: 0, part: 0 };
  const differentiated = (params: Params, buffers: Buffers, batch: Batch) => {
    const mode = layerMode(() => running);
    return valueAndGrad((p: Params) => loss(p, { buffers, batch, mode }))(params);
  };
  const on = engine === undefined ? {} : { engine };

  const whole = compile(
    (learner: State, batch: Batch, inputs: LearnerInputs) => {
      const { value, grad } = differentiated(learner.params, learner.buffers, batch);
      const updated = rule.update(learner, grad, { ...inputs, ...(value.buffers !== undefined && { buffers: value.buffers }) });
      return { ...updated, losses: lossesOf(value) };
    },
    { donate: [0], name: `${name} step`, ...on },
  );
  const accumulate = compile(
    (sum: Params, params: Params, given: { readonly buffers: Buffers; readonly batch: Batch }) => {
      const { value, grad } = differentiated(params, given.buffers, given.batch);
      return { sum: addGradients(sum, grad), buffers: value.buffers ?? given.buffers, losses: lossesOf(value) };
    },
    { donate: [0], name: `${name} gradients`, ...on },
  );
  const apply = compile(
    (learner: State, sum: Params, inputs: LearnerInputs & { readonly share: Tensor }) =>
      rule.update(
        learner,
        mapTensors(sum, (g) => (isFloating(g.dtype) ? mul(g, inputs.share) : g)),
        inputs,
      ),
    { donate: [0, 1], name: `${name} update`, ...on },
  );

  return async (learner, batches, { step }) => {
    const [first] = batches;
    if (first === undefined) {
      throw new UserError(`[training/learner-step] a step needs a batch: batches=0, learner=${name}. Give one, or equal parts of one.`);
    }
    if (batches.length > 1) checkEqualParts(batches, name);
    const inputs = rule.inputs(step);
    running = { seed, step, part: 0 };
    if (batches.length === 1) {
      const result = await whole(learner as Untraced<State>, first as Untraced<Batch>, inputs as Untraced<LearnerInputs>);
      return {
        learner: result.learner as State,
        losses: await meanOf([result.losses], on),
        gradientNorm: (await float32Data(result.norm, on))[0]!,
      };
    }
    let sum = mapTensors(learner.params, zerosLike);
    let { buffers } = learner;
    const losses: Readonly<Record<string, Tensor>>[] = [];
    for (const [part, batch] of batches.entries()) {
      running = { seed, step, part };
      const given = { buffers, batch };
      const result = await accumulate(sum as Untraced<Params>, learner.params as Untraced<Params>, given as Untraced<typeof given>);
      sum = result.sum as Params;
      buffers = result.buffers as Buffers;
      losses.push(result.losses);
    }
    const scaled = { ...inputs, share: 1 / batches.length };
    const result = await apply(
      { ...learner, buffers } as Untraced<State>,
      sum as Untraced<Params>,
      scaled as Untraced<LearnerInputs & { share: Tensor }>,
    );
    return { learner: result.learner as State, losses: await meanOf(losses, on), gradientNorm: (await float32Data(result.norm, on))[0]! };
  };
}

/** Means over parts of other sizes would not be those of the whole. */
function checkEqualParts(batches: readonly unknown[], learner: string): void {
  const shapes = batches.map((batch) => [...namedTensors(batch)].map(([name, { shape }]) => `${name} [${shape.join(', ')}]`).join(', '));
  const other = shapes.findIndex((each) => each !== shapes[0]);
  if (other === -1) return;
  throw new UserError(
    `[training/learner-step] parts of a batch are not equal: learner=${learner}, part 0 has ${shapes[0]}, part ${other} has `
      + `${shapes[other]}. Split the batch into parts of one size.`,
  );
}

/** All losses by name; the one that is differentiated has a name of its own. */
function lossesOf({ loss, parts = {} }: Pick<LossResult<unknown>, 'loss' | 'parts'>): Readonly<Record<string, Tensor>> {
  if (Object.hasOwn(parts, 'loss')) {
    throw new UserError('[training/learner-step] parts of a loss hide the loss itself: part=loss. Give that part another name.');
  }
  return { loss, ...parts };
}

/** Zeros with storage of their own, so that they can be donated. Integers, which have no gradient, stay. */
function zerosLike(like: Tensor): Tensor {
  if (!isFloating(like.dtype)) return like;
  return tensor(allocateHost(like.dtype, like.size), { shape: like.shape, dtype: like.dtype });
}

/** Means over parts, read back together. */
async function meanOf(
  parts: readonly Readonly<Record<string, Tensor>>[],
  on: { readonly engine?: Engine },
): Promise<Readonly<Record<string, number>>> {
  const means: Record<string, number> = {};
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) means[name] = (means[name] ?? 0) + (await float32Data(value, on))[0]! / parts.length;
  }
  return means;
}
