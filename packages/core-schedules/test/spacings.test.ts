import { CLEAN, lambdaOf, type NoiseLevel, relativeSigma, sigmaLevel, snrOf } from '@langevin/core';
import { readFileSync } from 'node:fs';
import {
  alignYourSteps,
  betaSpacing,
  customSpacing,
  ddimUniform,
  defineSpacing,
  discreteVp,
  edm,
  exponential,
  flow,
  gits,
  karras,
  karrasSigmas,
  klOptimal,
  laplaceSpacing,
  leading,
  linearQuadratic,
  linspaceTimes,
  normalSpacing,
  polyexponential,
  processes,
  quadraticTimes,
  sgmUniform,
  simpleSpacing,
  spacings,
  trailing,
  uniformLambda,
  vpLinear,
  vpSpacing,
  withoutPenultimate,
  type NoiseProcess,
  type Spacing,
  type SpacingOptions,
} from '@langevin/core-schedules';
import { gaussian } from '@langevin/core-schedules/testing';
import { describe, expect, test } from 'vitest';

interface SigmaCase {
  readonly name: string;
  readonly steps: number;
  readonly sigmaMin?: number;
  readonly sigmaMax?: number;
  readonly options: object;
  readonly sigmas: readonly number[];
}
const golden = JSON.parse(readFileSync(new URL('golden/spacings.json', import.meta.url), 'utf8')) as {
  readonly sigmas: readonly SigmaCase[];
  readonly discrete: readonly { readonly steps: number; readonly sigmas: readonly number[] }[];
  readonly betaTimesteps: readonly { readonly steps: number; readonly timesteps: readonly number[] }[];
};

const stableDiffusion = discreteVp({ betas: 'scaled-linear' });
/** Levels of a chain as positions between its steps; the clean end is left out. */
const positionsOf = (levels: readonly NoiseLevel[], process = discreteVp()): number[] =>
  levels.filter(({ sigma }) => sigma > 0).map((level) => process.time(lambdaOf(level)) * process.steps - 1);
const stepsOf = (levels: readonly NoiseLevel[]): number[] => positionsOf(levels).map(Math.round);
const sigmasOf = (spacing: Spacing, process: NoiseProcess, steps: number): number[] =>
  spacing.levels(process, { steps }).map(relativeSigma);
const close = (values: readonly number[], relative = 1e-12): unknown[] =>
  values.map(
    (value) =>
      expect.toSatisfy((x: number) => Math.abs(x - value) <= relative * Math.abs(value), `within ${relative} of ${value}`) as unknown,
  );

test("Karras' 18 steps are the published ones", () => {
  const published = [
    80, 57.586, 40.786, 28.375, 19.353, 12.91, 8.4009, 5.3152, 3.2568, 1.9233, 1.0882, 0.5853, 0.2964, 0.1395, 0.0599, 0.0229, 0.0075,
    0.002,
  ];
  const sigmas = karrasSigmas({ steps: 18 });
  expect(sigmas).toHaveLength(19);
  expect(sigmas[18]).toBe(0);
  // Printed digits were cut, not rounded.
  published.forEach((value, i) => expect(Math.abs(sigmas[i]! - value)).toBeLessThan(10 ** -(String(value).split('.')[1]?.length ?? 3)));
  expect(Array.from(karrasSigmas({ steps: 3, sigmaMin: 1, sigmaMax: 16, rho: 2 }))).toEqual([16, 6.25, 1, 0]);
  const levels = karras().levels(edm(), { steps: 18 });
  levels.forEach(({ sigma }, i) => expect(sigma).toBeCloseTo(sigmas[i]!, 12));
  expect([levels[0], levels[18]]).toEqual([{ alpha: 1, sigma: 80 }, CLEAN]);
});

test("time of edm() is Karras' own: even in t is karras()", () => {
  const even = linspaceTimes().levels(edm(), { steps: 11 });
  karras()
    .levels(edm(), { steps: 11 })
    .forEach(({ sigma }, i) => expect(sigma).toBeCloseTo(even[i]!.sigma, 10));
});

