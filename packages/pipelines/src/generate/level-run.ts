import type { Denoiser, NoiseLevel, Sampler } from '@langevin/core';
import { tensorAlgebra } from '@langevin/core-schedules';
import { startState, torchNoise, trajectory } from '@langevin/samplers';
import { zeros, type Engine, type Generator, type Tensor } from '@langevin/tensor';

/** A state after another call of the network, whoever made it. */
export interface RunState {
  /** Calls or steps so far, and in all. */
  readonly step: number;
  readonly steps: number;
  readonly x: Tensor;
  /** What the clean state is taken to be. */
  readonly denoised: Tensor;
  /** Calls of the network for each picture so far. */
  readonly calls: number;
}

export interface LevelRunOptions {
  readonly sampler: Sampler;
  readonly denoise: Denoiser<Tensor>;
  readonly levels: readonly NoiseLevel[];
  /** [N, channels, height, width] */
  readonly shape: readonly number[];
  /** They draw the noise of the start and of the steps: one for each item, or one for all. */
  readonly generators: Generator | readonly Generator[];
  readonly signal?: AbortSignal;
  readonly engine?: Engine;
}

/** Leads noise over the levels of a spacing by one of our own samplers. */
export async function* levelRun(options: LevelRunOptions): AsyncGenerator<RunState, void> {
  const { sampler, denoise, levels, shape, generators, signal, engine } = options;
  const algebra = tensorAlgebra(engine ? { engine } : {});
  const noise = torchNoise(generators);
  const x = await startState({ algebra, noise, at: levels[0]!, like: zeros(shape) });
  for await (const { step, steps, nfe, ...state } of trajectory({
    sampler,
    denoise,
    x,
    levels,
    noise,
    algebra,
    ...(signal && { signal }),
  }))
    yield { step, steps, x: state.x, denoised: state.denoised, calls: nfe };
}
