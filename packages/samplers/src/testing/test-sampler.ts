import { defineDenoiser, CLEAN, type Denoiser, type NoiseLevel, relativeSigma, type RunProgress, type Sampler } from '@langevin/core';
import { arrayAlgebra, edm, karras, uniformLambda, vpLinear } from '@langevin/core-schedules';
import { finiteSet, threeModes } from '@langevin/core-schedules/testing';
import type { Engine } from '@langevin/tensor';
import { imageNoise, startState } from '../noise.ts';
import { sample, trajectory } from '../trajectory.ts';
import { consistencyCheck, sampledCheck, toleranceCheck, type Accuracy } from './accuracy.ts';
import { demand } from './demand.ts';
import { engineCheck } from './engine-check.ts';
import {
  badNoiseCheck,
  damagedResumeCheck,
  failureCheck,
  optionsCheck,
  ownLevelsCheck,
  refused,
  sharedCheck,
  strangerCheck,
} from './hostile.ts';
import { measureOrder, measureWeakOrder, type OrderMeasurement } from './measure.ts';
import { withParts } from './with-parts.ts';

export interface SamplerTestOptions {
  /** How the test runner registers a test: vitest's or node:test's `test`. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /**
   * Denoiser calls of a run of so many steps that ends at sigma = 0; `any` for adaptive methods, where the driver must still count
   * truthfully.
   * @default one a step
   */
  readonly nfe?: ((steps: number) => number) | 'any';
  /** What is claimed of results. @default { kind: 'order' } */
  readonly accuracy?: Accuracy;
  /** How far the measured order may be from the declared one. @default 0.15 up to order 2, 0.3 above */
  readonly tolerance?: number;
  /** How far tensors of float32 may end from arrays of float64; methods that divide by small sigmas need more. @default 2e-5 */
  readonly precision?: number;
  /** Levels that are made for the sampler, such as those of dpmFastLevels(), for so many steps. @default none */
  readonly levels?: (steps: number) => readonly NoiseLevel[];
  /** What makes the sampler: it has to refuse options that are none. @default not looked at */
  readonly make?: (options?: never) => Sampler;
  /** Engines on which tensors must give what plain arrays give. @default none */
  readonly engines?: readonly Engine[];
}

/** One property that every sampler has; `run` rejects with the values that break it. */
export interface SamplerCheck {
  readonly name: string;
  readonly run: () => Promise<void>;
}

const SEED = 3;

/**
 * Registers the conformance tests of a sampler: order of accuracy, evaluations, exactness on points, seeds, independence of the
 * batch, resuming, engines. A sampler of this repository or of a plugin passes all of them.
 *
 * @example
 * // not run: needs vitest
 * import { test } from 'vitest';
 * testSampler(heun(), { test }); // in its place, the sampler that you made
 */
export function testSampler(sampler: Sampler, options: SamplerTestOptions): void {
  for (const { name, run } of samplerChecks(sampler, options)) options.test(`${sampler.name}: ${name}`, run);
}

/**
 * The checks behind {@link testSampler}, for runners of another shape.
 *
 * @example
 * const checks = samplerChecks(ddim());
 * checks.some(({ name }) => name.includes('order')); // => true
 */
