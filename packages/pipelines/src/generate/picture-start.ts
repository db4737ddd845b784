import { fromImages, type Image } from '@langevin/io';
import type { DiffusersScheduler } from '@langevin/samplers/compat';
import { tensor, type Generator, type Tensor } from '@langevin/tensor';
import type { OpenProduct } from './product.ts';
import { startingNoise } from './starting-noise.ts';

export interface PictureStartOptions {
  readonly model: OpenProduct;
  /** With its timesteps set; it is told where the run begins. */
  readonly scheduler: DiffusersScheduler<Tensor>;
  readonly start: { readonly pictures: readonly Image[]; readonly strength: number };
  readonly steps: number;
  /** One for each picture: it draws from the posterior first, then the noise. */
  readonly generators: readonly Generator[];
  /** Of one state: [channels, height, width] */
  readonly shape: readonly number[];
}

/**
 * The state of pictures that are noised part of the way, and where in the list of timesteps their run begins, as the image-to-image
 * pipelines of diffusers have it: the last floor(steps strength) steps are run.
 */
export async function pictureStart(options: PictureStartOptions): Promise<{ readonly latents: Tensor; readonly startAt: number }> {
  const { model, scheduler, start, steps, generators, shape } = options;
  const { data, shape: form } = fromImages(start.pictures);
  const clean = await model.coder.encode(tensor(data, { shape: form }), startingNoise(generators, shape));
  // 50 * 0.58 is 28.999999999999996.
  const run = Math.floor(steps * start.strength + 1e-9);
  const startAt = (steps - run) * scheduler.order;
  const timestep = scheduler.timesteps[startAt];
  if (timestep === undefined) return { latents: clean, startAt };
  if (scheduler.beginsBy === 'index') scheduler.setBeginIndex(startAt);
  const noise = startingNoise(generators, shape);
  return { latents: scheduler.addNoise(clean, noise, timestep), startAt };
}
