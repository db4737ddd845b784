import type { NoiseLevel } from '@langevin/core-schedules';
import type { PairLevel } from '../critically-damped.ts';
import { inverse, multiply, multiplyAdd, type Matrix2 } from '../maths/matrix2.ts';
import { defineSampler, type Sampler } from '../sampler.ts';
import { ddim } from './ddim.ts';

/**
 * gDDIM (Zhang et al. 2022, arXiv:2206.05564, eq. 18), DDIM for diffusions that are not isotropic: u' = A' D + R' R^-1 (u - A D), where an ordinary level has the numbers alpha and sigma for the
 * matrices A and R. On levels of `criticallyDamped()` a state is a pair, positions and velocities put together along the batch (`algebra.concat([x, v])`), and the denoiser
 * gives the clean pair in the same form: A^-1 (u - R epsilon). On all other levels it is DDIM.
 *
 * With R from gDDIM's own equation, data that are one point are reached exactly in one step; with a triangular root they are not.
 */
export function gddim(): Sampler {
  const isotropic = ddim();
  return defineSampler({
    name: 'gddim',
    order: 1,
    stochastic: false,
    paper: 'arXiv:2206.05564, eq. 18',
    step: async (input) => {
      const { x, from, to, denoise, algebra } = input;
      if (!isPair(from) || !isPair(to)) return isotropic.step(input);
      const denoised = await denoise(x, from);
      const kept = multiply(to.root, inverse(from.root));
      const taken = multiplyAdd(to.mean, -1, multiply(kept, from.mean));
      const [u, d] = [algebra.split(x, 2), algebra.split(denoised, 2)] as [readonly [typeof x, typeof x], readonly [typeof x, typeof x]];
      const row = (k: 0 | 2): typeof x => algebra.linear([kept[k], u[0]], [kept[k + 1]!, u[1]], [taken[k], d[0]], [taken[k + 1]!, d[1]]);
      return { x: algebra.concat([row(0), row(2)]), denoised };
    },
  });
}

function isPair(level: NoiseLevel): level is PairLevel {
  const { mean, root } = level as { readonly mean?: Matrix2; readonly root?: Matrix2 };
  return mean !== undefined && root !== undefined;
}
