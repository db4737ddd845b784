import type { Conditions } from '@langevin/core';
import type { DiffusersScheduler } from '@langevin/samplers/compat';
import type { Generator, Tensor } from '@langevin/tensor';
import type { OpenProduct } from '../product.ts';

/** What a way to begin is told. */
export interface BeginOptions {
  readonly model: OpenProduct;
  /** With its timesteps set; it is told where the run begins. */
  readonly scheduler: DiffusersScheduler<Tensor>;
  readonly steps: number;
  /** One for each picture. */
  readonly generators: readonly Generator[];
  /** Of one state: [channels, height, width] */
  readonly shape: readonly number[];
}

/** The state that a run begins with, and what follows from it for each of its steps. */
export interface Beginning {
  readonly latents: Tensor;
  /** Where in the list of timesteps the run begins. */
  readonly startAt: number;
  /** What the network is told at each step, whatever the prompt. @default nothing */
  readonly conditions?: Conditions;
  /** Changes the state after each step; `next` is the timestep of the step to come, undefined behind the last. @default it stays */
  readonly settle?: (latents: Tensor, next: number | undefined) => Tensor;
}