export function samplerChecks(sampler: Sampler, options: Omit<SamplerTestOptions, 'test'> = {}): readonly SamplerCheck[] {
  const {
    nfe = (steps: number) => steps,
    accuracy = { kind: 'order' },
    tolerance = sampler.order <= 2 ? 0.15 : 0.3,
    engines = [],
    precision = 2e-5,
    levels,
    make,
  } = options;
  const slope = (measured: OrderMeasurement, above: 'or higher' | 'no higher'): void => {
    const errors = measured.errors.map((error) => error.toExponential(2)).join(', ');
    const exact = measured.errors.every((error) => error < 1e-10);
    const gap = measured.slope - sampler.order;
    demand(
      exact || (gap >= -tolerance && (above === 'or higher' || gap <= tolerance)),
      `order ${measured.slope.toFixed(3)}, declared ${sampler.order} +- ${tolerance}; errors ${errors} at `
        + `${measured.steps.join(', ')} steps`,
    );
  };
  const results = ((): SamplerCheck[] => {
    switch (accuracy.kind) {
      case 'consistency':
        return [
          { name: 'ends every step at the exact marginal, given the consistency function', run: () => consistencyCheck(sampler, accuracy) },
        ];
      case 'tolerance':
        return [{ name: 'has an error in proportion to its tolerance', run: () => toleranceCheck(accuracy.sampler) }];
      case 'sampled':
        return [{ name: 'has the moments of Gaussian data', run: () => sampledCheck(sampler, accuracy) }];
      case 'formula':
        return [{ name: 'follows its published formula over whole runs', run: accuracy.run }];
      case 'order': {
        const above = accuracy.orHigher === true ? 'or higher' : 'no higher';
        return sampler.stochastic
          ? [
              {
                name: 'has its declared weak order on Gaussian data',
                run: async () => slope(await measureWeakOrder(sampler, accuracy.steps), above),
              },
            ]
          : [
              // The ODE of a Gaussian is symmetric in lambda, which cancels the leading error of some methods: there the order may be
              // higher.
              {
                name: 'has its declared order on Gaussian data',
                run: async () => slope(await measureOrder(sampler, 'gaussian', accuracy.steps), 'or higher'),
              },
              {
                name: 'has its declared order on a mixture',
                run: async () => slope(await measureOrder(sampler, 'mixture', accuracy.steps), above),
              },
            ];
      }
    }
  })();
  return [
    { name: 'is a frozen value that describes itself', run: () => Promise.resolve().then(() => shapeCheck(sampler)) },
    ...results,
    ...(sampler.stochastic ? [] : [{ name: 'does not depend on the units of the state', run: () => unitsCheck(sampler) }]),
    { name: 'makes the evaluations it should', run: () => nfeCheck(sampler, nfe) },
    { name: 'reaches data that are one point, in any number of steps', run: () => pointCheck(sampler) },
    { name: 'depends on the seed if it is stochastic, and on nothing else', run: () => seedCheck(sampler) },
    { name: 'samples an image alike alone and in a batch', run: () => batchCheck(sampler) },
    { name: 'changes nothing that it is given', run: () => mutationCheck(sampler) },
    { name: 'goes on from any step as if never stopped', run: () => resumeCheck(sampler) },
    { name: 'meets invalid grids and results with an error', run: () => refusalCheck(sampler) },
    { name: 'refuses every part of a run that is something else', run: () => strangerCheck(sampler) },
    ...(sampler.stochastic
      ? [{ name: 'refuses noise that is none, in the first step and in the last', run: () => badNoiseCheck(sampler) }]
      : []),
    { name: 'is not changed by a call that fails', run: () => failureCheck(sampler) },
    { name: 'serves several runs with one source of noise', run: () => sharedCheck(sampler) },
    { name: 'refuses a saved state that is damaged', run: () => damagedResumeCheck(sampler) },
    ...(levels === undefined
      ? []
      : [{ name: 'runs over levels of its own, which fall, in any number of steps', run: () => ownLevelsCheck(sampler, levels) }]),
    ...(make === undefined
      ? []
      : [{ name: 'is not made from options that are none', run: () => Promise.resolve().then(() => optionsCheck(make)) }]),
    ...engines.map((engine) => ({
      name: `gives on ${engine.name}/${engine.device} what it gives over arrays, compiled once`,
      run: () => engineCheck(sampler, engine, precision),
    })),
  ];
}

const mixtureDenoiser = (): Denoiser<Float64Array> => withParts(threeModes().denoiser());

interface RunOptions {
  readonly steps?: number;
  readonly seed?: number;
  readonly images?: readonly number[];
}

