import type { Autoencoder } from '@langevin/core';
import { shapesOnly } from '@langevin/nn';
import {
  add,
  checkChoice,
  checkNumber,
  compile,
  div,
  float32Data,
  gradients,
  mean,
  mul,
  namedTensors,
  readOptions,
  scalar,
  shownValue,
  square,
  stopGradient,
  sum,
  tensor,
  torchGenerator,
  UserError,
  valueAndGrad,
  zeros,
  type Engine,
  type Operand,
  type Tensor,
  type Untraced,
} from '@langevin/tensor';
import {
  defineTask,
  learnerRule,
  type Evaluation,
  type Json,
  type Learner,
  type LearnerInputs,
  type LearnerOptions,
  type Position,
  type StepPoint,
  type Task,
  type TrainingData,
} from '@langevin/training';
import { adversarialLoss, checkR1, hingeLoss } from '../discriminator/hinge.ts';
import type { PatchDiscriminator, PatchDiscriminatorBuffers, PatchDiscriminatorParams } from '../discriminator/patch-discriminator.ts';
import type { ReconstructionLoss } from '../reconstruction-loss.ts';
import { checkFits, type Regulariser, type RegulariserBuffers } from '../regulariser.ts';
import { autoencoderPass, withVerdict, type AutoencoderLossParts, type AutoencoderPass, type TrainedParams } from './autoencoder-loss.ts';

/** What an autoencoder is trained on, on the host. */
export interface AutoencoderBatch {
  /** float32 [N, inputs, ...]: pictures in [-1, 1], sequences, clips, points. */
  readonly x: Float32Array;
  readonly shape: readonly number[];
  /** Where the stream stands after it. */
  readonly next: Position;
  /** Which items it holds, for messages. */
  readonly items: readonly (number | string)[];
}

export type AutoencoderLearner<OptimizerState> = Learner<TrainedParams, OptimizerState, RegulariserBuffers>;
export type DiscriminatorLearner<OptimizerState> = Learner<PatchDiscriminatorParams, OptimizerState, PatchDiscriminatorBuffers>;

/** What autoencoder training changes. */
export interface AutoencoderState<OptimizerState> {
  readonly autoencoder: AutoencoderLearner<OptimizerState>;
  /** Where one takes part. */
  readonly discriminator?: DiscriminatorLearner<OptimizerState>;
}

/** How a discriminator takes part. */
export interface DiscriminatorOptions<OptimizerState> {
  readonly network: PatchDiscriminator;
  readonly learner: LearnerOptions<OptimizerState>;
  /** How much its verdict counts. @default 0.5, latent diffusion's beside a KL divergence; beside codes 0.75 */
  readonly weight?: number;
  /**
   * Whether the weight is relative to the gradients at the decoder's last layer, whatever the size of the losses, or as it is.
   *
   * @default 'last-layer'
   */
  readonly balance?: 'last-layer' | 'none';
  /** It takes part, and is trained, from this step on: an autoencoder that knows nothing yet is told nothing by it. @default 0 */
  readonly from?: number;
  /** Weight of R1, the penalty on its gradients at real items (Mescheder et al. 2018). @default 0 */
  readonly r1?: number;
}

export interface AutoencoderTaskOptions<Params, OptimizerState> {
  readonly name: string;
  /** Decides weights, order, noise and everything else that is random. */
  readonly seed: number;
  /** All that decides the result, as JSON. */
  readonly config: Json;
  /** @default none */
  readonly mayChange?: readonly string[];
  readonly data?: TrainingData;
  readonly autoencoder: Autoencoder<Params>;
  /** Parameters to begin with. @default fresh ones by the seed */
  readonly initial?: Params;
  readonly regulariser: Regulariser;
  /** Added up with their weights; at least one. */
  readonly losses: readonly ReconstructionLoss[];
  /**
   * Whether differences are measured by a variance that is learned with the rest: rec / e^s + s for each element (Rombach et al. 2022),
   * so that their weight beside the penalty is found by likelihood.
   *
   * @default 'fixed'
   */
  readonly variance?: 'fixed' | 'learned';
  readonly learner: LearnerOptions<OptimizerState>;
  /** @default none */
  readonly discriminator?: DiscriminatorOptions<OptimizerState>;
  /** The batch at a position of the stream `data`; a function of it alone. */
  readonly batch: (position: Position) => Promise<AutoencoderBatch>;
  /** Of a batch, [N, inputs, ...], so that what does not fit is known before the first step. */
  readonly shape: readonly number[];
  /** What the autoencoder has learnt, by its averages. */
  readonly evaluate?: (learner: AutoencoderLearner<OptimizerState>, at: Pick<StepPoint, 'step' | 'random'>) => AsyncIterable<Evaluation>;
  /** @default the default engine */
  readonly engine?: Engine;
}

