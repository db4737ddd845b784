import type { Algebra, NoiseLevel, NoiseSource } from '@langevin/core';
import { readOptions, UserError } from '@langevin/tensor';
import { checkMethods } from '../check-option.ts';
import { checkLevelList } from '../levels.ts';

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
 * @throws UserError for a level that is none, and where `like` or `x0` is no state of the algebra
 * @example
 * const x = await startState({
 *   algebra: arrayAlgebra(),
 *   noise: imageNoise({ seed: 0 }),
 *   at: { alpha: 1, sigma: 80 },
 *   like: new Float32Array(3 * 32 * 32),
 * });
 * x.length; // => 3072
 */
export async function startState<T>(options: StartOptions<T>): Promise<T> {
  const { algebra, noise, at, like, x0 } = readOptions('samplers/start-state', options);
  checkMethods(
    'start-state',
    { algebra },
    { methods: ['linear', 'fromHost', 'complaint'], remedy: 'Pass arrayAlgebra() or tensorAlgebra().' },
  );
  checkMethods('start-state', { noise }, { methods: ['draw'], remedy: 'Pass a source of noise, such as imageNoise({ seed: 0 }).' });
  checkLevelList('start-state', [at]);
  const wrong = algebra.complaint(like, like) ?? (x0 === undefined ? undefined : algebra.complaint(x0, like));
  if (wrong !== undefined)
    throw new UserError(
      `[samplers/start-state] a state has the form that its algebra works with: ${wrong}. Pass like, and x0 in its form.`,
    );
  const z = await noise.draw({ algebra, like, step: 'start', draw: 0 });
  return x0 === undefined ? algebra.linear([at.sigma, z]) : algebra.linear([at.alpha, x0], [at.sigma, z]);
}