describe('steps of a chain are those of diffusers', () => {
  const process = discreteVp();
  test('leading, with and without offset', () => {
    expect(stepsOf(leading().levels(process, { steps: 5 }))).toEqual([800, 600, 400, 200, 0]);
    expect(stepsOf(leading({ offset: 1 }).levels(process, { steps: 5 }))).toEqual([801, 601, 401, 201, 1]);
  });
  test('linspace rounds halves to even', () => {
    expect(stepsOf(linspaceTimes().levels(process, { steps: 5 }))).toEqual([999, 749, 500, 250, 0]);
    expect(stepsOf(linspaceTimes().levels(process, { steps: 3 }))).toEqual([999, 500, 0]);
  });
  test('trailing begins at the noisiest', () => {
    expect(stepsOf(trailing().levels(process, { steps: 5 }))).toEqual([999, 799, 599, 399, 199]);
    expect(stepsOf(trailing().levels(process, { steps: 3 }))).toEqual([999, 666, 332]);
    expect(stepsOf(trailing().levels(process, { steps: 1 }))).toEqual([999]);
  });
  test("quadratic is DDIM's, each step once", () => {
    expect(stepsOf(quadraticTimes().levels(process, { steps: 5 }))).toEqual([801, 451, 201, 51, 1]);
    const fine = stepsOf(quadraticTimes().levels(process, { steps: 60 }));
    expect(fine.length).toBeLessThan(60);
    expect(new Set(fine).size).toBe(fine.length);
  });
});

describe('k-diffusion, in float64', () => {
  const makers: Record<string, (options: object) => Spacing> = { karras, exponential, polyexponential, vp: vpSpacing };
  test.each(golden.sigmas)('get_sigmas_$name of $steps steps up to $sigmaMax', ({ name, steps, sigmaMin, sigmaMax, options, sigmas }) => {
    const range = sigmaMin === undefined ? {} : { sigmaMin, sigmaMax };
    expect(sigmasOf(makers[name]!({ ...options, ...range }), edm(), steps)).toEqual(close(sigmas));
  });

  test('on a variance-preserving process sigma / alpha are the same', () => {
    for (const { name, steps, sigmaMin, sigmaMax, options, sigmas } of golden.sigmas.filter(({ steps }) => steps === 10)) {
      const spacing = makers[name]!({ ...options, ...(sigmaMin === undefined ? {} : { sigmaMin, sigmaMax }) });
      expect(sigmasOf(spacing, vpLinear(), steps)).toEqual(close(sigmas));
    }
  });

  test.each(golden.discrete)('its discrete schedule of $steps steps is `normal` on the chain of Stable Diffusion', ({ steps, sigmas }) => {
    const ours = sigmasOf(normalSpacing(), stableDiffusion, steps);
    expect(ours).toHaveLength(steps + 1);
    ours.slice(0, -1).forEach((sigma, i) => {
      // They round timesteps to float32: half a unit in the last place, by what log sigma moves in a timestep.
      const below = Math.floor(stableDiffusion.time(-Math.log(sigma)) * 1000 - 1);
      const move = stableDiffusion.lambda((Math.max(0, below) + 1) / 1000) - stableDiffusion.lambda((Math.min(999, below + 2) + 1) / 1000);
      const slack = 2 ** -24 * (below + 2) * move + 1e-13;
      expect(Math.abs(sigma / sigmas[i]! - 1), `sigma ${i}`).toBeLessThan(slack);
    });
  });
});

