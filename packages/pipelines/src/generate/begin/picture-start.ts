import { fromImages, type Image } from '@langevin/io';
import { tensor, type Tensor } from '@langevin/tensor';
import type { Beginning, BeginOptions } from './beginning.ts';
import { startingNoise } from './starting-noise.ts';

/** Pictures to begin with, one for each that is made. */
export interface PictureStart {
  readonly pictures: readonly Image[];
  readonly strength: number;
}

/**
 * The state of pictures that are noised part of the way, and where in the list of timesteps their run begins, as the image-to-image
 * pipelines of diffusers have it: the last steps times strength steps are run. Generators draw from the posterior first, then the noise.
 */
export async function pictureStart(options: BeginOptions, start: PictureStart): Promise<Beginning> {
  const { model, scheduler, generators, shape } = options;
  const clean = await model.coder.encode(pixelsOf(start.pictures), startingNoise(generators, shape));
  const startAt = beginPartWay(options, start.strength);
  const timestep = scheduler.timesteps[startAt];
  if (timestep === undefined) return { latents: clean, startAt };
  const noise = startingNoise(generators, shape);
  return { latents: scheduler.addNoise(clean, noise, timestep), startAt };
}

/** Tells a scheduler that the last steps times strength steps are run, and where that begins. */
export function beginPartWay({ model, scheduler, steps }: Pick<BeginOptions, 'model' | 'scheduler' | 'steps'>, strength: number): number {
  // 50 * 0.58 is 28.999999999999996.
  const run = model.partialStep === 'run' ? Math.ceil(steps * strength - 1e-9) : Math.floor(steps * strength + 1e-9);
  const startAt = (steps - run) * scheduler.order;
  if (scheduler.timesteps[startAt] !== undefined && scheduler.beginsBy === 'index') scheduler.setBeginIndex(startAt);
  return startAt;
}

/** [N, C, H, W] in [-1, 1] */
export function pixelsOf(pictures: readonly Image[]): Tensor {
  const { data, shape } = fromImages(pictures);
  return tensor(data, { shape });
}
