import { defineDenoiser, CLEAN, type NoiseLevel } from '@langevin/core';
import { arrayAlgebra, edm, karras, uniformLambda, vpLinear } from '@langevin/core-schedules';
import { gaussian, threeModes } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { tfjsEngine } from '@langevin/engine-tfjs';
import {
  brownianTreeNoise,
  ddim,
  eulerMaruyama,
  gottaGoFast,
  heun,
  imageNoise,
  predictorCorrector,
  restart,
  rk45,
  sample,
  trajectory,
} from '@langevin/samplers';
import { gaussianMoments, measureOrder, orderGrid, testSampler } from '@langevin/samplers/testing';
import { describe, expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 }), await tfjsEngine({ backend: 'cpu' })];

describe('euler-maruyama', () => testSampler(eulerMaruyama(), { test, engines }));
describe('euler-maruyama, reverse diffusion', () => testSampler(eulerMaruyama({ form: 'reverse-diffusion' }), { test, engines }));
// On data much wider than sigma a corrector's step is some 1e3 sigma^2, and so is what it makes of the rounding of D.
describe('predictor-corrector', () =>
  testSampler(predictorCorrector(), {
    test,
    engines,
    precision: 1e-3,
    nfe: (steps) => 2 * steps,
    accuracy: { kind: 'sampled', bias: 0.01, steps: 100 },
  }));
describe('restart', () => testSampler(restart(), { test, engines, nfe: 'any', accuracy: { kind: 'sampled', bias: 0.01, steps: 30 } }));
describe('restart, on the levels of the run', () =>
  testSampler(restart({ intervals: [{ sigmaMin: 0.06, sigmaMax: 0.3, repeats: 2 }] }), { test, nfe: 'any' }));
describe('rk45', () =>
  testSampler(rk45({ rtol: 1e-6, atol: 1e-6 }), {
    test,
    engines,
    nfe: 'any',
    accuracy: { kind: 'tolerance', sampler: (tolerance) => rk45({ rtol: tolerance, atol: tolerance }) },
  }));
// On the mixture, terms of order 6 are the larger ones until errors are near 1e-11; on Gaussian data order 5 shows (below).
describe('rk45, fixed steps', () =>
  testSampler(rk45({ steps: 'fixed' }), {
    test,
    engines,
    nfe: (steps) => (steps === 1 ? 8 : 6 * (steps - 1) + 1 + 7),
    accuracy: { kind: 'order', steps: [20, 40, 80], orHigher: true },
  }));
describe('gotta-go-fast', () => testSampler(gottaGoFast(), { test, engines, nfe: 'any', accuracy: { kind: 'sampled', bias: 0.01 } }));
describe('gotta-go-fast, redrawing', () =>
  testSampler(gottaGoFast({ rejected: 'reference' }), { test, nfe: 'any', accuracy: { kind: 'sampled', bias: 0.02 } }));

const modes = threeModes().denoiser<Float64Array>();
const normal = gaussian({ mean: [0.7], std: 0.3 });
const starts = Float64Array.of(-2, -0.4, 0.3, 1.7);

/** Adds up the evaluations of a run, and ends with its state. */
async function counted(
  options: Parameters<typeof trajectory<Float64Array>>[0],
): Promise<{ readonly x: Float64Array; readonly nfe: number }> {
  let last = { x: options.x, nfe: 0 };
  for await (const { x, nfe } of trajectory(options)) last = { x, nfe };
  return last;
}