describe("ComfyUI's rules", () => {
  const levels = (spacing: Spacing, steps: number): number[] => positionsOf(spacing.levels(stableDiffusion, { steps }), stableDiffusion);

  test('simple: whole timesteps from the noisiest, a stride short of the least', () => {
    expect(levels(simpleSpacing(), 4).map(Math.round)).toEqual([999, 749, 499, 249]);
    expect(levels(simpleSpacing(), 3).map(Math.round)).toEqual([999, 666, 333]);
  });
  test('sgm_uniform and normal: even timesteps, without and with the least', () => {
    expect(levels(sgmUniform(), 4)).toEqual(close([999, 749.25, 499.5, 249.75], 1e-10));
    expect(levels(normalSpacing(), 4)).toEqual([...close([999, 666, 333], 1e-10), expect.closeTo(0, 10)]);
  });
  test('ddim_uniform: from timestep 1 in whole strides, though they be more than asked for', () => {
    expect(levels(ddimUniform(), 4).map(Math.round)).toEqual([751, 501, 251, 1]);
    expect(levels(ddimUniform(), 30)).toHaveLength(31);
    expect(Math.round(levels(ddimUniform(), 30)[0]!)).toBe(1 + 30 * 33);
  });
  test.each(golden.betaTimesteps)('beta: quantiles as whole timesteps, $steps of them', ({ steps, timesteps }) => {
    expect(levels(betaSpacing(), steps).map(Math.round)).toEqual(timesteps.filter((t, i) => t !== timesteps[i - 1]));
  });
  test('beta: timesteps that coincide are taken once', () => {
    const many = levels(betaSpacing(), 300).map(Math.round);
    expect(many.length).toBeLessThan(300);
    expect(new Set(many).size).toBe(many.length);
  });
  test('kl_optimal: even in atan sigma', () => {
    const angles = sigmasOf(klOptimal(), stableDiffusion, 5).map(Math.atan);
    expect(angles.slice(0, 5).map((_, i) => angles[0]! + (i * (angles[4]! - angles[0]!)) / 4)).toEqual(close(angles.slice(0, 5)));
    expect(Math.tan(angles[0]!)).toBeCloseTo(14.6146, 4);
  });
  test('linear_quadratic: a slow line, then a parabola with its slope, down to 0', () => {
    const sigmas = linearQuadratic()
      .levels(flow(), { steps: 10 })
      .map(({ sigma }) => sigma);
    const line = Array.from({ length: 6 }, (_, i) => 1 - 0.005 * i);
    expect(sigmas.slice(0, 6)).toEqual(close(line));
    expect([sigmas[0], sigmas[10]]).toEqual([1, 0]);
    // Second differences of a parabola are one number, to its end at 0.
    const bends = [6, 7, 8, 9].map((i) => sigmas[i + 1]! - 2 * sigmas[i]! + sigmas[i - 1]!);
    bends.forEach((bend) => expect(bend).toBeCloseTo(bends[0]!, 12));
    // Mochi's own numbers: coefficients of i^2, i and 1 with the threshold 0.025.
    const difference = 5 - 0.025 * 10;
    const mochi = (i: number): number => 1 - ((difference / 125) * i ** 2 + (0.005 - (2 * difference) / 25) * i + (difference / 125) * 25);
    expect(sigmas.slice(5)).toEqual([5, 6, 7, 8, 9].map((i) => expect.closeTo(mochi(i), 12)).concat([expect.closeTo(0, 12)]));
    expect(sigmasOf(linearQuadratic(), stableDiffusion, 1)).toEqual([expect.closeTo(14.6146, 4), 0]);
  });
  test('on flows sigma is itself, not its ratio to alpha; the table has a thousand timesteps', () => {
    const own = (spacing: Spacing, steps: number, process = flow()): number[] =>
      spacing.levels(process, { steps }).map(({ sigma }) => sigma);
    expect(own(simpleSpacing(), 4)).toEqual(close([1, 0.75, 0.5, 0.25, 0]));
    expect(own(karras({ rho: 1 }), 3)).toEqual(close([1, 0.5005, 0.001, 0]));
    expect(own(exponential(), 4)).toEqual(close([1, 0.1, 0.01, 0.001, 0]));
    // The end of normal and sgm_uniform is shifted twice there: sigma of the least level is taken for its time.
    const shifted = (t: number): number => (3 * t) / (1 + 2 * t);
    const end = shifted(0.001);
    expect(own(normalSpacing(), 3, flow({ shift: 3 }))).toEqual(close([1, shifted((1 + end) / 2), shifted(end), 0]));
    expect(own(sgmUniform(), 2, flow({ shift: 3 }))).toEqual(close([1, shifted((1 + end) / 2), 0]));
    expect(own(ddimUniform(), 4, flow())).toEqual(close([0.752, 0.502, 0.252, 0.002, 0]));
  });
  test('on EDM timesteps are even in log sigma', () => {
    const sigmas = sigmasOf(sgmUniform(), edm(), 4);
    expect(sigmas.slice(0, 4).map((sigma) => Math.log(sigma))).toEqual(
      [0, 1, 2, 3].map((i) => expect.closeTo(Math.log(80) + (i / 4) * Math.log(0.002 / 80), 12)),
    );
  });
});

