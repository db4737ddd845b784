import {
  constantDecay,
  constantSchedule,
  cosineSchedule,
  halfLifeDecay,
  powerDecay,
  withWarmUp,
  type AdamState,
  type Decay,
  type Optimizer,
  type Schedule,
} from '@langevin/nn';
import { optimizers } from './optimizers.ts';
import type { TrainingConfig } from './training-config.ts';

/** The name of the moving average in a run's state. */
export const AVERAGE = 'average';

/** The optimiser of a configuration. */
export function optimizerOf({ optimizer: { name, betas, weightDecay } }: Pick<TrainingConfig, 'optimizer'>): Optimizer<AdamState> {
  const options = { beta1: betas[0], beta2: betas[1], ...(weightDecay !== undefined && { weightDecay }) };
  return optimizers[name](options);
}

/** Its learning rate. */
export function scheduleOf({ optimizer: { learningRate, warmUp, cosineSteps } }: Pick<TrainingConfig, 'optimizer'>): Schedule {
  const base =
    cosineSteps === undefined ? constantSchedule(learningRate) : cosineSchedule({ from: learningRate, to: 0, steps: cosineSteps });
  return warmUp === 0 ? base : withWarmUp(base, warmUp);
}

/** Its moving average. */
export function decayOf({
  average,
  batchSize,
  accumulate = 1,
}: Pick<TrainingConfig, 'average' | 'batchSize'> & { readonly accumulate?: number }): Decay {
  if ('std' in average) return powerDecay(average.std);
  return 'decay' in average
    ? constantDecay(average.decay)
    : halfLifeDecay({ halfLife: average.halfLifeImages, batch: batchSize * accumulate });
}