describe('rk45', () => {
  test('in fixed steps is of order 5', async () => {
    const { slope } = await measureOrder(rk45({ steps: 'fixed' }), 'gaussian', [80, 160]);
    expect(Math.abs(slope - 5)).toBeLessThan(0.15);
  });

  test('starts from pure noise and ends clean', async () => {
    const levels: NoiseLevel[] = [{ alpha: 0, sigma: 1 }, CLEAN];
    const { x } = await counted({
      sampler: rk45({ rtol: 1e-9, atol: 1e-9 }),
      denoise: normal.denoiser(),
      x: starts,
      levels,
      algebra: arrayAlgebra({ items: 4 }),
    });
    const exact = normal.flow(starts, { from: levels[0]!, to: CLEAN });
    x.forEach((value, i) => expect(Math.abs(value - exact[i]!)).toBeLessThan(2e-5));
  });

  test('costs some hundred evaluations for five digits, and a fifth root more for more', async () => {
    const cost = async (tolerance: number): Promise<number> =>
      (
        await counted({
          sampler: rk45({ rtol: tolerance, atol: tolerance }),
          denoise: modes,
          x: starts.subarray(1, 2),
          levels: orderGrid(1),
        })
      ).nfe;
    const [loose, tight] = [await cost(1e-4), await cost(1e-9)];
    // 10^(5/5) times as many, up to what first steps and rejected ones cost.
    expect(tight / loose).toBeGreaterThan(4);
    expect(tight / loose).toBeLessThan(16);
  });
});

describe('euler-maruyama on the reverse SDE', () => {
  test('has the marginal of the data at every time on the way, with weak order 1', async () => {
    const errors = async (steps: number): Promise<readonly number[]> => {
      const levels = orderGrid(steps);
      return Promise.all(
        [0.25, 0.5, 0.75, 1].map(async (share) => {
          const run = levels.slice(0, 1 + share * steps);
          const { alpha, sigma } = run.at(-1)!;
          const { variance } = await gaussianMoments(eulerMaruyama(), { mean: 0.7, std: 0.3, levels: run });
          return Math.abs(variance - (alpha * 0.3) ** 2 - sigma ** 2);
        }),
      );
    };
    const [coarse, fine] = [await errors(100), await errors(200)];
    coarse.forEach((error, i) => expect(Math.abs(Math.log2(error / fine[i]!) - 1)).toBeLessThan(0.15));
  });

  test('has strong order 1: the noise of a path adds up, so that only the drift is in error', async () => {
    const spacing = uniformLambda({ sigmaMin: 0.1, sigmaMax: 2 });
    // At alpha = 1 the SDE's noise is a Brownian path over sigma^2.
    const noise = brownianTreeNoise({ seed: 4, sigmaMin: 0.01, sigmaMax: 4, time: ({ sigma }) => sigma ** 2 });
    const x = Float64Array.from({ length: 1024 }, (_, i) => (i - 511.5) / 192);
    const end = (steps: number): Promise<Float64Array> =>
      sample({
        sampler: eulerMaruyama(),
        denoise: normal.denoiser<Float64Array>(),
        x,
        levels: spacing.levels(edm(), { steps, end: 'floor' }),
        noise,
      });
    const [coarse, middle, fine] = [await end(64), await end(128), await end(256)];
    const apart = (a: Float64Array, b: Float64Array): number => Math.hypot(...a.map((value, i) => value - b[i]!));
    expect(Math.abs(Math.log2(apart(coarse, middle) / apart(middle, fine)) - 1)).toBeLessThan(0.15);
  });
});

describe('Langevin correctors', () => {
  test('without steps leave the predictor', async () => {
    const options = { denoise: modes, x: starts, levels: [...orderGrid(10), CLEAN], noise: imageNoise({ seed: 2 }) };
    const [a, b] = [
      await sample({ ...options, sampler: predictorCorrector({ correctorSteps: 0 }) }),
      await sample({ ...options, sampler: eulerMaruyama({ form: 'reverse-diffusion' }) }),
    ];
    expect(a).toEqual(b);
  });

  test('repair what too few predictor steps do to the spread', async () => {
    const error = async (correctorSteps: number): Promise<number> => {
      const levels = orderGrid(20);
      const algebra = arrayAlgebra({ items: 32 });
      const noise = imageNoise({ seed: 8 });
      const z = await noise.draw<Float64Array>({ algebra, like: new Float64Array(32 * 64), step: 'start', draw: 0 });
      const x = z.map((value) => levels[0]!.alpha * 0.7 + Math.hypot(levels[0]!.alpha * 0.3, levels[0]!.sigma) * value);
      const end = await sample({
        sampler: predictorCorrector({ correctorSteps }),
        denoise: normal.denoiser<Float64Array>(),
        x,
        levels,
        noise,
        algebra,
      });
      const mean = end.reduce((sum, value) => sum + value, 0) / end.length;
      return Math.abs(Math.sqrt(end.reduce((sum, value) => sum + (value - mean) ** 2, 0) / end.length) - 0.3);
    };
    expect(await error(3)).toBeLessThan((await error(0)) / 2);
  });
});