describe('cuts for starts from an image', () => {
  const all = trailing().levels(stableDiffusion, { steps: 10 });
  test("strength, diffusers': the last int(N strength) of N steps", () => {
    expect(trailing().levels(stableDiffusion, { steps: 10, cut: { kind: 'strength', strength: 0.37 } })).toEqual(all.slice(7));
    expect(trailing().levels(stableDiffusion, { steps: 10, cut: { kind: 'strength', strength: 1 } })).toEqual(all);
    expect(() => trailing().levels(stableDiffusion, { steps: 10, cut: { kind: 'strength', strength: 0.05 } })).toThrow(
      '[core-schedules/cut] no step is left: steps=10, strength=0.05.',
    );
  });
  test("denoise, ComfyUI's: the last N of int(N / denoise) steps", () => {
    const fine = trailing().levels(stableDiffusion, { steps: 26 });
    expect(trailing().levels(stableDiffusion, { steps: 10, cut: { kind: 'denoise', denoise: 0.37 } })).toEqual(
      trailing().levels(stableDiffusion, { steps: 27 }).slice(-11),
    );
    expect(trailing().levels(stableDiffusion, { steps: 13, cut: { kind: 'denoise', denoise: 0.5 } })).toEqual(fine.slice(-14));
    expect(trailing().levels(stableDiffusion, { steps: 10, cut: { kind: 'denoise', denoise: 1 } })).toEqual(all);
  });
  test('a cut is checked', () => {
    expect(() => trailing().levels(flow(), { steps: 3, cut: { kind: 'denoise', denoise: 0 } })).toThrow(
      'denoise is out of range: denoise=0.',
    );
    expect(() => trailing().levels(flow(), { steps: 3, cut: { kind: 'part' } as never })).toThrow(
      'unknown kind of cut: kind="part". Known: strength, denoise.',
    );
    expect(() => trailing().levels(flow(), { steps: 50_000, cut: { kind: 'denoise', denoise: 0.001 } })).toThrow(
      'too many steps before the cut',
    );
  });
  test('the penultimate level can be dropped', () => {
    expect(withoutPenultimate(all)).toEqual([...all.slice(0, -2), CLEAN]);
    expect(() => withoutPenultimate(all.slice(-2))).toThrow('no step would be left');
  });
});

/** Where a rule has no meaning: it must say so. */
const senseless = (name: string, process: NoiseProcess): boolean =>
  (name === 'leading' && process.steps === undefined) || (name === 'uniform-lambda' && process.name === 'flow');
/** Whose first level is not the noisiest of the process, and whose last need not be the least. */
const ownRange = ['leading', 'vp', 'align-your-steps', 'ddim-uniform', 'quadratic'];
/** Whole timesteps: the number of levels is theirs. */
const ownCount = ['beta', 'ddim-uniform', 'quadratic'];
const needGrids = ['custom', 'gits'];

