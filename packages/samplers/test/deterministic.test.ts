// What ties the deterministic solvers to each other, to the formulas of their papers, and to k-diffusion.
import {
  defineDenoiser,
  CLEAN,
  type Denoiser,
  lambdaOf,
  type NoiseLevel,
  type NoiseSource,
  relativeSigma,
  type Sampler,
  sigmaLevel,
} from '@langevin/core';
import { edm, flow, karras, linspaceTimes, uniformLambda, vpCosine, vpLinear } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import {
  ddim,
  deis,
  dpm2,
  dpmAdaptive,
  dpmFast,
  dpmFastLevels,
  dpmpp2m,
  dpmpp2s,
  dpmpp3m,
  dpmSolver,
  euler,
  gradientEstimation,
  heun,
  heunpp2,
  invert,
  ipndm,
  ipndmV,
  lms,
  pndm,
  resMultistep,
  sample,
  trajectory,
  unipc,
} from '@langevin/samplers';
import { measureOrder } from '@langevin/samplers/testing';
import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const modes = threeModes().denoiser<Float64Array>();
const starts = Float64Array.of(-2, -0.4, 0.3, 1.7);
/** Steps of uneven lengths in sigma and in lambda, to a level with noise. */
const uneven = linspaceTimes().levels(vpLinear(), { steps: 23, end: 'floor' });
const toClean = [...uneven, CLEAN];

const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
const run = (sampler: Sampler, levels: readonly NoiseLevel[] = toClean, denoise: Denoiser<Float64Array> = modes): Promise<Float64Array> =>
  sample({ sampler, denoise, x: starts, levels });

describe('methods that are one and the same', () => {
  const pair = (says: string, one: Sampler, other: Sampler, levels: readonly NoiseLevel[] = toClean) => ({ says, one, other, levels });
  const pairs = [
    pair('DPM-Solver-1 is DDIM', dpmSolver({ order: 1 }), ddim()),
    pair('DPM-Solver++-1 is DDIM', dpmSolver({ order: 1, prediction: 'x0', form: 'multistep' }), ddim()),
    pair('DEIS of order 1 is DDIM', deis({ order: 1 }), ddim()),
    pair('UniP-1 is DDIM', unipc({ order: 1, corrector: 'never' }), ddim()),
    pair('iPNDM of one evaluation is DDIM', ipndm({ order: 1 }), ddim()),
    pair('LMS of one evaluation is Euler', lms({ order: 1 }), euler()),
    pair('gradient estimation with gamma 1 is DDIM', gradientEstimation({ gamma: 1 }), ddim()),
    pair('gradient estimation with gamma 3/2 is iPNDM of two', gradientEstimation({ gamma: 1.5 }), ipndm({ order: 2 }), uneven),
    pair('rho-RK2-DEIS is Heun in sigma', deis({ form: 'rho-rk2' }), heun()),
    pair('rho-AB-DEIS of order 4 is LMS', deis({ form: 'rho-ab' }), lms(), uneven),
    pair('iPNDM-v is LMS', ipndmV(), lms()),
    pair('DPM2 is DPM-Solver-2', dpm2(), dpmSolver()),
    pair('DPM-Solver++(2S) is its order 2', dpmpp2s(), dpmSolver({ prediction: 'x0' })),
    pair('UniP-2 is DPM-Solver++(2M)', unipc({ corrector: 'never' }), dpmpp2m()),
    pair('UniP-3 is DPM-Solver++(3M) with exact weights', unipc({ order: 3, corrector: 'never' }), dpmpp3m()),
    pair(
      'UniP-3 over the noise is multistep DPM-Solver-3',
      unipc({ order: 3, corrector: 'never', prediction: 'epsilon' }),
      dpmSolver({ order: 3, form: 'multistep' }),
    ),
    pair('RES is DPM-Solver++(2M) with exact slopes', resMultistep(), dpmpp2m({ solverType: 'heun' })),
    pair(
      'DEIS in log rho is multistep DPM-Solver, 2',
      deis({ form: 'log-rho', order: 2 }),
      dpmSolver({ form: 'multistep', solverType: 'heun' }),
    ),
    pair(
      'DEIS in log rho is multistep DPM-Solver, 3',
      deis({ form: 'log-rho', order: 3 }),
      dpmSolver({ form: 'multistep', order: 3, solverType: 'heun' }),
    ),
    pair('blocks of one are DDIM', dpmSolver({ form: 'blocks', order: 1 }), ddim()),
    pair(
      'a corrector that is off everywhere is none',
      unipc({ corrector: { except: Array.from({ length: 24 }, (_, i) => i) } }),
      unipc({ corrector: 'never' }),
    ),
    pair('PLMS differs from S-PNDM in longer means only', pndm(), pndm({ form: 's' }), uneven.slice(0, 3)),
  ];
  test.each(pairs)('$says', async ({ one, other, levels }) =>
    expect(gap(await run(one, levels), await run(other, levels))).toBeLessThan(1e-10),
  );

  test('the first step of a multistep method is DDIM', async () => {
    const first = await run(ddim(), uneven.slice(0, 2));
    for (const sampler of [
      ipndm(),
      ipndmV(),
      lms(),
      deis(),
      dpmpp2m(),
      dpmpp3m(),
      unipc({ order: 3 }),
      resMultistep(),
      gradientEstimation(),
      dpmFast(),
    ]) {
      for await (const { x } of trajectory({ sampler, denoise: modes, x: starts, levels: uneven })) {
        expect(gap(x, first)).toBeLessThan(1e-12);
        break;
      }
    }
  });

  test('blocks of thirds in lambda are single steps', async () => {
    const levels = uniformLambda().levels(vpLinear(), { steps: 12, end: 'floor' });
    const coarse = levels.filter((_, i) => i % 3 === 0);
    for (const prediction of ['epsilon', 'x0'] as const) {
      const options = { order: 3, solverType: 'heun', prediction } as const;
      expect(
        gap(await run(dpmSolver({ ...options, form: 'blocks', lowerOrderFinal: 'clean' }), levels), await run(dpmSolver(options), coarse)),
      ).toBeLessThan(1e-10);
    }
  });
});

