import type { Algebra, NoiseLevel } from '@langevin/core-schedules';
import type { NoiseSource } from './noise-source.ts';

export interface StartOptions<T> {
  readonly algebra: Algebra<NoInfer<T>>;
  readonly noise: NoiseSource;
  /** The first level of the run. */
  readonly at: NoiseLevel;
  /** A state of the wanted form; its elements do not matter. */
  readonly like: T;
  /** An image to start from instead of nothing, as in image-to-image: it is noised to the level. @default none */
  readonly x0?: T;
}

/**
 * The state a run starts with: sigma times noise, plus alpha times `x0` where there is one.
 *
 * @example
 * const x = await startState({ algebra: arrayAlgebra(), noise: imageNoise({ seed: 0 }), at: { alpha: 1, sigma: 80 }, like: new
 * Float32Array(3 * 32 * 32) }); x.length; // => 3072
 */
export async function startState<T>({ algebra, noise, at, like, x0 }: StartOptions<T>): Promise<T> {
  const z = await noise.draw({ algebra, like, step: 'start', draw: 0 });
  return x0 === undefined ? algebra.linear([at.sigma, z]) : algebra.linear([at.alpha, x0], [at.sigma, z]);
}