describe.each(spacings.names.filter((name) => !needGrids.includes(name)))('%s', (name) => {
  test.each(processes.names)('on %s: noise falling strictly, from most to none or to the floor, or a reason', (processName) => {
    const process = processes.create(processName);
    const spacing = spacings.create(name, name === 'leading' ? { offset: 1 } : undefined);
    if (senseless(name, process)) {
      expect(() => spacing.levels(process, { steps: 7 })).toThrow(`[core-schedules/${name}]`);
      return;
    }
    for (const steps of [1, 2, 7, 50]) {
      for (const end of ['clean', 'floor'] as const) {
        const levels = spacing.levels(process, { steps, end });
        if (!ownCount.includes(name)) expect(levels).toHaveLength(steps + 1);
        expect(levels.length).toBeGreaterThan(1);
        for (let i = 1; i < levels.length; i++) expect(lambdaOf(levels[i]!)).toBeGreaterThan(lambdaOf(levels[i - 1]!));
        if (!ownRange.includes(name)) expect(levels[0]!.sigma).toBeCloseTo(process.sigma(process.span.max), 10);
        if (end === 'clean') expect(levels.at(-1)).toEqual(CLEAN);
        else if (!ownRange.includes(name)) expect(levels.at(-1)!.sigma).toBeCloseTo(process.sigma(process.span.min), 10);
      }
    }
  });

  test('serves a chain that ends in pure noise, or says what it needs', () => {
    const chain = discreteVp({ betas: 'scaled-linear', terminalSnr: 'zero' });
    const spacing = spacings.create(name, name === 'leading' ? { offset: 1 } : undefined);
    const overSigma = ['exponential', 'karras', 'kl-optimal', 'laplace', 'linear-quadratic', 'polyexponential'].includes(name);
    if (overSigma) expect(() => spacing.levels(chain, { steps: 5 })).toThrow('sigmaMax (of process discrete-vp) is out of range');
    else if (name === 'uniform-lambda') expect(() => spacing.levels(chain, { steps: 5 })).toThrow('Pass sigmaMin and sigmaMax');
    else {
      const levels = spacing.levels(chain, { steps: 5 });
      if (!ownRange.includes(name)) expect(levels[0]).toEqual({ alpha: 0, sigma: 1 });
      levels.forEach(({ alpha, sigma }) => expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 12));
    }
  });
});

test('uniform in lambda is uniform in lambda', () => {
  const lambdas = uniformLambda().levels(vpLinear(), { steps: 10, end: 'floor' }).map(lambdaOf);
  const stride = (lambdas[10]! - lambdas[0]!) / 10;
  lambdas.forEach((value, i) => expect(value).toBeCloseTo(lambdas[0]! + i * stride, 10));
  const onFlow = uniformLambda({ sigmaMin: 0.01, sigmaMax: 100 }).levels(flow(), { steps: 5 });
  expect(onFlow.map(relativeSigma)).toEqual([...close([100, 10, 1, 0.1, 0.01]), 0]);
  expect(onFlow[2]!.alpha).toBeCloseTo(0.5, 12);
});

test('the same grid by other names', () => {
  const [steps, process] = [9, vpLinear()];
  expect(sigmasOf(exponential(), process, steps)).toEqual(close(sigmasOf(uniformLambda(), process, steps)));
  expect(sigmasOf(polyexponential(), process, steps)).toEqual(close(sigmasOf(exponential(), process, steps)));
  expect(sigmasOf(vpSpacing(), process, steps)).toEqual(close(sigmasOf(linspaceTimes(), process, steps)));
  expect(sigmasOf(betaSpacing({ a: 1, b: 1, over: 'sigma' }), edm(), 5).slice(1, 4)).toEqual(
    close([1, 2, 3].map((i) => 80 - (i / 4) * (80 - 0.002))),
  );
});

test('Align Your Steps: the published levels, and log-linear between them', () => {
  expect(sigmasOf(alignYourSteps(), stableDiffusion, 10)).toEqual([
    ...close([14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152]),
    0,
  ]);
  const fine = alignYourSteps({ model: 'svd' }).levels(edm({ sigmaMax: 700 }), { steps: 20, end: 'floor' });
  expect([0, 2, 20].map((i) => fine[i]!.sigma)).toEqual(close([700, 54.5, 0.002]));
  expect(fine[1]!.sigma ** 2).toBeCloseTo(700 * 54.5, 8);
  expect(() => alignYourSteps({ model: 'sd3' as never })).toThrow('unknown model: model="sd3". Known: sd1, sdxl, svd.');
});

test('laplace crowds where signal and noise balance', () => {
  const sigmas = sigmasOf(laplaceSpacing(), edm(), 9);
  expect(sigmas[4]).toBeCloseTo(1, 6);
  expect(sigmas[3]! / sigmas[4]!).toBeLessThan(sigmas[0]! / sigmas[1]!);
  // The quantile of the Laplace distribution at 1/8 is mu + beta log(1/4).
  expect(sigmas[1]).toBeCloseTo(Math.sqrt(4), 4);
});

