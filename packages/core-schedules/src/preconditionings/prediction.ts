import { lambdaOf, type NoiseLevel } from '@langevin/core';
import { readOptions, shownValue, UserError } from '@langevin/tensor';
import { checkProcess, type NoiseProcess } from '../noise-process.ts';
import { predictionConversion, predictionParts, predictions, type Prediction } from '../prediction.ts';
import type { Preconditioning } from '../preconditioning.ts';

const WHERE = 'core-schedules/preconditioning';

export interface PredictionPreconditioningOptions {
  /** The process on whose states the network was trained. */
  readonly process: NoiseProcess;
  readonly prediction: Prediction;
  /** The number the network is given for a time. @default the process's custom: 999 t for vp-linear, the step for a chain */
  readonly conditioning?: (t: number) => number;
  /** Condition on the nearest whole step, for networks that know only those; needs a process with steps. @default false */
  readonly wholeSteps?: boolean;
}

/**
 * A network that predicts epsilon, x0, v, flow or score on a process of its own, as most do. States in other units (EDM's,
 * say) are scaled to that process first, so that a VP network can be sampled in sigma units.
 *
 * It covers DDPM and iDDPM (discreteVp, epsilon), the VP column of EDM's table 1 (vpLinear, epsilon), v-prediction and
 * rectified flow (flow, flow).
 *
 * @example
 * predictionPreconditioning({ process: flow(), prediction: 'flow' }).at({ alpha: 0.75, sigma: 0.25 }).cOut; // => -0.25
 */
export function predictionPreconditioning(options: PredictionPreconditioningOptions): Preconditioning {
  const {
    process,
    prediction,
    conditioning = process?.conditioning,
    wholeSteps = false,
  } = readOptions('core-schedules/prediction-preconditioning', options);
  checkProcess(WHERE, process);
  if (!predictions.includes(prediction))
    throw new UserError(`[${WHERE}] unknown prediction: prediction=${shownValue(prediction)}. Known: ${predictions.join(', ')}.`);
  if (typeof conditioning !== 'function')
    throw new UserError(`[${WHERE}] conditioning is no function of time: conditioning=${shownValue(conditioning)}. Leave it out.`);
  const { steps } = process;
  if (wholeSteps && steps === undefined) {
    throw new UserError(`[${WHERE}] wholeSteps needs a process with steps: process=${process.name}. Use discreteVp(), or leave it out.`);
  }
  const timeOf = (level: NoiseLevel): number => {
    const t = process.time(lambdaOf(level));
    return wholeSteps ? Math.max(1, Math.round(t * steps!)) / steps! : t;
  };
  return Object.freeze({
    name: `${prediction} on ${process.name}`,
    at: (level: NoiseLevel) => {
      const own = process.levelOf(lambdaOf(level));
      // Either ratio gives the scale; the larger of the two is the better conditioned, and one of them is never 0 / 0.
      const cIn = own.alpha > own.sigma ? own.alpha / level.alpha : own.sigma / level.sigma;
      const toX0 = predictionConversion({ from: prediction, to: 'x0' }, own);
      const target = predictionParts(prediction, own);
      return {
        cSkip: toX0.x * cIn,
        cOut: toX0.prediction,
        cIn,
        cNoise: conditioning(timeOf(level)),
        targetX0: target.x0,
        targetNoise: target.epsilon,
      };
    },
  });
}
