import { networkDenoiser } from '@langevin/diffusion';
import { cfg } from '@langevin/guidance';
import type { Image } from '@langevin/io';
import { sampleImages, type DiffusionModel } from '@langevin/pipelines';
import { dpmpp2m } from '@langevin/samplers';
import type { Engine } from '@langevin/tensor';

/** Model calls of each sample without guidance: one a step. */
export const CALLS = 20;

export interface StudySampleOptions {
  readonly model: DiffusionModel;
  /** The class of each sample. */
  readonly labels: Int32Array;
  readonly seed: number;
  readonly engine: Engine;
  /** w in uncond + w (cond - uncond). @default 1, no guidance */
  readonly guidanceScale?: number;
}

/** Samples of a model, all by one sampler with so many calls. @throws Error when it took another number of calls */
export async function samplesOf({ model, labels, seed, engine, guidanceScale = 1 }: StudySampleOptions): Promise<readonly Image[]> {
  const compiled = networkDenoiser({ network: model.network, params: model.params, noise: model.noise, engine });
  try {
    const events = sampleImages({
      model,
      labels: [...labels],
      seed,
      sampler: dpmpp2m(),
      steps: CALLS,
      batch: 250,
      engine,
      compiled,
      ...(guidanceScale !== 1 && { guidance: cfg({ scale: guidanceScale }) }),
    });
    for await (const event of events) {
      if (event.kind !== 'done') continue;
      const calls = guidanceScale === 1 ? CALLS : 2 * CALLS;
      if (event.nfe !== calls)
        throw new Error(`[bench/quality] sampling took another number of calls: calls=${event.nfe}, meant=${calls}.`);
      return event.images;
    }
  } finally {
    await compiled.dispose();
  }
  throw new Error('[bench/quality] sampling ended without pictures.');
}