describe('gits', () => {
  /** The exact path of N(0, 0.5^2) in EDM units. */
  const data = gaussian({ mean: [0], std: 0.5 });
  const trajectory = async (sigmas: readonly number[]) => {
    const start = Float64Array.of(sigmas[0]!);
    return Promise.all(
      sigmas.map(async (sigma) => {
        const x = data.flow(start, { from: sigmaLevel(sigmas[0]!), to: sigmaLevel(sigma) });
        return { at: sigmaLevel(sigma), x, denoised: await data.denoiser<Float64Array>()(x, sigmaLevel(sigma)) };
      }),
    );
  };

  test('finds the cheapest of all grids', async () => {
    const fine = Array.from(karrasSigmas({ steps: 12 })).slice(0, 12);
    const teacher = await trajectory(fine);
    const cost = (i: number, j: number): number => {
      const [a, b] = [teacher[i]!, teacher[j]!];
      return Math.abs(a.denoised[0]! + (b.at.sigma / a.at.sigma) * (a.x[0]! - a.denoised[0]!) - b.x[0]!);
    };
    let best = { cost: Infinity, grid: [] as number[] };
    for (let a = 1; a < 11; a++)
      for (let b = a + 1; b < 11; b++)
        for (let c = b + 1; c < 11; c++) {
          const total = cost(0, a) + 1.15 * (cost(a, b) + 1.15 * (cost(b, c) + 1.15 * cost(c, 11)));
          if (total < best.cost) best = { cost: total, grid: [0, a, b, c, 11] };
        }
    const levels = gits({ teacher, metric: 'l1' }).levels(edm(), { steps: 4, end: 'floor' });
    expect(levels.map(({ sigma }) => sigma)).toEqual(close(best.grid.map((i) => fine[i]!)));
    expect(gits({ teacher, metric: 'l1' }).levels(edm(), { steps: 5 })).toHaveLength(6);
    // A run that ends clean gives the same kind of grid.
    const clean = gits({ teacher: await trajectory([...fine, 0]), metric: 'l2' }).levels(edm(), { steps: 4 });
    expect([clean.length, clean[4]]).toEqual([5, CLEAN]);
  });

  test('counts by default how far steps leave the line between the ends', () => {
    // Points (s, s^2) in a plane, with the denoiser an Euler step needs to leave along (1, 0): the step to j ends at (s_j, s_i^2).
    const sigmas = [4, 3, 2, 1];
    const teacher = sigmas.map((s) => ({ at: sigmaLevel(s), x: Float64Array.of(s, s ** 2), denoised: Float64Array.of(0, s ** 2) }));
    // The line from (4, 16) to (1, 1) has normal (5, -1) / sqrt(26).
    const deviation = (x: number, y: number): number => Math.abs(5 * (x - 1) - (y - 1)) / Math.sqrt(26);
    const cost = (i: number, j: number): number => deviation(sigmas[j]!, sigmas[i]! ** 2) - deviation(sigmas[j]!, sigmas[j]! ** 2);
    const totals = [1, 2].map((middle) => cost(0, middle) + 1.15 * cost(middle, 3));
    const best = totals[0]! < totals[1]! ? 3 : 2;
    for (const items of [1, 2]) {
      const run =
        items === 1
          ? teacher
          : teacher.map(({ at, x, denoised }) => ({
              at,
              x: Float64Array.of(...x, ...x),
              denoised: Float64Array.of(...denoised, ...denoised),
            }));
      expect(
        gits({ teacher: run, items })
          .levels(edm(), { steps: 2, end: 'floor' })
          .map(({ sigma }) => sigma),
      ).toEqual(close([4, best, 1]));
    }
  });

  test('takes a grid from a run as a table, by name too, and interpolates it for other numbers of steps', async () => {
    const fine = Array.from(karrasSigmas({ steps: 12 })).slice(0, 12);
    const grid = gits({ teacher: await trajectory(fine), metric: 'l1' }).levels(edm(), { steps: 4, end: 'floor' });
    const table = grid.map(({ sigma }) => sigma);
    const named = spacings.create('gits', { table });
    const sigmas = (options: SpacingOptions): readonly number[] => named.levels(edm(), options).map(({ sigma }) => sigma);
    expect(sigmas({ steps: 4, end: 'floor' })).toEqual(close(table));
    expect(sigmas({ steps: 4 })).toEqual(close([...table.slice(0, 4), 0]));
    const twice = sigmas({ steps: 8, end: 'floor' });
    expect(twice.filter((_, i) => i % 2 === 0)).toEqual(close(table));
    expect(twice[1]).toBeCloseTo(Math.sqrt(table[0]! * table[1]!), 9);
    // On a variance-preserving process it is sigma / alpha.
    const vp = named.levels(discreteVp(), { steps: 4 }).map(relativeSigma);
    expect(vp.slice(0, 4)).toEqual(close(table.slice(0, 4)));
  });

  test('refuses what is no table', async () => {
    expect(() => gits({ table: [1] })).toThrow(
      '[core-schedules/gits] a table holds sigma / alpha before each step and at the floor: table=1.',
    );
    expect(() => gits({ table: [1, 2] })).toThrow('table[1]');
    expect(() => gits({ table: [1, 0] })).toThrow('table[1]');
    expect(() => gits({ table: 'sd1' as never })).toThrow('table=sd1');
    expect(() => gits({ table: [2, 1], teacher: [] })).toThrow('a grid is either computed or given');
  });

  test('needs a run', async () => {
    expect(() => spacings.create('gits')).toThrow(
      '[core-schedules/gits] the grid is computed from a fine run of the model: teacher=undefined.',
    );
    const teacher = await trajectory([10, 1, 0.1]);
    expect(() => gits({ teacher }).levels(edm(), { steps: 4 })).toThrow('fewer points than the grid: teacher.length=3');
    expect(() => gits({ teacher: [...teacher, { at: sigmaLevel(0.01), x: Float64Array.of(1, 2), denoised: Float64Array.of(1) }] })).toThrow(
      'different lengths: teacher[3]',
    );
  });
});

