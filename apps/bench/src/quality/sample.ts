import { combineDenoisers, type Denoiser } from '@langevin/core';
import { networkDenoiser } from '@langevin/diffusion';
import type { Image } from '@langevin/io';
import { sampleImages, type DiffusionModel } from '@langevin/pipelines';
import { dpmpp2m } from '@langevin/samplers';
import { add, mul, type Engine, type Tensor } from '@langevin/tensor';

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
  const { none } = model.labels ?? {};
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
      ...(guidanceScale !== 1 && {
        denoiser: (denoise, { denoiserOf, images }) => {
          if (none === undefined) throw new Error('[bench/quality] guidance needs a model that was trained without labels too.');
          return guided(denoise, denoiserOf(images.map(() => none)), guidanceScale);
        },
      }),
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

/** Classifier-free guidance (Ho and Salimans 2022, arXiv:2207.12598, eq. 6): two calls for one. */
function guided(conditional: Denoiser<Tensor>, unconditional: Denoiser<Tensor>, w: number): Denoiser<Tensor> {
  return combineDenoisers([conditional, unconditional], ([{ denoised: c }, { denoised: u }]) => ({
    denoised: add(mul(c, w), mul(u, 1 - w)),
    unconditional: u,
  }));
}
