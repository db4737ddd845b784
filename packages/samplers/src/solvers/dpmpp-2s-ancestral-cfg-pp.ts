import { defineSampler, type Sampler, type StepInput, type StepOutput } from '@langevin/core';
import { readOptions } from '@langevin/tensor';
import { alongUnconditional, CFG_PP_PAPER, CFG_PP_SLOPES, renoised, type CfgPpSlopes } from '../along-unconditional.ts';
import { ancestral } from '../ancestral.ts';
import { checkChoice } from '../check-option.ts';
import { checkInner, reach } from '../maths/dpm-singlestep.ts';
import { levelInside } from '../maths/exponential.ts';
import { dpmpp2sAncestral, type Dpmpp2sAncestralOptions } from './dpmpp-2s-ancestral.ts';

interface Slopes {
  /**
   * Whose noise the second stage carries on: `published` is that of the unconditional prediction made inside the step, as in ComfyUI;
   * `guided` that of the one made at its start. @default 'published'
   */
  readonly slopes?: CfgPpSlopes;
}

export type Dpmpp2sAncestralCfgPpOptions = Dpmpp2sAncestralOptions & Slopes;

const NAME = 'dpmpp-2s-ancestral-cfg-pp';

/**
 * CFG++ with ancestral steps of DPM-Solver++(2S) (ComfyUI). With guided predictions D, unconditional ones U and y = x / alpha, a step of
 * h in lambda looks at y2 = (1 - e^(-h / 2)) D + e^(-h / 2) (y + D - U) in its middle, leads to (1 - e^-h) D2 + e^-h (y + D - U2), and
 * noise leads up from there. Two evaluations a step, one when it ends clean.
 *
 * As D and U2 belong to two states, the published form keeps an error of its own even without guidance: with U = D it ends apart from
 * dpmpp2sAncestral(), however many the steps. With `slopes: 'guided'` it is that sampler then, of order 2.
 *
 * @throws UserError when an option is out of range, and at the first step when the denoiser has no unconditional part
 * @example
 * dpmpp2sAncestralCfgPp({ slopes: 'guided' }).order; // => 2
 */
export function dpmpp2sAncestralCfgPp(options: Dpmpp2sAncestralCfgPpOptions = {}): Sampler {
  const { slopes = 'published', r = 0.5, ...noise } = readOptions('samplers/dpmpp-2s-ancestral-cfg-pp', options);
  checkChoice(NAME, { slopes }, CFG_PP_SLOPES);
  if (slopes === 'guided') return alongUnconditional(dpmpp2sAncestral({ ...noise, r }), NAME);
  checkInner(NAME, r);
  const base = defineSampler({ name: NAME, order: 1, stochastic: false, paper: CFG_PP_PAPER, step: (input) => publishedStep(input, r) });
  return ancestral(base, { ...noise, name: NAME, paper: CFG_PP_PAPER });
}

async function publishedStep<T>(input: StepInput<T>, r: number): Promise<StepOutput<T>> {
  const { x, from, to, detail, algebra } = input;
  const settings = { form: 'x0', solverType: 'midpoint', algebra } as const;
  const first = await detail('unconditional', x, from);
  const { denoised } = first;
  const moved = renoised(x, first, { at: from, algebra });
  const start = { at: from, x: moved, denoised };
  if (from.alpha === 0 || to.sigma === 0) return { x: reach({ from, to, x: moved }, [start], { ...settings, goal: 'end' }), denoised };
  const at = levelInside(input, r);
  const inside = reach({ from, to: at, x: moved }, [start], { ...settings, goal: 'inner' });
  const second = await detail('unconditional', inside, at);
  const again = renoised(x, { denoised, unconditional: second.unconditional }, { at: from, algebra });
  const looks = [start, { at, x: inside, denoised: second.denoised }];
  return { x: reach({ from, to, x: again }, looks, { ...settings, goal: 'end' }), denoised };
}