describe('restart', () => {
  const levels = karras().levels(edm(), { steps: 18 });
  const options = { denoise: modes, x: Float64Array.of(50, -30, 7), levels, noise: imageNoise({ seed: 3 }) };

  test('without intervals is its base', async () => {
    expect(await sample({ ...options, sampler: restart({ intervals: [] }) })).toEqual(await sample({ ...options, sampler: heun() }));
    expect(await sample({ ...options, sampler: restart({ intervals: [], base: ddim() }) })).toEqual(
      await sample({ ...options, sampler: ddim() }),
    );
  });

  test('counts the repetitions: 18 Heun steps and twice 3 more', async () => {
    expect((await counted({ ...options, sampler: restart() })).nfe).toBe(35 + 2 * 6);
  });

  test('leaves the spread of Gaussian data alone, whatever the intervals', async () => {
    const fine = uniformLambda({ sigmaMin: 0.01, sigmaMax: 20 }).levels(edm(), { steps: 300, end: 'floor' });
    const sampler = restart({
      intervals: [
        { sigmaMin: 0.06, sigmaMax: 0.3, repeats: 3 },
        { sigmaMin: 1, sigmaMax: 10, repeats: 2, steps: 40 },
      ],
    });
    const { mean, variance } = await gaussianMoments(sampler, { mean: 1, std: 0.5, levels: fine });
    expect(mean).toBeCloseTo(1, 3);
    expect(variance).toBeCloseTo(0.25 + 1e-4, 3);
  });

  test('contracts an earlier error', async () => {
    // Ten Euler steps are too few; the error in the spread shrinks where the end of the run is sampled anew in fine steps.
    const coarse = karras({ sigmaMin: 0.002 }).levels(edm({ sigmaMax: 20 }), { steps: 10 });
    const error = async (repeats: number): Promise<number> => {
      const sampler = restart({ base: ddim(), intervals: repeats === 0 ? [] : [{ sigmaMin: 0.05, sigmaMax: 5, repeats, steps: 200 }] });
      return Math.abs((await gaussianMoments(sampler, { mean: 0, std: 0.5, levels: coarse })).variance - 0.25);
    };
    expect(await error(4)).toBeLessThan((await error(0)) / 5);
  });

  test('refuses intervals out of range', () => {
    expect(() => restart({ intervals: [{ sigmaMin: 1, sigmaMax: 0.5, repeats: 1 }] })).toThrow(
      '[samplers/restart] intervals[0].sigmaMax is out of range: intervals[0].sigmaMax=0.5. Pass a number > sigmaMin.',
    );
    expect(() => restart({ intervals: [{ sigmaMin: 1, sigmaMax: 2, repeats: 0 }] })).toThrow('repeats=0. Pass an integer >= 1.');
  });
});

