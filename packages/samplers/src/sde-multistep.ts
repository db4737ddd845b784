import { defineSampler, type Sampler } from '@langevin/core';
import { checkNumber } from '@langevin/tensor';
import { finiteHistory, remember, stepOrder, type LowerOrderFinal } from './maths/multistep.ts';
import { stochasticDeviation, stochasticTerms } from './maths/stochastic-exponential.ts';
import type { SmoothPrediction } from './maths/exponential.ts';

export interface SdeMultistepOptions {
  /** Rate of Langevin noise, >= 0: 0 is the probability-flow ODE, 1 the reverse SDE. @default 1 */
  readonly eta?: number;
  /** Factor on the noise that is added, > 0. @default 1 */
  readonly sNoise?: number;
  /**
   * What is taken as smooth in lambda: the clean sample (DPM-Solver++) or the noise (DPM-Solver).
   * @default 'x0', the stabler under guidance
   */
  readonly prediction?: SmoothPrediction;
  /** When the order falls at the end of a run. @default 'clean', as the paper has no rule for it */
  readonly lowerOrderFinal?: LowerOrderFinal;
}

export interface SdeMultistepDefinition extends SdeMultistepOptions {
  readonly name: string;
  readonly paper: string;
  /** Most evaluations that a step uses. */
  readonly evaluations: number;
  /** Declared orders, without and with noise. */
  readonly orders: { readonly quiet: number; readonly noisy: number };
  /** Replaces exact moments of the integrals, for a step through so many evaluations. */
  readonly adjust: (moments: readonly number[]) => readonly number[];
}

/** Multistep methods of the diffusion SDEs in lambda: one evaluation a step, extrapolated through those before it. */
export function sdeMultistep({
  name,
  paper,
  evaluations,
  orders,
  adjust,
  eta = 1,
  sNoise = 1,
  prediction = 'x0',
  lowerOrderFinal = 'clean',
}: SdeMultistepDefinition): Sampler {
  checkNumber(`samplers/${name}`, { eta }, { atLeast: 0 });
  checkNumber(`samplers/${name}`, { sNoise }, { above: 0 });
  return defineSampler({
    name,
    order: eta > 0 ? orders.noisy : orders.quiet,
    stochastic: eta > 0,
    paper,
    step: async (input) => {
      const { x, from, to, denoise, noise, algebra, state } = input;
      const denoised = await denoise(x, from);
      const now = { at: from, x, denoised };
      const order = stepOrder(input, evaluations, lowerOrderFinal);
      // Where h is infinite the noise prediction has no limit; that of the clean sample has.
      const step = { form: order === 1 && (from.alpha === 0 || to.sigma === 0) ? 'x0' : prediction, rate: eta, adjust } as const;
      const terms = stochasticTerms(step, { from, to, x }, [now, ...finiteHistory(state.history)].slice(0, order));
      const kept = remember(state, now, evaluations - 1);
      if (eta === 0 || to.sigma === 0) return { x: algebra.linear(...terms), denoised, state: kept };
      return { x: algebra.linear(...terms, [sNoise * stochasticDeviation(step, input), await noise()]), denoised, state: kept };
    },
  });
}