const WHERE = 'latent-ae/task';
/** The stream of positions that the task uses. */
const STREAM = 'data';

/** Inputs of the compiled steps. */
interface Given {
  readonly x: Tensor;
  readonly regulariser: Readonly<Record<string, Operand>>;
  readonly autoencoder: LearnerInputs;
  readonly discriminator?: LearnerInputs;
}

/**
 * Trains an autoencoder of any modality: reconstruction losses, a regulariser of its latents, and a discriminator if there is one. A step
 * is one compiled graph, with a discriminator too, in which every pass is made once; the discriminator sees the reconstruction from before
 * the update.
 *
 * @throws UserError when an option is out of range, or regulariser or discriminator do not fit the autoencoder
 */
export function autoencoderTask<Params, OptimizerState>(
  options: AutoencoderTaskOptions<Params, OptimizerState>,
): Task<AutoencoderState<OptimizerState>> {
  checkGiven(options);
  // Only its own functions see its parameters.
  const autoencoder = options.autoencoder as Autoencoder<unknown>;
  const { name, seed, config, regulariser, losses, variance = 'fixed', batch: load, discriminator, engine } = options;
  const parts: AutoencoderLossParts = { autoencoder, regulariser, losses };
  const rule = learnerRule(options.learner);
  const critic = discriminator && checkedDiscriminator(discriminator, autoencoder);
  const criticRule = critic && learnerRule(critic.learner);
  const on = engine === undefined ? {} : { engine };
  checkShapes({ ...options, autoencoder });

  /** Reconstruction and penalty alone. */
  const plain = compile(
    (learner: AutoencoderLearner<OptimizerState>, given: Given) => {
      const { value, grad } = valueAndGrad((params: TrainedParams) => {
        const pass = autoencoderPass(parts, params, { x: given.x, buffers: learner.buffers, inputs: given.regulariser });
        return { loss: add(pass.likelihood, pass.penalty), pass };
      })(learner.params);
      const { pass } = value;
      const updated = rule.update(learner, grad, { ...given.autoencoder, buffers: pass.buffers });
      return {
        autoencoder: followed(updated.learner),
        numbers: { ...numbersOf(pass), gradNorm: updated.norm },
      };
    },
    { donate: [0], name: `${name} step`, ...on },
  );

  /** With the discriminator, whose own update is in the same graph. */
  const joint =
    critic
    && compile(
      (learner: AutoencoderLearner<OptimizerState>, opponent: DiscriminatorLearner<OptimizerState>, given: Given) => {
        const { value, grad } = valueAndGrad((params: TrainedParams) => {
          const pass = autoencoderPass(parts, params, { x: given.x, buffers: learner.buffers, inputs: given.regulariser });
          const verdict = critic.network.apply(opponent.params, pass.reconstruction, { buffers: opponent.buffers, statistics: 'batch' });
          const adversarial = adversarialLoss(verdict.logits);
          const { weight, balance } = critic;
          const { surrogate, weight: share } = withVerdict(parts, { params, pass }, { adversarial, weight, balance });
          return { loss: surrogate, pass, adversarial, share };
        })(learner.params);
        const { pass, adversarial, share } = value;
        const made = stopGradient(pass.reconstruction);
        const judged = valueAndGrad((params: PatchDiscriminatorParams) =>
          verdictLoss(critic, { params, real: given.x, made, buffers: opponent.buffers }),
        )(opponent.params);
        const updated = rule.update(learner, grad, { ...given.autoencoder, buffers: pass.buffers });
        const answered = criticRule!.update(opponent, judged.grad, { ...given.discriminator!, buffers: judged.value.buffers });
        return {
          autoencoder: followed(updated.learner),
          discriminator: answered.learner,
          numbers: {
            ...numbersOf(pass),
            gradNorm: updated.norm,
            adversarial,
            adversarialWeight: typeof share === 'number' ? scalar(share) : share,
            discriminator: judged.value.hinge,
            real: judged.value.real,
            made: judged.value.made,
            discriminatorGradNorm: answered.norm,
          },
        };
      },
      { donate: [0, 1], name: `${name} step with a discriminator`, ...on },
    );

  /** Codes that follow latents are set by their averages. */
  const followed = (learner: AutoencoderLearner<OptimizerState>): AutoencoderLearner<OptimizerState> => {
    if (regulariser.afterUpdate === undefined) return learner;
    const { params, buffers, averages } = learner;
    const set = (given: TrainedParams): TrainedParams => ({
      ...given,
      autoencoder: regulariser.afterUpdate!({ autoencoder, params: given.autoencoder, buffers }),
    });
    return {
      ...learner,
      params: set(params),
      averages: Object.fromEntries(Object.entries(averages).map(([key, each]) => [key, set(each)])),
    };
  };

  return defineTask<AutoencoderState<OptimizerState>>({
    name,
    config,
    seed,
    ...(options.mayChange && { mayChange: options.mayChange }),
    ...(options.data && { data: options.data }),
    init() {
      const params = options.initial ?? autoencoder.init(torchGenerator(seed));
      const buffers = regulariser.buffers?.(autoencoder, params) ?? {};
      const trained: TrainedParams = { autoencoder: params, ...(variance === 'learned' && { logVariance: zeros([]) }) };
      return {
        autoencoder: rule.init(trained, buffers),
        // A seed of its own, so that the autoencoder begins the same with and without it.
        ...(critic && { discriminator: criticRule!.init(critic.network.init(torchGenerator(seed + 1)), critic.network.buffers()) }),
      };
    },
    async step(state, at) {
      const loaded: unknown = await load(at.stream(STREAM));
      checkBatch(loaded, autoencoder);
      const { x, shape, next, items } = loaded;
      const takesPart = critic !== undefined && at.step >= critic.from;
      const given: Given = {
        x: tensor(x, { shape }),
        regulariser:
          regulariser.inputs?.({
            autoencoder,
            step: at.step,
            latentShape: autoencoder.latentShape(shape),
            random: (purpose) => at.random(purpose),
          }) ?? {},
        autoencoder: rule.inputs(at.step),
        ...(takesPart && { discriminator: criticRule!.inputs(at.step - critic.from) }),
      };
      const result = takesPart
        ? await joint!(state.autoencoder as never, state.discriminator! as never, given as Untraced<Given>)
        : await plain(state.autoencoder as never, given as Untraced<Given>);
      const numbers: Record<string, number> = {};
      for (const [key, value] of Object.entries(result.numbers)) numbers[key] = (await float32Data(value as Tensor, on))[0]!;
      const { loss = 0, reconstruction = 0, discriminator: hinge, gradNorm = 0, discriminatorGradNorm, ...measures } = numbers;
      return {
        state: {
          autoencoder: result.autoencoder as AutoencoderLearner<OptimizerState>,
          ...(state.discriminator && {
            discriminator: 'discriminator' in result ? (result.discriminator as DiscriminatorLearner<OptimizerState>) : state.discriminator,
          }),
        },
        losses: { loss, reconstruction, ...(hinge !== undefined && { discriminator: hinge }) },
        norms: { gradNorm, ...(discriminatorGradNorm !== undefined && { discriminatorGradNorm }) },
        measures: { ...measures, learningRate: Number(given.autoencoder.learningRate) },
        streams: { [STREAM]: next },
        items: { [STREAM]: items },
      };
    },
    ...(options.evaluate && { evaluate: (state, at) => options.evaluate!(state.autoencoder, at) }),
    close: async () => {
      await plain.dispose();
      await joint?.dispose();
    },
  });
}

