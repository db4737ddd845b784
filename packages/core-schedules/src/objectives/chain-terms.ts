import { CLEAN } from '@langevin/core';
import type { DiscreteNoiseProcess } from '../processes/discrete-vp.ts';
import { transition } from '../transition.ts';

/** What the bound on the likelihood has of one step of a chain, x_i to x_(i-1), as float64 numbers. */
export interface ChainTerm {
  /** The posterior mean moves by this times an error in x0. */
  readonly x0Scale: number;
  /** log beta_i: the greatest variance that a reverse step may sensibly have. */
  readonly logBeta: number;
  /** log of the posterior's variance, the least; of step 1 for step 0, whose own is zero. */
  readonly logPosterior: number;
  /** The last step, from x_0 to pixels, has a likelihood in place of a divergence. */
  readonly decoder: boolean;
}

/** Ho et al. 2020 (arXiv:2006.11239, eqs. 6 and 7). */
export function chainTerm(process: DiscreteNoiseProcess, step: number): ChainTerm {
  const levelOf = (i: number) => (i < 0 ? CLEAN : process.level(process.timeOfStep(i)));
  const at = (i: number) => transition(levelOf(i), levelOf(i - 1));
  const { x0Scale, added } = at(step);
  return { x0Scale, logBeta: Math.log(added), logPosterior: Math.log(at(Math.max(1, step)).posterior), decoder: step === 0 };
}