describe('weights', () => {
  test('over the noise add up to DDIM: constant noise is followed exactly', async () => {
    // epsilon = 1 everywhere.
    const constant = defineDenoiser<Float64Array>({
      nfe: 1,
      denoise: (x, at) => Promise.resolve(x.map((value) => (value - (at as NoiseLevel).sigma) / (at as NoiseLevel).alpha)),
    });
    const exact = await run(ddim(), uneven, constant);
    for (const sampler of [
      deis(),
      deis({ order: 3, process: vpCosine() }),
      deis({ form: 'rho-rk4' }),
      deis({ form: 'log-rho' }),
      pndm(),
      pndm({ form: 'f' }),
      ipndm(),
      ipndmV(),
      ipndmV({ order: 3, weights: 'reference' }),
      lms(),
      heunpp2(),
      dpm2(),
      dpmSolver({ order: 3 }),
      unipc({ order: 3, prediction: 'epsilon' }),
    ]) {
      expect(gap(await run(sampler, uneven, constant), exact) / gap(exact, [0, 0, 0, 0])).toBeLessThan(1e-10);
    }
  });

  test('over x0 add up: a constant prediction is followed exactly', async () => {
    const constant = defineDenoiser<Float64Array>({ nfe: 1, denoise: (x) => Promise.resolve(x.map(() => 0.4)) });
    const exact = await run(ddim(), uneven, constant);
    for (const sampler of [
      dpmpp2m(),
      dpmpp3m({ weights: 'reference' }),
      dpmpp2s({ r: 0.2 }),
      unipc({ order: 3, variant: 'bh1' }),
      resMultistep(),
      dpmSolver({ order: 3, prediction: 'x0' }),
    ]) {
      expect(gap(await run(sampler, uneven, constant), exact)).toBeLessThan(1e-12);
    }
  });

  test('DPM-Solver++(3M) by reference is the published formula', async () => {
    const levels = uneven.slice(0, 5);
    const seen: Float64Array[] = [];
    let x: Float64Array = starts;
    for (let i = 0; i < 4; i++) {
      const [from, to] = [levels[i]!, levels[i + 1]!];
      const m = [...(seen.unshift(await modes(x, from)), seen)] as [Float64Array, Float64Array, Float64Array];
      const h = lambdaOf(to) - lambdaOf(from);
      const [r0, r1] = [1, 2].map((k) => (lambdaOf(levels[i - k + 1] ?? from) - lambdaOf(levels[i - k] ?? from)) / h) as [number, number];
      x = x.map((value, k) => {
        const e = Math.exp(-h);
        const base = (to.sigma / from.sigma) * value - to.alpha * (e - 1) * m[0][k]!;
        if (i === 0) return base;
        const d10 = (m[0][k]! - m[1][k]!) / r0;
        if (i === 1) return base - 0.5 * to.alpha * (e - 1) * d10;
        const d11 = (m[1][k]! - m[2][k]!) / r1;
        const [d1, d2] = [d10 + (r0 / (r0 + r1)) * (d10 - d11), (d10 - d11) / (r0 + r1)];
        return base + to.alpha * ((e - 1) / h + 1) * d1 - to.alpha * ((e - 1 + h) / h ** 2 - 0.5) * d2;
      });
    }
    expect(gap(await run(dpmpp3m({ weights: 'reference', lowerOrderFinal: 'clean' }), levels), x)).toBeLessThan(1e-10);
  });

  test('Heun++ weighs slopes by sigma over sigma max', async () => {
    const sigmas = [10, 4, 1.5, 0];
    let x: Float64Array = starts;
    const slope = async (y: Float64Array, sigma: number): Promise<Float64Array> => {
      const denoised = await modes(y, { alpha: 1, sigma });
      return y.map((value, k) => (value - denoised[k]!) / sigma);
    };
    const moved = (y: Float64Array, by: number, d: Float64Array): Float64Array => y.map((value, k) => value + by * d[k]!);
    const [a, b, c] = sigmas as [number, number, number];
    const d1 = await slope(x, a);
    const x2 = moved(x, b - a, d1);
    const d2 = await slope(x2, b);
    const d3 = await slope(moved(x2, c - b, d2), c);
    x = moved(
      x,
      b - a,
      d1.map((value, k) => (1 - b / (3 * a) - c / (3 * a)) * value + (b / (3 * a)) * d2[k]! + (c / (3 * a)) * d3[k]!),
    );
    const e1 = await slope(x, b);
    const e2 = await slope(moved(x, c - b, e1), c);
    x = moved(
      x,
      c - b,
      e1.map((value, k) => (1 - c / (2 * a)) * value + (c / (2 * a)) * e2[k]!),
    );
    x = moved(x, -c, await slope(x, c));
    expect(gap(await run(heunpp2(), sigmas.map(sigmaLevel)), x)).toBeLessThan(1e-10);
  });

  test('of iPNDM-v as published are of order 3 where exact ones are of order 4', async () => {
    const { slope } = await measureOrder(ipndmV({ weights: 'reference' }), 'mixture', [320, 640, 1280]);
    expect(Math.abs(slope - 3)).toBeLessThan(0.3);
  });
});

