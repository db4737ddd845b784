import { defineDenoiser, isLevelList, type Denoiser, type NoiseLevel, type NoiseLevels, type Sampler } from '@langevin/core';
import { tensorAlgebra } from '@langevin/core-schedules';
import type { NoiseRecipe } from '@langevin/diffusion';
import { torchNoise, trajectory } from '@langevin/samplers';
import { add, mul, tensor, type Engine, type Generator, type Tensor } from '@langevin/tensor';
import type { RunStep } from './run-step.ts';
import type { TimestepLevel } from './scheduler-run.ts';

export interface SamplerRunOptions {
  readonly sampler: Sampler;
  readonly levels: readonly NoiseLevel[];
  /** The network's own output, guided, at a step of so many. */
  readonly predict: (step: number, steps: number) => Denoiser<Tensor>;
  /** What that output means, and which timestep the network is told at a level. */
  readonly noise: NoiseRecipe;
  /** The state at the first level. */
  readonly x: Tensor;
  /** They draw the noise of the steps: one for each item, or one for all. */
  readonly generators: Generator | readonly Generator[];
  readonly signal?: AbortSignal;
  readonly engine?: Engine | undefined;
}

/**
 * Leads a state over noise levels by a sampler of this project, where {@link schedulerRun} takes a scheduler of diffusers. Steps are those
 * of the sampler, which may call the network several times in each.
 */
export async function* samplerRun(options: SamplerRunOptions): AsyncGenerator<RunStep, void> {
  const { sampler, levels, predict, noise, x, generators, signal, engine } = options;
  const steps = levels.length - 1;
  let made = 0;
  if (steps < 1) return;
  for await (const state of trajectory({
    sampler,
    denoise: cleanPrediction(() => predict(made, steps), noise),
    x,
    levels,
    noise: torchNoise(generators),
    algebra: tensorAlgebra(engine ? { engine } : {}),
    ...(signal && { signal }),
  })) {
    const { timestep } = told(levels[made]!, noise);
    made = state.step;
    yield { step: state.step, steps, calls: state.nfe, timestep, x: state.x, denoised: state.denoised };
  }
}

/** The prediction of the clean state from a network's own output: cSkip x + cOut F(cIn x), as its preconditioning says. */
function cleanPrediction(predict: () => Denoiser<Tensor>, noise: NoiseRecipe): Denoiser<Tensor> {
  const factor = (levels: readonly NoiseLevel[], of: 'cIn' | 'cSkip' | 'cOut'): Tensor =>
    tensor(
      Float32Array.from(levels, (level) => noise.preconditioning.at(level)[of]),
      { shape: [levels.length, 1, 1, 1] },
    );
  return defineDenoiser<Tensor>({
    // What is asked for both prompts is one call.
    nfe: 1,
    detailed: async (x, at: NoiseLevels) => {
      const levels = isLevelList(at) ? at : [at];
      const network = predict();
      const asked = isLevelList(at) ? at.map((level) => told(level, noise)) : told(at, noise);
      const output = await network.detailed(mul(x, factor(levels, 'cIn')), asked);
      const clean = (own: Tensor): Tensor => add(mul(x, factor(levels, 'cSkip')), mul(own, factor(levels, 'cOut')));
      return { denoised: clean(output.denoised), ...(output.unconditional && { unconditional: clean(output.unconditional) }) };
    },
  });
}

/** A level with the timestep that the network is told there. */
function told(level: NoiseLevel, { preconditioning }: NoiseRecipe): TimestepLevel {
  return { ...level, timestep: preconditioning.at(level).cNoise };
}
