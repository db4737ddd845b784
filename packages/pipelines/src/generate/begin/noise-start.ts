import { mul, scalar } from '@langevin/tensor';
import type { Beginning, BeginOptions } from './beginning.ts';
import { startingNoise } from './starting-noise.ts';

/** Noise alone, at the deviation of the first timestep. */
export function noiseStart({ scheduler, generators, shape }: BeginOptions): Beginning {
  return { latents: mul(startingNoise(generators, shape), scalar(scheduler.initNoiseSigma)), startAt: 0 };
}