describe('custom', () => {
  test('takes sigmas, times, timesteps or levels, with or without the clean end', () => {
    expect(sigmasOf(customSpacing({ sigmas: [10, 1, 0] }), vpLinear(), 2)).toEqual(close([10, 1, 0]));
    expect(
      customSpacing({ sigmas: Float32Array.of(1, 0.5) })
        .levels(flow(), { steps: 2 })
        .map(({ sigma }) => sigma),
    ).toEqual([1, 0.5, 0]);
    expect(
      customSpacing({ times: [1, 0.25] })
        .levels(flow(), { steps: 2 })
        .map(({ sigma }) => sigma),
    ).toEqual([1, 0.25, 0]);
    expect(stepsOf(customSpacing({ timesteps: [999, 500, 3] }).levels(discreteVp(), { steps: 3 }))).toEqual([999, 500, 3]);
    expect(customSpacing({ levels: [{ alpha: 0.6, sigma: 0.8 }, CLEAN] }).levels(vpLinear(), { steps: 1 })).toEqual([
      { alpha: 0.6, sigma: 0.8 },
      CLEAN,
    ]);
    expect(
      customSpacing({ sigmas: [4, 2, 1] })
        .levels(edm(), { steps: 2, end: 'floor' })
        .map(({ sigma }) => sigma),
    ).toEqual([4, 2, 1]);
  });
  test('what is no grid is refused', () => {
    expect(() => spacings.create('custom')).toThrow('exactly one list makes a grid: given none.');
    expect(() => customSpacing({ sigmas: [1], times: [1] })).toThrow('given sigmas, times');
    expect(() => customSpacing({ sigmas: [1, 2] }).levels(edm(), { steps: 2 })).toThrow('two levels coincide');
    expect(() => customSpacing({ sigmas: [2, -1] }).levels(edm(), { steps: 2 })).toThrow('sigmas[1]=-1');
    expect(() => customSpacing({ sigmas: [2, 1] }).levels(edm(), { steps: 7 })).toThrow(
      "the grid has another length: 2 levels with noise, 7 wanted. Ask for steps: 2 to the clean end, or 1 with end: 'floor'.",
    );
    expect(() => customSpacing({ timesteps: [5, 1] }).levels(flow(), { steps: 2 })).toThrow(
      'timesteps are steps of a chain: process=flow has none.',
    );
    expect(() => customSpacing({ timesteps: [5.5, 1] }).levels(discreteVp(), { steps: 2 })).toThrow('timesteps[0]=5.5');
  });
});

