import { relativeSigma } from '@langevin/core';
import { readOptions, UserError } from '@langevin/tensor';
import { checkProcess } from '../noise-process.ts';
import { discreteVp, type DiscreteNoiseProcess } from '../processes/discrete-vp.ts';
import { predictionPreconditioning } from './prediction.ts';
import type { Preconditioning } from '../preconditioning.ts';

export interface IddpmPreconditioningOptions {
  /** The chain on which the network was trained. @default the cosine chain of 1000 steps */
  readonly process?: DiscreteNoiseProcess;
}

/**
 * Networks of improved DDPM and ADM, which predict epsilon and know whole steps only, as Karras et al. 2022 state them (arXiv:2206.00364,
 * table 1, column "iDDPM"): cNoise is the step whose sigma / alpha is nearest.
 *
 * @example
 * iddpmPreconditioning().at(sigmaLevel(3)).cOut; // => -3
 */
export function iddpmPreconditioning(options: IddpmPreconditioningOptions = {}): Preconditioning {
  const { process = discreteVp({ betas: 'squared-cosine' }) } = readOptions('core-schedules/iddpm', options);
  checkProcess('core-schedules/iddpm', process);
  if (typeof process.timeOfStep !== 'function')
    throw new UserError(`[core-schedules/iddpm] the networks know steps of a chain: process=${process.name}. Use discreteVp().`);
  const nearest = (t: number): number => {
    const position = process.conditioning(t);
    const sigma = relativeSigma(process.level(t));
    const [below, above] = [Math.floor(position), Math.ceil(position)];
    const distance = (step: number): number => Math.abs(relativeSigma(process.level(process.timeOfStep(step))) - sigma);
    return distance(below) < distance(above) ? below : above;
  };
  return Object.freeze({ ...predictionPreconditioning({ process, prediction: 'epsilon', conditioning: nearest }), name: 'iddpm' });
}