/** What is logged of a pass: losses for each element, the regulariser's own numbers. */
function numbersOf({ likelihood, penalty, distance, elements, parts }: AutoencoderPass): Readonly<Record<string, Tensor>> {
  return { loss: div(add(likelihood, penalty), elements), reconstruction: distance, ...parts };
}

type Critic<OptimizerState> = Required<DiscriminatorOptions<OptimizerState>>;

interface Judged {
  readonly params: PatchDiscriminatorParams;
  readonly real: Tensor;
  readonly made: Tensor;
  readonly buffers: PatchDiscriminatorBuffers;
}

/** What real and made items cost the discriminator, with R1 where it is asked for. */
function verdictLoss<OptimizerState>({ network, r1 }: Critic<OptimizerState>, { params, real, made, buffers }: Judged) {
  const ofReal = network.apply(params, real, { buffers, statistics: 'batch' });
  const ofMade = network.apply(params, made, { buffers: ofReal.buffers, statistics: 'batch' });
  const hinge = hingeLoss(ofReal.logits, ofMade.logits);
  return {
    loss: r1 === 0 ? hinge : add(hinge, r1Penalty(ofReal.logits, { real, r1 })),
    hinge,
    real: mean(ofReal.logits),
    made: mean(ofMade.logits),
    buffers: ofMade.buffers,
  };
}

/** gamma / 2 times the squared gradient of the logits at real items, averaged over items. */
function r1Penalty(logits: Tensor, { real, r1 }: { readonly real: Tensor; readonly r1: number }): Tensor {
  const perItem = mean(logits, { axes: [1, 2, 3] });
  const [slope] = gradients([sum(perItem)], [real]) as [Tensor];
  return mul(sum(square(slope)), r1 / (2 * real.shape[0]!));
}

