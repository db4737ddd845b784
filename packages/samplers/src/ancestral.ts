import { defineSampler, relativeSigma, type Sampler, type SamplerState } from '@langevin/core';
import { checkNumber } from '@langevin/tensor';
import { checkChoice } from './check-option.ts';
import { ancestralSplit } from './maths/ancestral.ts';

/** Options that all ancestral samplers share. */
export interface AncestralOptions {
  /**
   * Share of the noise of a step that is new, >= 0: 0 is the deterministic sampler, 1 the posterior's noise; above 1 it is limited by the
   * level.
   * @default 1
   */
  readonly eta?: number;
  /** Factor on the noise that is added, > 0. @default 1, at which levels are what they say */
  readonly sNoise?: number;
  /**
   * What eta = 1 means: DDPM's posterior, or the rectified-flow form; `by-process` takes the latter between levels with alpha + sigma = 1,
   * as ComfyUI does. @default 'posterior'
   */
  readonly form?: 'posterior' | 'flow' | 'by-process';
}

export interface AncestralDefinition extends AncestralOptions {
  readonly name: string;
  readonly paper: string;
  /** Order of the marginals with noise, when it is not that of the base. */
  readonly noisyOrder?: number;
}

/**
 * A sampler that takes the steps of another one further than asked, and adds noise to come back: to a level `down`, and from there
 * up to the next level of the run. Where the base is exact, so are the marginals.
 *
 * @throws UserError when an option is out of range
 */
export function ancestral(
  base: Sampler,
  { name, paper, eta = 1, sNoise = 1, form = 'posterior', noisyOrder = base.order }: AncestralDefinition,
): Sampler {
  checkNumber(`samplers/${name}`, { eta }, { atLeast: 0 });
  checkNumber(`samplers/${name}`, { sNoise }, { above: 0 });
  checkChoice(name, { form }, ['posterior', 'flow', 'by-process']);
  const stochastic = eta > 0;
  return defineSampler({
    name,
    order: stochastic ? noisyOrder : base.order,
    stochastic,
    paper,
    init: base.init,
    step: async (input) => {
      const { to, noise, algebra } = input;
      const { down, up } = ancestralSplit(input, eta, form);
      const output = await base.step({ ...input, to: down });
      if (eta === 0) return output;
      const state = output.state === undefined ? {} : { state: lifted(output.state, relativeSigma(to) / relativeSigma(down)) };
      if (to.sigma === 0) return { ...output, ...state };
      return { ...output, ...state, x: algebra.linear([1, output.x], [sNoise * up, await noise()]) };
    },
  });
}

/**
 * Noise lifts what a multistep base remembers along with the state, so that the steps of lambda it sees between evaluations are those
 * that it made.
 */
function lifted<T>(state: SamplerState<T>, by: number): SamplerState<T> {
  if (!Number.isFinite(by)) return state;
  return {
    ...state,
    history: state.history.map((evaluation) => ({ ...evaluation, at: { alpha: evaluation.at.alpha, sigma: evaluation.at.sigma * by } })),
  };
}
