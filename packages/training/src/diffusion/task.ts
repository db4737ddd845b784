import {
  denoisingLoss,
  drawLevels,
  edmPreconditioning,
  edmWeight,
  logNormalSigmas,
  trainingCoefficients,
  type TrainingCoefficients,
} from '@langevin/core-schedules';
import { batches, type Dataset } from '@langevin/io';
import {
  adam,
  adamW,
  clipByGlobalNorm,
  constantSchedule,
  cosineSchedule,
  emaWeight,
  globalNorm,
  halfLifeDecay,
  powerDecay,
  updateAverage,
  withWarmUp,
  type AdamState,
  type Decay,
  type Optimizer,
  type Schedule,
} from '@langevin/nn';
import {
  compile,
  float32Data,
  isFloating,
  tensor,
  readOptions,
  tensorsOf,
  torchGenerator,
  UserError,
  valueAndGrad,
  type Engine,
  type Tensor,
  type Untraced,
} from '@langevin/tensor';
import type { StepResult, TrainingTask } from '../loop.ts';
import type { DiffusionTrainingConfig } from './config.ts';
import type { ConditionalBackbone } from './conditional-backbone.ts';
import { describeData, type ClassGroup } from './data-description.ts';
import { stepGenerator, steppedMode } from './random.ts';

/** What a resumed run may have changed: how fast it learns, and where its data lie, whose content is compared. */
export const MAY_CHANGE: readonly string[] = Object.freeze([
  'data',
  'optimizer.learningRate',
  'optimizer.betas',
  'optimizer.weightDecay',
  'optimizer.warmUp',
  'optimizer.cosineSteps',
  'clipNorm',
]);

/** Everything that a training step changes. */
export interface DiffusionState<Params = unknown> {
  readonly params: Params;
  readonly optimizer: AdamState;
  /** The moving average of the parameters: what samples are drawn with. */
  readonly average: Params;
}

export interface DiffusionTaskOptions<Params> {
  readonly config: DiffusionTrainingConfig;
  readonly dataset: Dataset;
  readonly backbone: ConditionalBackbone<Params>;
  /** Which classes of the data belong together; kept with the run. @default none */
  readonly categories?: readonly ClassGroup[];
  /** @default the default engine */
  readonly engine?: Engine;
  /** Write a picture of what the average of the parameters draws. */
  readonly preview?: (average: Params, path: string) => Promise<void>;
}

/**
 * Train a network to denoise a data set's images, as Karras et al. 2022 do: log-normal noise levels, their preconditioning and weight, a
 * moving average of the parameters.
 *
 * @throws UserError when the network does not fit the images or has fewer classes than the data set
 */
