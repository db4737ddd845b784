import { defineSampler, type Evaluation, type Sampler, type Term } from '@langevin/core';
import { checkNumber } from '@langevin/tensor';
import { levelInside } from './maths/exponential.ts';
import { stochasticDeviation, stochasticGain, stochasticTerms, type StochasticStep } from './maths/stochastic-exponential.ts';

export interface SdeSinglestepOptions {
  /** Rate of Langevin noise, >= 0: 0 is the probability-flow ODE, 1 the reverse SDE. @default 1 */
  readonly eta?: number;
  /** Factor on the noise that is added, > 0. @default 1 */
  readonly sNoise?: number;
}

export interface SdeStage {
  /** Where the stage ends, as a share of the step in lambda; 1 for the last. */
  readonly at: number;
  /** Which evaluations of this step it goes through: 0 is that at the start. */
  readonly through: readonly number[];
}

export interface SdeSinglestepDefinition extends SdeSinglestepOptions {
  readonly name: string;
  readonly paper: string;
  /** Declared orders, without and with noise. */
  readonly orders: { readonly quiet: number; readonly noisy: number };
  readonly stages: readonly SdeStage[];
  /** Replaces exact moments of the integrals. @default none */
  readonly adjust?: (moments: readonly number[]) => readonly number[];
}

/**
 * Singlestep exponential methods of the diffusion SDEs in lambda. All stages see one Brownian path: what a stage drew stays in the later
 * ones, damped as the state is.
 */
export function sdeSinglestep({ name, paper, orders, stages, adjust, eta = 1, sNoise = 1 }: SdeSinglestepDefinition): Sampler {
  checkNumber(`samplers/${name}`, { eta }, { atLeast: 0 });
  checkNumber(`samplers/${name}`, { sNoise }, { above: 0 });
  const rule: StochasticStep = { form: 'x0', rate: eta, ...(adjust === undefined ? {} : { adjust }) };
  return defineSampler({
    name,
    order: eta > 0 ? orders.noisy : orders.quiet,
    stochastic: eta > 0,
    paper,
    step: async ({ x, from, to, denoise, noise, algebra }) => {
      const denoised = await denoise(x, from);
      const evaluations: Evaluation<typeof x>[] = [{ at: from, x, denoised }];
      // Stages inside the step are at no finite lambda when one end is not.
      const singular = from.alpha === 0 || to.sigma === 0;
      let path: readonly Term<typeof x>[] = [];
      let last = from;
      let result = x;
      for (const { at, through } of singular ? [{ at: 1, through: [0] }] : stages) {
        const level = at === 1 ? to : levelInside({ from, to }, at);
        const move = { from: last, to: level };
        const gain = stochasticGain(rule, move);
        path = path.map(([coefficient, z]): Term<typeof x> => [gain * (coefficient as number), z]);
        if (eta > 0 && level.sigma > 0) path = [...path, [sNoise * stochasticDeviation(rule, move), await noise(move)]];
        const terms = stochasticTerms(
          rule,
          { from, to: level, x },
          through.map((k) => evaluations[k]!),
        );
        result = algebra.linear(...terms, ...path);
        if (at < 1) evaluations.push({ at: level, x: result, denoised: await denoise(result, level) });
        last = level;
      }
      return { x: result, denoised };
    },
  });
}