/** A run on the mixture from seeded noise, two numbers an image. */
async function run(sampler: Sampler, { steps = 6, seed = SEED, images = [0, 1, 2] }: RunOptions = {}): Promise<Float64Array> {
  const algebra = arrayAlgebra({ items: images.length });
  const levels = karras().levels(edm(), { steps });
  const noise = imageNoise({ seed, images });
  const x = await startState({ algebra, noise, at: levels[0]!, like: new Float64Array(2 * images.length) });
  return sample({ sampler, denoise: mixtureDenoiser(), x, levels, noise, algebra });
}

function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.from(a).every((value, i) => Object.is(value, b[i]));
}

function shapeCheck(sampler: Sampler): void {
  demand(Object.isFrozen(sampler), 'the sampler is not frozen. Make it with defineSampler().');
  demand(/^[a-z0-9]+(?:-[a-z0-9]+)*$/u.test(sampler.name), `name "${sampler.name}" is not kebab-case.`);
  demand(Number.isInteger(sampler.order) && sampler.order >= 1, `order ${sampler.order} is no order.`);
  demand(sampler.paper.length > 0, 'paper is empty. Say where the method is from.');
  const state = sampler.init<Float64Array>();
  demand(
    Array.isArray(state.history) && typeof state.values === 'object' && typeof state.numbers === 'object',
    'init() does not give a SamplerState.',
  );
}

async function nfeCheck(sampler: Sampler, nfe: ((steps: number) => number) | 'any'): Promise<void> {
  for (const steps of [1, 2, 18]) {
    const levels = karras().levels(edm(), { steps });
    let calls = 0;
    const denoiser = mixtureDenoiser();
    const denoise = withParts<Float64Array>(defineDenoiser<Float64Array>({ nfe: 1, denoise: (x, at) => (calls++, denoiser(x, at)) }));
    let last: RunProgress<Float64Array> | undefined;
    for await (const step of trajectory({ sampler, denoise, x: Float64Array.of(40), levels, noise: imageNoise({ seed: SEED }) }))
      last = step;
    if (nfe !== 'any') demand(calls === nfe(steps), `${calls} calls in ${steps} steps, expected ${nfe(steps)}`);
    demand(
      last?.nfe === calls && last.step === steps,
      `the driver reports nfe ${last?.nfe} and step ${last?.step} after ${calls} calls in ${steps} steps`,
    );
  }
}

async function pointCheck(sampler: Sampler): Promise<void> {
  const point = finiteSet([[0.3, -0.7]]);
  for (const steps of [1, 2, 7]) {
    const levels = karras().levels(edm(), { steps });
    const end = await sample({
      sampler,
      denoise: withParts(point.denoiser<Float64Array>()),
      x: Float64Array.of(75, -31),
      levels,
      noise: imageNoise({ seed: SEED }),
    });
    demand(
      Math.max(Math.abs(end[0]! - 0.3), Math.abs(end[1]! + 0.7)) < 1e-9,
      `reached (${end.join(', ')}) in ${steps} steps, the data are (0.3, -0.7)`,
    );
  }
}

async function seedCheck(sampler: Sampler): Promise<void> {
  demand(same(await run(sampler), await run(sampler)), 'two runs of one seed differ');
  const levels = karras().levels(edm(), { steps: 4 });
  const from = (seed: number): Promise<Float64Array> =>
    sample({ sampler, denoise: mixtureDenoiser(), x: Float64Array.of(60, -20), levels, noise: imageNoise({ seed }) });
  const equal = same(await from(1), await from(2));
  demand(
    equal !== sampler.stochastic,
    `stochastic is ${sampler.stochastic}, but from one start two seeds give ${equal ? 'the same' : 'different results'}`,
  );
}

async function batchCheck(sampler: Sampler): Promise<void> {
  const batch = await run(sampler, { images: [4, 7, 1] });
  const alone = await run(sampler, { images: [7] });
  demand(same(batch.slice(2, 4), alone), `image 7 is (${batch.slice(2, 4).join(', ')}) in a batch and (${alone.join(', ')}) alone`);
}