export function diffusionTask<Params>(options: DiffusionTaskOptions<Params>): TrainingTask<DiffusionState<Params>> {
  const { config, dataset, backbone } = readOptions('training/diffusion', options);
  checkFit(options);
  const { sigmaData, meanLogSigma, stdLogSigma } = config.edm;
  const optimizer = optimizerOf(config);
  const schedule = scheduleOf(config);
  const decay = decayOf(config);
  const levels = logNormalSigmas({ mean: meanLogSigma, std: stdLogSigma });
  const preconditioning = edmPreconditioning({ sigmaData });
  const weight = edmWeight({ sigmaData });
  let running = 0;
  const mode = steppedMode(config.seed, () => running);

  const update = compile(
    (state: DiffusionState<Params>, batch: TrainingBatch, { learningRate, averageWeight }: StepWeights) => {
      const { value, grad } = valueAndGrad((params: Params) =>
        denoisingLoss({
          network: (x, cNoise) =>
            backbone.network.apply(
              params,
              x,
              cNoise,
              backbone.classes === undefined ? { mode } : { conditions: { label: batch.labels }, mode },
            ),
          x0: batch.x0,
          noise: batch.noise,
          coefficients: batch.coefficients,
        }),
      )(state.params);
      const norm = globalNorm(grad);
      const clipped = config.clipNorm === undefined ? grad : clipByGlobalNorm(grad, config.clipNorm).grads;
      const { params, state: moments } = optimizer.update(clipped, state.optimizer, { params: state.params, learningRate });
      const average = updateAverage(state.average, params, averageWeight);
      return { state: { params, optimizer: moments, average }, loss: value.loss, norm };
    },
    { donate: [0], name: `${config.name} training step`, ...(options.engine ? { engine: options.engine } : {}) },
  );

  return {
    name: config.name,
    config,
    mayChange: MAY_CHANGE,
    data: describeData(dataset, options.categories),
    init() {
      const params = backbone.network.init(torchGenerator(config.seed));
      return { params, optimizer: optimizer.init(params), average: params };
    },
    async step(state, { step, position }): Promise<StepResult<DiffusionState<Params>>> {
      running = step;
      const [batch] = batches(dataset, { batchSize: config.batchSize, seed: config.seed, position, flip: config.flip });
      if (!batch)
        throw new UserError(
          `[training/diffusion] data set has no batch: dataset=${dataset.name}, length=${dataset.length}, `
            + `batchSize=${config.batchSize}. Use a smaller batch.`,
        );
      const drawn = drawLevels(levels, {
        generator: stepGenerator({ seed: config.seed, step, purpose: 'levels' }),
        count: config.batchSize,
        spread: 'stratified',
      });
      const noise = stepGenerator({ seed: config.seed, step, purpose: 'noise' }).normal(batch.images.length);
      const inputs: TrainingBatch = {
        x0: tensor(batch.images, { shape: batch.shape }),
        noise: tensor(noise, { shape: batch.shape }),
        labels: tensor(batch.labels),
        coefficients: trainingCoefficients({ levels: drawn, preconditioning, weight }),
      };
      const learningRate = schedule(step);
      const result = await update(state as Untraced<typeof state>, inputs, { learningRate, averageWeight: emaWeight(decay, step + 1) });
      const [loss, gradNorm] = await Promise.all([float32Data(result.loss), float32Data(result.norm)]);
      return {
        state: result.state as DiffusionState<Params>,
        metrics: { loss: loss[0]!, gradNorm: gradNorm[0]!, learningRate },
        position: batch.next,
        batch: [...batch.indices],
      };
    },
    ...(options.preview ? { preview: (state: DiffusionState<Params>, path: string) => options.preview!(state.average, path) } : {}),
  };
}

/** Host numbers that differ from step to step: inputs of one compiled graph. */
interface StepWeights {
  readonly learningRate: Tensor;
  readonly averageWeight: Tensor;
}

interface TrainingBatch {
  readonly x0: Tensor;
  readonly noise: Tensor;
  readonly labels: Tensor;
  readonly coefficients: TrainingCoefficients;
}

function checkFit<Params>({ dataset, backbone }: DiffusionTaskOptions<Params>): void {
  const [channels, height, width] = dataset.imageShape;
  if (channels !== backbone.channels || (backbone.size !== undefined && (height !== backbone.size || width !== backbone.size))) {
    throw new UserError(
      `[training/diffusion] images do not fit the network: ${dataset.name} has [${dataset.imageShape.join(', ')}], the network `
        + `wants ${backbone.channels} channels of size ${backbone.size ?? 'any'}. Change in_channels or sample_size, or the data set's `
        + 'size.',
    );
  }
  const classes = dataset.classes?.length ?? 0;
  if (backbone.classes !== undefined && backbone.classes < classes) {
    throw new UserError(
      `[training/diffusion] network has too few classes: num_class_embeds=${backbone.classes}, ${dataset.name} has ${classes}. `
        + 'Raise num_class_embeds.',
    );
  }
}

function optimizerOf({ optimizer: { name, betas, weightDecay } }: DiffusionTrainingConfig): Optimizer<AdamState> {
  const options = { beta1: betas[0], beta2: betas[1], ...(weightDecay !== undefined && { weightDecay }) };
  return name === 'adam' ? adam(options) : adamW(options);
}

function scheduleOf({ optimizer: { learningRate, warmUp, cosineSteps } }: DiffusionTrainingConfig): Schedule {
  const base =
    cosineSteps === undefined ? constantSchedule(learningRate) : cosineSchedule({ from: learningRate, to: 0, steps: cosineSteps });
  return warmUp === 0 ? base : withWarmUp(base, warmUp);
}

function decayOf({ average, batchSize }: DiffusionTrainingConfig): Decay {
  return 'std' in average ? powerDecay(average.std) : halfLifeDecay({ halfLife: average.halfLifeImages, batch: batchSize });
}

/** Number of float parameters of a state, for reports. */
export function countParameters(state: DiffusionState): number {
  return tensorsOf(state.params).reduce((total, { dtype, size }) => total + (isFloating(dtype) ? size : 0), 0);
}