test('karras works on any process with a finite range', () => {
  const levels = karras({ sigmaMin: 0.03, sigmaMax: 14 }).levels(vpLinear(), { steps: 4 });
  const sigmas = karrasSigmas({ steps: 4, sigmaMin: 0.03, sigmaMax: 14 });
  levels.forEach((level, i) => expect(relativeSigma(level)).toBeCloseTo(sigmas[i]!, 12));
  for (const { alpha, sigma } of levels) expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 14);
});

test('what cannot be is refused with the reason', () => {
  expect(() => karrasSigmas({ steps: 0 })).toThrow('[core-schedules/karras] steps is out of range: steps=0.');
  expect(() => karrasSigmas({ steps: 3, sigmaMin: 5, sigmaMax: 2 })).toThrow('sigmaMax is out of range: sigmaMax=2.');
  expect(() => karras({ sigmaMax: 2 }).levels(flow(), { steps: 3 })).toThrow(
    'sigmaMax (of process flow) is out of range: sigmaMax (of process flow)=2.',
  );
  expect(() => leading().levels(vpLinear(), { steps: 3 })).toThrow(
    '[core-schedules/leading] the rule counts the steps of a chain: process=vp-linear has none.',
  );
  expect(() => leading().levels(discreteVp(), { steps: 2000 })).toThrow('steps=2000, offset=0, chain of 1000.');
  expect(() => linspaceTimes().levels(discreteVp(), { steps: 1500 })).toThrow('two levels coincide');
  expect(() => linspaceTimes().levels(flow(), { steps: 3, end: 'zero' as never })).toThrow('unknown end: end="zero". Known: clean, floor.');
  expect(() => betaSpacing({ over: 'time' as never })).toThrow('unknown quantity: over="time". Known: timestep, sigma.');
  expect(() => linearQuadratic({ linearSteps: 5 }).levels(flow(), { steps: 5 })).toThrow('linearSteps=5');
  expect(() => spacings.create('karas')).toThrow('[spacing] unknown spacing: "karas". Did you mean "karras"?');
  expect(() => spacings.create('karras', { rh: 5 })).toThrow(
    '[spacing/karras] unknown option: "rh". Did you mean "rho"? Known: sigmaMin, sigmaMax, rho.',
  );
  expect(() => spacings.create('simple', { rho: 5 })).toThrow('[spacing/simple] unknown option: "rho". It has no options.');
  expect(() => sigmaLevel(-1)).toThrow('sigma=-1');
});

test('names are those of the files, and plugins add their own', () => {
  expect(spacings.names).toEqual([
    'align-your-steps',
    'beta',
    'custom',
    'ddim-uniform',
    'exponential',
    'gits',
    'karras',
    'kl-optimal',
    'laplace',
    'leading',
    'linear-quadratic',
    'linspace',
    'normal',
    'polyexponential',
    'quadratic',
    'sgm-uniform',
    'simple',
    'trailing',
    'uniform-lambda',
    'vp',
  ]);
  for (const name of spacings.names.filter((each) => !needGrids.includes(each))) expect(spacings.create(name).name).toBe(name);
  const halves = () =>
    defineSpacing({
      name: 'halves',
      place: (process, count) => Array.from({ length: count }, (_, i) => process.level(process.span.max * 0.5 ** i)),
    });
  expect(
    spacings
      .with({ halves })
      .create('halves')
      .levels(flow(), { steps: 2, end: 'clean' })
      .map(({ sigma }) => sigma),
  ).toEqual([1, 0.5, 0.25]);
});

test('small helpers', () => {
  expect(snrOf({ alpha: 0.8, sigma: 0.4 })).toBeCloseTo(4, 12);
  expect(lambdaOf(CLEAN)).toBe(Infinity);
});

test('options that are none are refused by name, whatever the family', () => {
  for (const given of [null, 1, 'x', []] as never[])
    for (const make of [karras, laplaceSpacing, edm, flow, vpLinear, discreteVp])
      expect(() => make(given), make.name).toThrow('options are an object: options=');
});
