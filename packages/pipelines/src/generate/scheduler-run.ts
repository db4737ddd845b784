import type { Denoiser, NoiseLevel } from '@langevin/core';
import type { NoiseProcess, Preconditioning } from '@langevin/core-schedules';
import type { DiffusersScheduler, StepOptions } from '@langevin/samplers/compat';
import type { Generator, Tensor } from '@langevin/tensor';
import type { RunStep } from './run-step.ts';

/** A level at which a network is told a timestep that its scheduler chose, whatever the level says. */
export interface TimestepLevel extends NoiseLevel {
  readonly timestep: number;
}

/**
 * No preconditioning: with it, a denoiser of a network gives the network's own output at the timestep that the level carries. diffusers
 * guides that output, and its schedulers know what it means.
 */
export const ownOutput: Preconditioning = Object.freeze({
  name: 'own output',
  at: (level: NoiseLevel) => ({ cIn: 1, cSkip: 0, cOut: 1, cNoise: (level as TimestepLevel).timestep, targetX0: 0, targetNoise: 0 }),
});

/** The level of a timestep, whole or between two, of the process that a network was trained on. */
export function levelOfTimestep({ process }: { readonly process: NoiseProcess }, timestep: number): NoiseLevel {
  const time = process.steps === undefined ? timestep / 1000 : (timestep + 1) / process.steps;
  return process.level(Math.min(process.domain.max, Math.max(process.domain.min, time)));
}

export interface SchedulerRunOptions {
  /** With its timesteps set. */
  readonly scheduler: DiffusersScheduler<Tensor>;
  /** The network's own output, guided, at a step of so many. */
  readonly predict: (step: number, steps: number) => Denoiser<Tensor>;
  /** The level of a timestep, for rules that look at it. */
  readonly levelOf: (timestep: number) => NoiseLevel;
  /** The state at the first timestep. */
  readonly x: Tensor;
  /** Where in the list of timesteps the run begins. @default 0 */
  readonly startAt?: number;
  /** They draw the noise of the steps: one for each item, or one for all. */
  readonly generators: Generator | readonly Generator[];
  /** Of schedulers that take them: `eta` of DDIM. */
  readonly step?: Pick<StepOptions<Tensor>, 'eta'>;
  /** Changes the state after each step; `next` is the timestep of the step to come. @default it stays */
  readonly settle?: (x: Tensor, next: number | undefined) => Tensor;
  readonly signal?: AbortSignal;
}

/** Leads a state over the timesteps of a scheduler of diffusers, as the loops of its pipelines do. Aborts between calls. */
export async function* schedulerRun(options: SchedulerRunOptions): AsyncGenerator<RunStep, void> {
  const { scheduler, predict, levelOf, startAt = 0, generators, settle, signal } = options;
  const timesteps = scheduler.timesteps.slice(startAt);
  const knows = new Set<string>(scheduler.stepOptions);
  const stepOptions: StepOptions<Tensor> = {
    ...(knows.has('generator') && { generator: generators }),
    ...(knows.has('eta') && options.step?.eta !== undefined && { eta: options.step.eta }),
  };
  let { x } = options;
  for (const [i, timestep] of timesteps.entries()) {
    signal?.throwIfAborted();
    const at: TimestepLevel = { ...levelOf(timestep), timestep };
    const output = await predict(i, timesteps.length)(scheduler.scaleModelInput(x, timestep), at);
    const { prevSample, predOriginalSample } = await scheduler.step(output, timestep, x, stepOptions);
    x = settle ? settle(prevSample, timesteps[i + 1]) : prevSample;
    yield { step: i + 1, steps: timesteps.length, calls: i + 1, timestep, x, denoised: predOriginalSample };
  }
}