describe('evaluations', () => {
  const places = async (sampler: Sampler, levels: readonly NoiseLevel[]): Promise<number[]> => {
    const sigmas: number[] = [];
    await run(
      sampler,
      levels,
      defineDenoiser<Float64Array>({ nfe: 1, denoise: (x, at) => (sigmas.push(relativeSigma(at as NoiseLevel)), modes(x, at)) }),
    );
    return sigmas;
  };
  const close = (values: readonly number[], expected: readonly number[]): void => {
    expect(values.length).toBe(expected.length);
    values.forEach((value, i) => expect(value / expected[i]!).toBeCloseTo(1, 12));
  };

  test('of single steps lie at even shares of lambda, in order', async () => {
    const levels = [8, 1, 0].map(sigmaLevel);
    close(await places(dpmSolver({ order: 3 }), levels), [8, 4, 2, 1]);
    close(await places(dpmSolver(), levels), [8, Math.sqrt(8), 1]);
    close(await places(dpmpp2s({ r: 1 / 3 }), levels), [8, 4, 1]);
    close(await places(dpm2(), levels), [8, Math.sqrt(8), 1]);
    close(await places(deis({ form: 'rho-rk4' }), levels), [8, 4.5, 4.5, 1, 1]);
    close(await places(pndm(), [8, 4, 1].map(sigmaLevel)), [8, 4, 4]);
    close(
      await places(pndm({ form: 'f', middle: (from, to) => sigmaLevel((from.sigma + to.sigma) / 2) }), [8, 6, 4, 2, 1].map(sigmaLevel)),
      [8, 7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2],
    );
  });

  test('of "fast" are as many as steps, for any number', async () => {
    for (let steps = 1; steps <= 13; steps++) {
      const levels = dpmFastLevels({ from: sigmaLevel(80), to: sigmaLevel(0.01), evaluations: steps });
      expect(levels.length).toBe(steps + 1);
      expect((await places(dpmFast(), levels)).length).toBe(steps);
      expect((await places(dpmFast(), karras().levels(edm(), { steps }))).length).toBe(steps);
    }
  });
});