function checkedDiscriminator<OptimizerState>(
  given: DiscriminatorOptions<OptimizerState>,
  { lastLayer }: Autoencoder<unknown>,
): Critic<OptimizerState> {
  const { network, learner, weight = 0.5, balance = 'last-layer', from = 0, r1 = 0 } = readOptions(WHERE, given);
  checkNumber(WHERE, { weight }, { atLeast: 0, atMost: 1e6 });
  checkNumber(WHERE, { from }, { atLeast: 0, atMost: 1e9, kind: 'integer' });
  checkChoice(WHERE, { balance }, ['last-layer', 'none']);
  checkR1(WHERE, r1);
  if (typeof network?.apply !== 'function')
    throw new UserError(`[${WHERE}] there is no discriminator: network=${shownValue(network)}. Pass what patchDiscriminator() gives.`);
  if (balance === 'last-layer' && lastLayer === undefined)
    throw new UserError(`[${WHERE}] the autoencoder names no last layer to balance gradients at: balance=${balance}. Choose 'none'.`);
  return { network, learner, weight, balance, from, r1 };
}

/** Traces a pass over shapes, so that what does not fit is known before anything is made. */
function checkShapes<OptimizerState>({
  autoencoder,
  regulariser,
  shape,
  discriminator,
}: Pick<AutoencoderTaskOptions<unknown, OptimizerState>, 'autoencoder' | 'regulariser' | 'shape' | 'discriminator'>): void {
  if (!Array.isArray(shape) || !(shape as readonly unknown[]).every((n) => Number.isSafeInteger(n) && (n as number) > 0))
    throw new UserError(`[${WHERE}] this is no shape of a batch: shape=${shownValue(shape)}. Give [N, inputs, ...].`);
  const params = autoencoder.init(shapesOnly);
  checkFits(regulariser, { autoencoder, posterior: autoencoder.encode(params, zeros(shape)) });
  const decoded = autoencoder.decode(params, zeros(autoencoder.latentShape(shape))).shape;
  if (decoded.join() !== shape.join())
    throw new UserError(
      `[${WHERE}] reconstructions have another shape than what is encoded: shape=[${shape.join(', ')}], decoded=[${decoded.join(', ')}]. `
        + `Give sides that are multiples of ${autoencoder.info.factor.join(', ')}, and as many channels out as in.`,
    );
  if (autoencoder.lastLayer !== undefined && !namedTensors(params).has(autoencoder.lastLayer))
    throw new UserError(
      `[${WHERE}] the autoencoder's last layer is none of its parameters: lastLayer=${shownValue(autoencoder.lastLayer)}.`,
    );
  if (discriminator !== undefined)
    discriminator.network.apply(discriminator.network.init(shapesOnly), zeros(shape), {
      buffers: discriminator.network.buffers(),
      statistics: 'batch',
    });
}

/** What a task is made of, of whatever type it is. @throws UserError naming what is missing */
function checkGiven(options: unknown): void {
  const { autoencoder, regulariser, losses, learner, batch, variance = 'fixed' } = readOptions<Fields>(WHERE, options as Fields);
  checkChoice(WHERE, { variance: variance as string }, ['fixed', 'learned']);
  const given = { autoencoder, regulariser, losses, learner, batch };
  const holds = {
    autoencoder: isRecord(autoencoder) && typeof autoencoder['encode'] === 'function' && typeof autoencoder['decode'] === 'function',
    regulariser: isRecord(regulariser) && typeof regulariser['apply'] === 'function',
    losses: Array.isArray(losses) && losses.length > 0 && losses.every((loss) => isRecord(loss) && typeof loss['apply'] === 'function'),
    learner: isRecord(learner),
    batch: typeof batch === 'function',
  };
  const wrong = (Object.keys(holds) as (keyof typeof holds)[]).find((name) => !holds[name]);
  if (wrong === undefined) return;
  throw new UserError(
    `[${WHERE}] an option is not what a task is made of: ${wrong}=${shownValue(given[wrong])}. Give an autoencoder, `
      + 'a regulariser such as kl(), at least one loss such as l1(), the options of a learner, and a function for batch.',
  );
}

/** Batches come from outside. @throws UserError when it is none, or does not fit */
function checkBatch(batch: unknown, { info }: Autoencoder<unknown>): asserts batch is AutoencoderBatch {
  const { x, shape, items } = (isRecord(batch) ? batch : {}) as Fields;
  const sizes: readonly unknown[] = Array.isArray(shape) ? shape : [];
  const size = sizes.reduce<number>((product, n) => product * (Number.isSafeInteger(n) ? (n as number) : NaN), 1);
  if (x instanceof Float32Array && Array.isArray(items) && sizes[1] === info.inputs && size === x.length) return;
  throw new UserError(
    `[${WHERE}] this is no batch for the autoencoder: x=${shownValue(x)}, shape=${shownValue(shape)}. Give x as a Float32Array of `
      + `[N, ${info.inputs}, ...], its shape, items and next.`,
  );
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
