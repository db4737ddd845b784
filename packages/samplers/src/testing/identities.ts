import { CLEAN, type Denoiser, type NoiseLevel, relativeSigma, type Sampler } from '@langevin/core';
import { flow, uniformLambda, vpLinear } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import { imageNoise } from '../noise/image-noise.ts';
import { parallelTrajectory } from '../parallel-trajectory.ts';
import { samplers } from '../solvers/index.ts';
import { sample } from '../trajectory.ts';
import { withParts } from './with-parts.ts';

/** Two ways to the same numbers. */
export interface Identity {
  readonly name: string;
  /** The most that they may differ, in float64. */
  readonly tolerance: number;
  /** The greatest difference on a mixture of three modes. */
  readonly gap: () => Promise<number>;
}

const denoise: Denoiser<Float64Array> = withParts(threeModes().denoiser<Float64Array>());
const x = Float64Array.of(-1.3, 0.2, 1.1, 2.4, -0.4);
/** Variance-preserving levels, even in lambda, with a last step to a clean sample. */
const levels: readonly NoiseLevel[] = [...uniformLambda().levels(vpLinear(), { steps: 12, end: 'floor' }), CLEAN];

function run(sampler: Sampler, over: readonly NoiseLevel[] = levels, from = x): Promise<Float64Array> {
  return sample({ sampler, denoise, x: from, levels: over, noise: imageNoise({ seed: 5 }) });
}

function apart(a: Float64Array, b: Float64Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}

type Made = readonly [name: string, options?: object];

function equal(name: string, [a, b]: readonly [Made, Made], tolerance = 1e-10): Identity {
  return { name, tolerance, gap: async () => apart(await run(samplers.create(...a)), await run(samplers.create(...b))) };
}

/** The same noise levels in other units: x / alpha on the levels of one process is x / alpha on those of another. */
function sameInUnits(name: string): Identity {
  return {
    name: `${name}: the same path in VP, VE and flow units`,
    tolerance: 1e-9,
    gap: async () => {
      const sampler = samplers.create(name);
      const preserving = await run(sampler);
      const straight = flow();
      const others = [
        levels.map((level): NoiseLevel => ({ alpha: 1, sigma: relativeSigma(level) })),
        levels.map((level) => straight.levelOf(Math.log(level.alpha / level.sigma))),
      ];
      const ends = await Promise.all(
        others.map((over) =>
          run(
            sampler,
            over,
            x.map((value) => (value * over[0]!.alpha) / levels[0]!.alpha),
          ),
        ),
      );
      return Math.max(...ends.map((end) => apart(end, preserving)));
    },
  };
}

/** Plain samplers whose forms with CFG++ they are without guidance; the published one of 2S ancestral is not. */
const CFG_PP: readonly (readonly [base: string, options?: object])[] = [
  ['euler'],
  ['euler-ancestral'],
  ['dpmpp-2m'],
  ['dpmpp-2m', { slopes: 'guided' }],
  ['dpmpp-2s-ancestral', { slopes: 'guided' }],
  ['res-multistep'],
  ['res-multistep', { slopes: 'guided' }],
  ['res-multistep-ancestral'],
  ['gradient-estimation'],
];

/**
 * Equalities between methods that were found apart and are one at some setting. A test and the evidence run all of them.
 *
 * @example
 * const [first] = samplerIdentities();
 * [first!.name, (await first!.gap()) <= first!.tolerance]; // => ['DDIM is Euler in sigma / alpha', true]
 */
export function samplerIdentities(): readonly Identity[] {
  return [
    equal('DDIM is Euler in sigma / alpha', [['ddim'], ['euler']]),
    equal('DDIM is DPM-Solver-1', [['ddim'], ['dpm-solver', { order: 1 }]]),
    equal('DDIM is DPM-Solver++ of order 1', [['ddim'], ['dpm-solver', { order: 1, prediction: 'x0' }]]),
    equal('DDIM is tAB-DEIS of order 1', [['ddim'], ['deis', { form: 'tab', order: 1 }]]),
    equal('DDIM is rho-AB-DEIS of order 1', [['ddim'], ['deis', { form: 'rho-ab', order: 1 }]]),
    equal('DDIM is UniP-1', [['ddim'], ['unipc', { order: 1, corrector: 'never' }]]),
    equal('DDIM is iPNDM of order 1', [['ddim'], ['ipndm', { order: 1 }]]),
    equal('DDIM is LMS of order 1', [['ddim'], ['lms', { order: 1 }]]),
    equal('DDIM is gradient estimation with gamma 1', [['ddim'], ['gradient-estimation', { gamma: 1 }]]),
    equal('DDIM is SA-Solver of order 1 without noise and corrector', [
      ['ddim'],
      ['sa-solver', { predictorOrder: 1, correctorOrder: 0, tau: 0 }],
    ]),
    equal('DDIM is ER-SDE of order 1 without noise', [['ddim'], ['er-sde', { order: 1, noiseScale: 'ode' }]]),
    equal('DDIM with eta 1 is DDPM with the posterior variance', [
      ['ddim', { eta: 1 }],
      ['ddpm', { variance: 'small' }],
    ]),
    equal('Euler ancestral is DDIM with eta 1', [['euler-ancestral'], ['ddim', { eta: 1 }]]),
    equal('Heun is rho-RK2-DEIS', [['heun'], ['deis', { form: 'rho-rk2' }]]),
    equal('DPM-Solver++(2M) is UniP-2', [['dpmpp-2m'], ['unipc', { order: 2, corrector: 'never' }]]),
    equal('DPM-Solver++(3M) with exact weights is UniP-3', [['dpmpp-3m'], ['unipc', { order: 3, corrector: 'never' }]]),
    equal('DPM-Solver++(2M SDE) without noise is 2M', [['dpmpp-2m-sde', { eta: 0 }], ['dpmpp-2m']]),
    equal('Euler ancestral without noise is Euler', [['euler-ancestral', { eta: 0 }], ['euler']]),
    equal('DPM2 ancestral without noise is DPM2', [['dpm-2-ancestral', { eta: 0 }], ['dpm-2']]),
    equal('DPM-Solver++(2S) ancestral without noise is 2S', [['dpmpp-2s-ancestral', { eta: 0 }], ['dpmpp-2s']]),
    equal('RES multistep ancestral without noise is RES multistep', [['res-multistep-ancestral', { eta: 0 }], ['res-multistep']]),
    equal('Restart without intervals is its base, Heun', [['restart', { intervals: [] }], ['heun']]),
    equal('Predictor-corrector without corrector is the reverse-diffusion predictor', [
      ['predictor-corrector', { correctorSteps: 0 }],
      ['euler-maruyama', { form: 'reverse-diffusion' }],
    ]),
    ...CFG_PP.map(([base, options]) => {
      const guided: Made = options === undefined ? [`${base}-cfg-pp`] : [`${base}-cfg-pp`, options];
      const form = options === undefined ? '' : ' with guided slopes';
      return equal(`${base} CFG++${form} is ${base} where nothing is guided`, [guided, [base]], 0);
    }),
    ...['ddim', 'dpmpp-2m', 'unipc', 'deis', 'heun', 'dpm-solver'].map(sameInUnits),
    {
      name: 'ParaDiGMS at tolerance 0 is the sequential run, bit for bit',
      tolerance: 0,
      gap: async () => {
        const sampler = samplers.create('ddim');
        let end: Float64Array = x;
        for await (const step of parallelTrajectory({ sampler, denoise, x, levels, window: 5, tolerance: 0 })) ({ x: end } = step);
        return apart(end, await run(sampler));
      },
    },
  ];
}