describe('gotta-go-fast', () => {
  /** Deviation error on N(0.7, 0.3^2) over 128 images of 64 numbers, and the cost. */
  const outcome = async (options: Parameters<typeof gottaGoFast>[0]): Promise<{ readonly bias: number; readonly nfe: number }> => {
    const levels = orderGrid(1);
    const algebra = arrayAlgebra({ items: 128 });
    const noise = imageNoise({ seed: 8 });
    const z = await noise.draw<Float64Array>({ algebra, like: new Float64Array(128 * 64), step: 'start', draw: 0 });
    const x = z.map((value) => levels[0]!.alpha * 0.7 + Math.hypot(levels[0]!.alpha * 0.3, levels[0]!.sigma) * value);
    const { x: end, nfe } = await counted({ sampler: gottaGoFast(options), denoise: normal.denoiser(), x, levels, noise, algebra });
    const mean = end.reduce((sum, value) => sum + value, 0) / end.length;
    return {
      bias:
        Math.sqrt(end.reduce((sum, value) => sum + (value - mean) ** 2, 0) / end.length)
        - Math.hypot(0.3 * levels[1]!.alpha, levels[1]!.sigma),
      nfe,
    };
  };

  test('has a smaller error at a smaller tolerance, for more evaluations', async () => {
    const [loose, tight] = [await outcome({ rtol: 0.2, atol: 0.1 }), await outcome({ rtol: 0.01, atol: 0.002 })];
    expect(Math.abs(tight.bias)).toBeLessThan(Math.abs(loose.bias));
    expect(tight.nfe).toBeGreaterThan(2 * loose.nfe);
  });

  test('ends with the same spread whether rejected attempts keep their noise or draw again', async () => {
    const [keep, reference] = [await outcome({ rtol: 0.2, atol: 0.08 }), await outcome({ rtol: 0.2, atol: 0.08, rejected: 'reference' })];
    // Four standard errors of the difference of two deviations, of 8192 numbers each.
    expect(Math.abs(keep.bias - reference.bias)).toBeLessThan((4 * 0.3) / Math.sqrt(8192));
    for (const { bias } of [keep, reference]) expect(Math.abs(bias)).toBeLessThan(0.02);
  });

  test('steps by each image alone, two evaluations an attempt', async () => {
    const asked: number[][] = [];
    const denoise = defineDenoiser<Float64Array>({
      nfe: 1,
      denoise: (x, at) => (asked.push((at as readonly NoiseLevel[]).map(({ sigma }) => sigma)), modes(x, at)),
    });
    const { nfe } = await counted({
      sampler: gottaGoFast(),
      denoise,
      x: Float64Array.of(60, -20),
      levels: [
        { alpha: 1, sigma: 50 },
        { alpha: 1, sigma: 0.1 },
      ],
      noise: imageNoise({ seed: 1 }),
      algebra: arrayAlgebra({ items: 2 }),
    });
    expect(nfe).toBe(asked.length);
    expect(nfe % 2).toBe(0);
    expect(asked.some(([a, b]) => a !== b)).toBe(true);
    expect(asked.flat().every((sigma) => sigma >= 0.1 && sigma <= 50)).toBe(true);
  });

  test('refuses what it cannot do', async () => {
    expect(() => gottaGoFast({ rtol: 0 })).toThrow('[samplers/gotta-go-fast] rtol is out of range: rtol=0.');
    const run = (levels: readonly NoiseLevel[], options = {}): Promise<Float64Array> =>
      sample({ sampler: gottaGoFast(options), denoise: modes, x: starts, levels, noise: imageNoise({ seed: 1 }) });
    await expect(run([{ alpha: 0, sigma: 1 }, CLEAN])).rejects.toThrow('infinite at alpha = 0');
    await expect(run(orderGrid(1), { maxAttempts: 3 })).rejects.toThrow('too many attempts: maxAttempts=3');
  });
});

test('rk45, euler-maruyama and predictor-corrector say what is out of range', async () => {
  expect(() => rk45({ atol: 0 })).toThrow('[samplers/rk45] atol is out of range: atol=0. Pass a number > 0.');
  expect(() => predictorCorrector({ snr: 0 })).toThrow('[samplers/predictor-corrector] snr is out of range: snr=0.');
  expect(() => eulerMaruyama({ form: 'milstein' as never })).toThrow(
    'unknown form: form="milstein". Known: euler-maruyama, reverse-diffusion.',
  );
  const run = sample({
    sampler: eulerMaruyama(),
    denoise: modes,
    x: starts,
    levels: [{ alpha: 0, sigma: 1 }, vpLinear().level(0.5)],
    noise: imageNoise({ seed: 1 }),
  });
  await expect(run).rejects.toThrow('[samplers/euler-maruyama] the drift of the reverse SDE is infinite at alpha = 0');
});