describe('from pure noise, on a flow', () => {
  const levels = Array.from({ length: 21 }, (_, i) => flow().level(1 - i / 20));

  test('the first step is of first order, and methods in lambda or sigma forget it', async () => {
    const first = await run(ddim(), levels.slice(0, 2));
    for (const sampler of [
      dpmpp2m(),
      dpmpp3m(),
      dpmpp2s(),
      dpmSolver({ order: 3 }),
      dpmSolver({ form: 'multistep', order: 3 }),
      dpmFast({ prediction: 'x0' }),
      dpmAdaptive(),
      unipc({ order: 3 }),
      unipc({ variant: 'bh1' }),
      unipc({ prediction: 'epsilon' }),
      deis(),
      deis({ form: 'rho-ab' }),
      deis({ form: 'log-rho' }),
      lms(),
      ipndmV(),
      resMultistep(),
      pndm(),
    ]) {
      const states: Float64Array[] = [];
      for await (const { x } of trajectory({ sampler, denoise: modes, x: starts, levels })) states.push(x);
      expect(gap(states[0]!, first)).toBeLessThan(1e-14);
      expect(states.at(-1)!.every((value) => Math.abs(value) < 3)).toBe(true);
      // Blocks are counted from the start of the run, and PLMS remembers the first evaluation.
      if (sampler.name === 'dpm-fast' || sampler.name === 'pndm') continue;
      const rest = await sample({ sampler, denoise: modes, x: states[0]!, levels: levels.slice(1) });
      expect(gap(rest, states.at(-1)!)).toBeLessThan(1e-10);
    }
  });

  test('more steps get nearer to where the ODE leads', async () => {
    const at = (steps: number) => Array.from({ length: steps + 1 }, (_, i) => flow().level(1 - i / steps));
    const fine = await run(dpmpp2m(), at(2000));
    for (const sampler of [dpmpp2m(), unipc(), deis({ order: 3 }), resMultistep(), ipndm(), gradientEstimation()]) {
      const [coarse, finer] = [gap(await run(sampler, at(40)), fine), gap(await run(sampler, at(160)), fine)];
      expect(finer).toBeLessThan(coarse / 2);
    }
  });

  test('methods with stages in sigma refuse it by name', async () => {
    for (const sampler of [dpm2(), heunpp2(), deis({ form: 'rho-rk3' })])
      await expect(run(sampler, levels)).rejects.toThrow(
        `[samplers/${sampler.name}] the method integrates over sigma / alpha, which is infinite at alpha = 0`,
      );
  });
});

