import type { Conditions } from '@langevin/core';
import type { Image } from '@langevin/io';
import { add, concat, mul, scalar, sub, tensor, type Tensor } from '@langevin/tensor';
import type { Beginning, BeginOptions } from './beginning.ts';
import { maskLight } from '../mask-light.ts';
import { beginPartWay, pixelsOf, type PictureStart } from './picture-start.ts';
import { startingNoise } from './starting-noise.ts';

/** Pictures of which what is under a mask is made anew. */
export interface MaskedStart extends PictureStart {
  /** One for each picture: what is white is made anew. */
  readonly masks: readonly Image[];
}

/** Light of a grey value, from 0 to 1, from which on a pixel is under the mask. */
const HALF = 0.5;

/**
 * The state of pictures of which a part is made anew. A network that was trained for it is told the mask and the latents of the rest at
 * each step (Rombach et al. 2022, arXiv:2112.10752, section 4.5); with any other the rest is put back after each step, noised to its
 * timestep. As the inpainting pipelines of diffusers have it, whose order of draws this is: the posterior of the picture where it is
 * needed, the noise, the posterior of the rest.
 */
export async function maskedStart(options: BeginOptions, { pictures, masks, strength }: MaskedStart): Promise<Beginning> {
  const { model, scheduler, generators, shape } = options;
  const { fills, coder, state } = model;
  const startAt = beginPartWay(options, strength);
  const first = scheduler.timesteps[startAt]!;
  const pixels = pixelsOf(pictures);
  const needed = fills === 'blended' || strength < 1;
  const clean = needed ? await coder.encode(pixels, startingNoise(generators, shape)) : undefined;
  const noise = startingNoise(generators, shape);
  const latents = strength < 1 ? scheduler.addNoise(clean!, noise, first) : mul(noise, scalar(scheduler.initNoiseSigma));
  const areas = masks.map(areaOf);
  const mask = smallMask(areas, { masks, factor: state.factor });
  if (fills === 'joined') return { latents, startAt, conditions: await maskConditions(options, { pictures, masks, strength }) };
  // diffusers encodes the rest here too, whatever comes of it: the draws after it are others.
  startingNoise(generators, shape);
  return {
    latents,
    startAt,
    settle: (x, next) => {
      const outside = next === undefined ? clean! : scheduler.addNoise(clean!, noise, next);
      return add(mul(sub(scalar(1), mask), outside), mul(mask, x));
    },
  };
}

/** What a network that was trained for masks is told: the mask, and the latents of the rest. Generators draw from its posterior. */
export async function maskConditions(
  { model, generators, shape }: Pick<BeginOptions, 'model' | 'generators' | 'shape'>,
  { pictures, masks }: MaskedStart,
): Promise<Conditions> {
  const areas = masks.map(areaOf);
  const mask = smallMask(areas, { masks, factor: model.state.factor });
  const { width, height } = masks[0]!;
  const kept = tensor(
    Float32Array.from(areas.flat(), (value) => 1 - value),
    { shape: [masks.length, 1, height, width] },
  );
  const rest = await model.coder.encode(mul(pixelsOf(pictures), kept), startingNoise(generators, shape));
  return { joined: concat([mask, rest], 1) };
}

/** 1 under the mask, 0 elsewhere, of each pixel. */
function areaOf(mask: Image): readonly number[] {
  return Array.from(maskLight(mask), (light) => (light / 255 < HALF ? 0 : 1));
}

/** The mask at the size of latents, [N, 1, H, W]: of each square its first pixel. */
function smallMask(
  areas: readonly (readonly number[])[],
  { masks, factor }: { readonly masks: readonly Image[]; readonly factor: number },
): Tensor {
  const { width, height } = masks[0]!;
  const [w, h] = [width / factor, height / factor];
  const values = areas.flatMap((area) =>
    Array.from({ length: w * h }, (_, i) => area[Math.floor(i / w) * factor * width + (i % w) * factor]!),
  );
  return tensor(Float32Array.from(values), { shape: [areas.length, 1, h, w] });
}
