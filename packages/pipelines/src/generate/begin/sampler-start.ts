import type { NoiseLevel } from '@langevin/core';
import { tensorAlgebra, type Spacing } from '@langevin/core-schedules';
import type { Image } from '@langevin/io';
import { startState, torchNoise } from '@langevin/samplers';
import { zeros, type Engine, type Generator, type Tensor } from '@langevin/tensor';
import type { OpenProduct } from '../product.ts';
import { pixelsOf } from './picture-start.ts';
import { startingNoise } from './starting-noise.ts';

export interface SamplerStartOptions {
  readonly model: OpenProduct;
  readonly spacing: Spacing;
  readonly steps: number;
  /** One for each picture. */
  readonly generators: readonly Generator[];
  /** Of one state: [channels, height, width] */
  readonly shape: readonly number[];
  /** Pictures to begin with, and which share of the steps is run. @default noise alone, and all of them */
  readonly start?: { readonly pictures: readonly Image[]; readonly strength: number } | undefined;
  readonly engine?: Engine | undefined;
}

/** The noise levels that a sampler is led over, and the state at the first of them. */
export async function samplerStart(
  options: SamplerStartOptions,
): Promise<{ readonly levels: readonly NoiseLevel[]; readonly latents: Tensor }> {
  const { model, spacing, steps, generators, shape, start, engine } = options;
  const all = spacing.levels(model.noise.process, { steps });
  const run = start === undefined ? steps : Math.floor((all.length - 1) * start.strength + 1e-9);
  const levels = all.slice(all.length - 1 - run);
  const x0 = start && (await model.coder.encode(pixelsOf(start.pictures), startingNoise(generators, shape)));
  const like = zeros([generators.length, ...shape]);
  const algebra = tensorAlgebra(engine ? { engine } : {});
  if (x0 !== undefined && levels.length === 1) return { levels, latents: x0 };
  const latents = await startState({ algebra, noise: torchNoise(generators), at: levels[0]!, like, ...(x0 && { x0 }) });
  return { levels, latents };
}