describe('dpm-adaptive', () => {
  interface Golden {
    readonly start: readonly number[];
    readonly noise: readonly (readonly number[])[];
    readonly cases: readonly {
      readonly function: string;
      readonly options: Readonly<Record<string, number>>;
      readonly intervals?: readonly (readonly [number, number])[];
      readonly result: readonly number[];
      readonly info?: { readonly nfe: number };
    }[];
  }
  const golden = JSON.parse(readFileSync(new URL('golden/k-diffusion.json', import.meta.url), 'utf8')) as Golden;
  const [from, to] = [sigmaLevel(14.61459999999999), sigmaLevel(0.0292)] as const;
  const x = Float64Array.from(golden.start, (value) => value * 14.614599999999992);
  const deterministic = golden.cases.filter(({ options }) => (options['eta'] ?? 0) === 0);

  test.each(deterministic.filter((each) => each.function === 'dpm_adaptive').map((each) => [JSON.stringify(each.options), each] as const))(
    'is dpm_adaptive of k-diffusion in float64, with %s',
    async (_, { options: { order, rtol, atol, pcoeff = 0, icoeff = 1, dcoeff = 0 }, result, info }) => {
      const sampler = dpmAdaptive({
        ...(order === 2 ? { order } : {}),
        ...(rtol === undefined ? {} : { rtol }),
        ...(atol === undefined ? {} : { atol }),
        control: [pcoeff, icoeff, dcoeff],
      });
      for await (const step of trajectory({ sampler, denoise: modes, x, levels: [from, to] })) {
        expect(gap(step.x, result)).toBeLessThan(1e-11);
        expect(step.nfe).toBe(info!.nfe);
      }
    },
  );

  test.each(deterministic.filter((each) => each.function === 'dpm_fast').map((each) => [each.options['n']!, each.result] as const))(
    'and dpm-fast is dpm_fast, with %s evaluations',
    async (evaluations, result) => {
      const end = await sample({ sampler: dpmFast(), denoise: modes, x, levels: dpmFastLevels({ from, to, evaluations }) });
      expect(gap(end, result)).toBeLessThan(1e-11);
    },
  );

  test.each(
    golden.cases
      .filter((each) => (each.options['eta'] ?? 0) > 0 && ['dpm_fast', 'dpm_adaptive'].includes(each.function))
      .map((each) => [each.function, each] as const),
  )('with noise, as %s', async (name, { options: { n, eta = 0, s_noise: sNoise = 1 }, intervals, result, info }) => {
    const fast = name === 'dpm_fast';
    // A draw of theirs is known by where it begins; attempts that fail draw nothing there.
    const noise: NoiseSource = {
      name: 'recorded',
      draw: ({ algebra, like, interval }) => {
        const k = intervals!.findIndex(([begin]) => Math.abs(begin / relativeSigma([interval!.from].flat()[0]!) - 1) < 1e-6);
        return Promise.resolve(algebra.fromHost(Float64Array.from(golden.noise[k]!), like));
      },
    };
    const levels = fast ? dpmFastLevels({ from, to, evaluations: n! }) : [from, to];
    let [last, nfe]: [Float64Array, number] = [x, 0];
    for await (const step of trajectory({
      sampler: fast ? dpmFast({ eta, sNoise }) : dpmAdaptive({ eta, sNoise }),
      denoise: modes,
      x,
      levels,
      noise,
    }))
      [last, nfe] = [step.x, step.nfe];
    expect(gap(last, result)).toBeLessThan(1e-11);
    expect(nfe).toBe(info?.nfe ?? n);
  });

  test('blocks with noise reach below the start of the next one, over levels that fall all the same', async () => {
    // Worked out by hand for k-diffusion's rule: noise of a quarter throughout, the prediction tanh(x).
    const noise: NoiseSource = {
      name: 'constant',
      draw: ({ algebra, like }) => Promise.resolve(algebra.fromHost(Float64Array.of(0.25), like)),
    };
    const levels = dpmFastLevels({ from: sigmaLevel(14.6), to: sigmaLevel(0.03), evaluations: 4 });
    const tanh = defineDenoiser<Float64Array>({ nfe: 1, denoise: (state) => Promise.resolve(state.map(Math.tanh)) });
    const end = await sample({ sampler: dpmFast({ eta: 1 }), denoise: tanh, x: Float64Array.of(3), levels, noise });
    expect(Math.abs(end[0]! - 0.78899)).toBeLessThan(5e-6);
  });

  test('errs less with a smaller tolerance, at more evaluations', async () => {
    const exact = await sample({
      sampler: dpmSolver({ order: 3 }),
      denoise: modes,
      x,
      levels: uniformLambda({ sigmaMin: to.sigma, sigmaMax: from.sigma }).levels(edm(), { steps: 2000, end: 'floor' }),
    });
    let [error, calls] = [Infinity, 0];
    for (const tolerance of [0.05, 0.005, 0.0005, 0.00005]) {
      for await (const step of trajectory({
        sampler: dpmAdaptive({ rtol: tolerance, atol: tolerance / 6 }),
        denoise: modes,
        x,
        levels: [from, to],
      })) {
        expect(gap(step.x, exact)).toBeLessThan(error / 2);
        expect(step.nfe).toBeGreaterThan(calls);
        [error, calls] = [gap(step.x, exact), step.nfe];
      }
    }
  });

  test('gives up with the reason', async () => {
    await expect(sample({ sampler: dpmAdaptive({ maxSteps: 3 }), denoise: modes, x, levels: [from, to] })).rejects.toThrow(
      '[samplers/dpm-adaptive] no end in sight after 3 inner steps of step 1',
    );
  });
});