async function mutationCheck(sampler: Sampler): Promise<void> {
  const kept: { readonly now: Float64Array; readonly then: Float64Array }[] = [];
  const keep = (now: Float64Array): Float64Array => (kept.push({ now, then: now.slice() }), now);
  const denoiser = mixtureDenoiser();
  const levels = karras().levels(edm(), { steps: 5 });
  const frozen = Object.freeze(levels.map((level) => Object.freeze({ ...level })));
  const denoise = withParts<Float64Array>(
    defineDenoiser<Float64Array>({ nfe: 1, denoise: async (x, at) => keep(await denoiser(keep(x), at)) }),
  );
  for await (const { x, denoised } of trajectory({
    sampler,
    denoise,
    x: keep(Float64Array.of(60, -20)),
    levels: frozen,
    noise: imageNoise({ seed: SEED }),
  }))
    [x, denoised].forEach(keep);
  const changed = kept.findIndex(({ now, then }) => !same(now, then));
  demand(changed < 0, `array ${changed} of the run was written to after it was handed out`);
}

async function resumeCheck(sampler: Sampler): Promise<void> {
  const options = {
    sampler,
    denoise: mixtureDenoiser(),
    x: Float64Array.of(60, -20),
    levels: karras().levels(edm(), { steps: 6 }),
    noise: imageNoise({ seed: SEED }),
  };
  const whole: RunProgress<Float64Array>[] = [];
  for await (const step of trajectory(options)) whole.push(step);
  for (const { step, x, nfe, state } of whole) {
    // A copy, as a file would hold it: the state must be plain data.
    const resume = structuredClone({ step, x, nfe, state });
    const end = await sample({ ...options, x: new Float64Array(2), resume });
    demand(
      same(end, whole.at(-1)!.x),
      `resumed after step ${step} it ends at (${end.join(', ')}), uninterrupted at (${whole.at(-1)!.x.join(', ')})`,
    );
  }
}

/** The ODE is the same in any units: x / alpha on the levels of a VP process is x on those of EDM. */
async function unitsCheck(sampler: Sampler): Promise<void> {
  const preserving = [...uniformLambda().levels(vpLinear(), { steps: 9, end: 'floor' }), CLEAN];
  const exploding = preserving.map((level): NoiseLevel => ({ alpha: 1, sigma: relativeSigma(level) }));
  const denoise = mixtureDenoiser();
  const x = Float64Array.of(-1.3, 0.2, 1.1);
  const here = await sample({ sampler, denoise, x, levels: preserving });
  const there = await sample({ sampler, denoise, x: x.map((value) => value / preserving[0]!.alpha), levels: exploding });
  const gap = Math.max(...here.map((value, i) => Math.abs(value - there[i]!)));
  demand(gap < 1e-9, `VP and EDM units end ${gap} apart`);
}

async function refusalCheck(sampler: Sampler): Promise<void> {
  const base = { sampler, denoise: mixtureDenoiser(), x: Float64Array.of(1), noise: imageNoise({ seed: SEED }) };
  const grids: [readonly NoiseLevel[], string][] = [
    [[], 'levels.length=0'],
    [[{ alpha: 1, sigma: 1 }], 'levels.length=1'],
    [
      [
        { alpha: 1, sigma: 1 },
        { alpha: 1, sigma: 2 },
      ],
      'levels[0] has 1, levels[1] has 2',
    ],
    [[{ alpha: 1, sigma: 1 }, CLEAN, CLEAN], 'levels[1] has 0, levels[2] has 0'],
    [[{ alpha: 1, sigma: Number.NaN }, CLEAN], 'levels[0]={ alpha: 1, sigma: NaN }'],
  ];
  for (const [levels, text] of grids) await refused(() => sample({ ...base, levels }), text);
  const levels = karras().levels(edm(), { steps: 4 });
  let calls = 0;
  const broken = withParts<Float64Array>(
    defineDenoiser<Float64Array>({ nfe: 1, denoise: (x) => Promise.resolve(x.map(() => (++calls > 1 ? Number.NaN : 0))) }),
  );
  await refused(() => sample({ ...base, denoise: broken, levels }), `of 4 of ${sampler.name}: element 0 is NaN`);
}
