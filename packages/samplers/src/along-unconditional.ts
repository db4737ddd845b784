import {
  type Algebra,
  defineSampler,
  type Evaluation,
  type NoiseLevel,
  type Sampler,
  type SamplerState,
  type StepInput,
  type StepOutput,
} from '@langevin/core';

/**
 * Where methods of more than one evaluation take U, the prediction without condition, under CFG++:
 * - `published`: in their slopes too, as in the authors' repository and ComfyUI
 * - `guided`: for the noise alone; slopes are those of the guided prediction, so that without guidance every method is its plain slopes
 */
export type CfgPpSlopes = 'published' | 'guided';

export const CFG_PP_SLOPES: readonly CfgPpSlopes[] = ['published', 'guided'];

export const CFG_PP_PAPER = 'arXiv:2406.08070';

interface Parts<T> {
  readonly denoised: T;
  readonly unconditional: T;
}

/**
 * x + alpha (D - U): the state whose noise, under the guided prediction D, is that of x under the unconditional one, U. Where both are
 * one it is x to the last bit, as the difference is taken first.
 */
export function renoised<T>(x: T, { denoised, unconditional }: Parts<T>, { at, algebra }: { at: NoiseLevel; algebra: Algebra<T> }): T {
  return algebra.linear([at.alpha, denoised], [-at.alpha, unconditional], [1, x]);
}

/**
 * CFG++ (Chung et al. 2024, arXiv:2406.08070, eq. 10) for any sampler: the step leads to the guided prediction D and renoises along the
 * unconditional one, U. That is the sampler's own step from x + alpha (D - U), whose noise is that of x under U: its first evaluation
 * is the one made at x; further ones, inside the step, are plain. With U = D it is the sampler itself.
 */
export function alongUnconditional(base: Sampler, name: string): Sampler {
  return defineSampler({
    name,
    order: base.order,
    stochastic: base.stochastic,
    paper: CFG_PP_PAPER,
    init: base.init,
    step: async (input) => (await renoisedStep(base, input, ({ denoised }) => denoised)).output,
  });
}

/**
 * The same for multistep methods whose earlier evaluations count as U, as published: history holds unconditional predictions. `now` says
 * which prediction stands for the new evaluation.
 */
export function throughUnconditional(
  base: Sampler,
  { name, now }: { readonly name: string; readonly now: <T>(parts: Parts<T>, input: StepInput<T>) => T },
): Sampler {
  return defineSampler({
    name,
    order: base.order,
    stochastic: base.stochastic,
    paper: CFG_PP_PAPER,
    init: base.init,
    step: async (input) => {
      const { output, parts } = await renoisedStep(base, input, now);
      return { ...output, denoised: parts.denoised, state: withLatest(output.state ?? input.state, parts.unconditional) };
    },
  });
}

/** A step of the base from the renoised state, with one of the predictions for its evaluation there. */
async function renoisedStep<T>(
  base: Sampler,
  input: StepInput<T>,
  now: (parts: Parts<T>, input: StepInput<T>) => T,
): Promise<{ readonly output: StepOutput<T>; readonly parts: Parts<T> }> {
  const { x, from, denoise, detail, algebra } = input;
  const parts = await detail('unconditional', x, from);
  const moved = renoised(x, parts, { at: from, algebra });
  const seen = now(parts, input);
  const output = await base.step({ ...input, x: moved, denoise: (y, at) => (y === moved ? Promise.resolve(seen) : denoise(y, at)) });
  return { output, parts };
}

function withLatest<T>(state: SamplerState<T>, denoised: T): SamplerState<T> {
  const [latest, ...earlier] = state.history;
  if (latest === undefined) return state;
  const changed: Evaluation<T> = { ...latest, denoised };
  return { ...state, history: [changed, ...earlier] };
}