describe('inversion', () => {
  const levels = (steps: number) => uniformLambda().levels(vpLinear(), { steps, end: 'floor' });
  const data = Float64Array.of(-1.3, -0.9, 0.2, 0.45, 1.4, 1.8);
  const roundTrip = async (sampler: Sampler, steps: number): Promise<number> => {
    const noise = await invert({ sampler, denoise: modes, x: data, levels: levels(steps).toReversed() });
    return gap(await sample({ sampler, denoise: modes, x: noise, levels: levels(steps) }), data);
  };

  test('by DDIM and back misses by O(1 / N), 1000 steps by less than a hundredth', async () => {
    const errors = [await roundTrip(ddim(), 250), await roundTrip(ddim(), 500), await roundTrip(ddim(), 1000)];
    expect(errors[2]).toBeLessThan(1e-2);
    for (const i of [0, 1]) expect(Math.log2(errors[i]! / errors[i + 1]!)).toBeCloseTo(1, 1);
  });

  test('by methods of higher order misses by less', async () => {
    const plain = await roundTrip(ddim(), 200);
    for (const sampler of [dpmpp2m(), heun(), unipc(), deis({ form: 'log-rho', order: 3 })])
      expect(await roundTrip(sampler, 200)).toBeLessThan(plain / 20);
  });

  test('may end at pure noise, and says what it cannot do', async () => {
    const up = [0.02, 0.5, 1].map((t) => flow().level(t));
    expect((await invert({ denoise: modes, x: data, levels: up })).every(Number.isFinite)).toBe(true);
    await expect(invert({ denoise: modes, x: data, levels: [CLEAN, ...up] })).rejects.toThrow(
      '[samplers/invert] at a clean level no noise can be told from data',
    );
    await expect(invert({ denoise: modes, x: data, levels: up.toReversed() })).rejects.toThrow(
      '[samplers/invert] sigma / alpha must be strictly increasing',
    );
    await expect(invert({ denoise: modes, x: data, levels: [] })).rejects.toThrow('levels.length=0');
    await expect(invert({ denoise: modes, x: data, levels: up, sampler: ddim({ eta: 1 }) })).rejects.toThrow(
      '[samplers/invert] a stochastic sampler has no inverse: sampler=ddim',
    );
    await expect(invert({ denoise: modes, x: data, levels: up.slice(0, 2), sampler: dpmAdaptive() })).rejects.toThrow(
      '[samplers/dpm-adaptive] the method goes from noise to data',
    );
  });
});

test('options out of range are refused with what is known', () => {
  const cases: readonly (readonly [() => unknown, string])[] = [
    [() => dpmpp2m({ solverType: 'bh2' as never }), '[samplers/dpmpp-2m] unknown solverType: solverType="bh2". Known: midpoint, heun.'],
    [() => dpmpp3m({ weights: 'wrong' as never }), '[samplers/dpmpp-3m] unknown weights: weights="wrong". Known: exact, reference.'],
    [() => dpmpp2m({ lowerOrderFinal: true as never }), 'lowerOrderFinal=true. Known: clean, last, few, always.'],
    [() => dpmpp2s({ r: 0 }), '[samplers/dpmpp-2s] r is out of range: r=0.'],
    [() => dpmSolver({ order: 4 as never }), '[samplers/dpm-solver] unknown order: order=4. Known: 1, 2, 3.'],
    [() => dpmAdaptive({ rtol: 0 }), '[samplers/dpm-adaptive] rtol is out of range: rtol=0. Pass a number > 0.'],
    [() => dpmAdaptive({ control: [1, Number.NaN, 0] }), 'control[1]=NaN'],
    [() => unipc({ corrector: { except: [0.5] } }), '[samplers/unipc] corrector.except must be a list of step numbers: except=0.5.'],
    [() => unipc({ corrector: 'sometimes' as never }), 'corrector="sometimes". Known: always, never.'],
    [() => deis({ form: 'ab' as never }), '[samplers/deis] unknown form: form="ab". Known: tab, rho-ab, log-rho'],
    [() => gradientEstimation({ gamma: 0 }), '[samplers/gradient-estimation] gamma is out of range: gamma=0. Pass a number > 0'],
    [() => pndm({ middle: 1 as never }), '[samplers/pndm] wrong kind of option: middle=1.'],
    [
      () => dpmFastLevels({ from: sigmaLevel(1), to: CLEAN, evaluations: 3 }),
      '[samplers/dpm-fast] both ends need signal and noise: from.alpha=1, to.sigma=0.',
    ],
    [() => dpmFastLevels({ from: sigmaLevel(1), to: sigmaLevel(0.1), evaluations: 0 }), 'evaluations is out of range: evaluations=0.'],
  ];
  for (const [make, message] of cases) expect(make).toThrow(message);
});

test('DEIS names the process whose times do not tell two levels apart', async () => {
  const far = [4000, 3000, 2000, 1].map(sigmaLevel);
  await expect(run(deis(), far)).rejects.toThrow(
    '[samplers/deis] the process has one time for two levels of the run: process=vp-linear, times=1, 1.',
  );
});
