// Parity with k-diffusion's sampling functions in float64, on the closed-form denoiser of a mixture and with recorded noise.
// tooling/parity/k_diffusion_golden.py makes the golden file. dpm_fast and dpm_adaptive are in deterministic.test.ts; the noise that
// k-diffusion can add between their blocks and inner steps (eta) is not offered here. k-diffusion integrates LMS' polynomials by quadrature
// to 1e-4, which for cubics is exact all the same.
import { type Algebra, sigmaLevel } from '@langevin/core';
import { arrayAlgebra, exactTrace, finiteDifference, logLikelihood } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import { brownianTreeNoise } from '@langevin/samplers';
import { compareKDiffusion, K_DIFFUSION_TOLERANCE, kDiffusionFunctions, type KDiffusionGolden } from '@langevin/samplers/testing';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

interface Golden extends KDiffusionGolden {
  readonly logLikelihood: readonly { readonly sigmaMin: number; readonly sigmaMax: number; readonly result: readonly number[] }[];
  readonly brownian: readonly {
    readonly seed: string | readonly string[];
    readonly sigmaMin: number;
    readonly sigmaMax: number;
    readonly draws: readonly { readonly from: number; readonly to: number; readonly values: readonly number[] }[];
  }[];
}

const golden = JSON.parse(readFileSync(new URL('golden/k-diffusion.json', import.meta.url), 'utf8')) as Golden;
const denoise = threeModes().denoiser<Float64Array>();

describe.each(kDiffusionFunctions)('%s', (name) => {
  const cases = golden.cases.filter((each) => each.function === name);

  test.each(cases.map((each) => [`${each.grid} ${JSON.stringify(each.options)}`, each] as const))('%s', async (_, each) => {
    const { difference, intervals: asked } = await compareKDiffusion(golden, each);
    expect(difference).toBeLessThan(K_DIFFUSION_TOLERANCE);
    const { intervals, options } = each;
    if (intervals === undefined || options['eta'] === 0) return;
    expect(asked.length).toBe(intervals.length);
    asked.flat().forEach((sigma, i) => expect(Math.abs(sigma / intervals.flat()[i]! - 1)).toBeLessThan(1e-13));
  });
});

describe('log_likelihood', () => {
  // Theirs is Hutchinson's estimate; with signs as probe and a denoiser that works on each element alone it is the trace itself.
  test.each(golden.logLikelihood.map((each) => [each.sigmaMin, each.sigmaMax, each.result] as const))(
    'from sigma %d to %d',
    async (sigmaMin, sigmaMax, result) => {
      const algebra: Algebra<Float64Array> = arrayAlgebra({ items: 2 });
      const traced = exactTrace<Float64Array>({ algebra, derivative: finiteDifference({ algebra, denoise }) });
      const { logDensity } = await logLikelihood<Float64Array>({
        algebra,
        denoise: traced,
        x: Float64Array.from(golden.start),
        from: sigmaLevel(sigmaMin),
        to: sigmaLevel(sigmaMax),
        rtol: 1e-9,
        atol: 1e-9,
      });
      result.forEach((value, item) => expect(Math.abs(value / logDensity[item]! - 1)).toBeLessThan(1e-6));
    },
  );
});

describe('the Brownian tree', () => {
  test.each(golden.brownian.map((each) => [JSON.stringify(each.seed), each] as const))(
    'of seed %s gives the noise of BrownianTreeNoiseSampler',
    async (_, { seed, sigmaMin, sigmaMax, draws }) => {
      const noise = brownianTreeNoise({ seed: typeof seed === 'string' ? BigInt(seed) : seed.map(BigInt), sigmaMin, sigmaMax });
      for (const { from, to, values } of draws) {
        const drawn = await noise.draw({
          algebra: arrayAlgebra({ items: 2 }),
          like: new Float32Array(6),
          step: 0,
          draw: 0,
          interval: { from: sigmaLevel(from), to: sigmaLevel(to) },
        });
        values.forEach((value, i) => expect(Math.abs(value - drawn[i]!)).toBeLessThan(1e-5));
      }
    },
  );

  const request = { algebra: arrayAlgebra({ items: 2 }), like: new Float32Array(6), step: 0, draw: 0 } as const;
  const interval = { from: sigmaLevel(9), to: sigmaLevel(4) };

  test('of an image does not depend on its batch, and the time of a level is a choice', async () => {
    const range = { sigmaMin: 0.1, sigmaMax: 10 };
    const both = await brownianTreeNoise({ seed: [5, 6], ...range }).draw({ ...request, interval });
    const alone = await brownianTreeNoise({ seed: [6], ...range }).draw({
      ...request,
      algebra: arrayAlgebra(),
      like: new Float32Array(3),
      interval,
    });
    expect(both.slice(3)).toEqual(alone);
    // A flow in sigma: its pure noise is at no finite sigma / alpha.
    const onFlow = { from: { alpha: 0, sigma: 1 }, to: { alpha: 0.5, sigma: 0.5 } };
    const drawn = await brownianTreeNoise({ seed: 5, sigmaMin: 0, sigmaMax: 1, time: ({ sigma }) => sigma }).draw({
      ...request,
      interval: onFlow,
    });
    expect(drawn.every(Number.isFinite)).toBe(true);
  });

  test('says what is wrong', async () => {
    expect(() => brownianTreeNoise({ seed: 0, sigmaMin: 2, sigmaMax: 1 })).toThrow(
      '[samplers/noise] sigmaMax is out of range: sigmaMax=1. Pass the last sigma above 0 and the first of the run.',
    );
    const source = brownianTreeNoise({ seed: [1], sigmaMin: 0.1, sigmaMax: 10 });
    const outcome = async (draw: () => Promise<unknown>) => draw();
    await expect(outcome(() => source.draw({ ...request, interval }))).rejects.toThrow('seeds=1, batch of 2.');
    await expect(outcome(() => source.draw(request))).rejects.toThrow(
      'interval=undefined. Take the start of the run from torchNoise() or imageNoise().',
    );
    const narrow = brownianTreeNoise({ seed: 1, sigmaMin: 5, sigmaMax: 10 });
    await expect(outcome(() => narrow.draw({ ...request, interval }))).rejects.toThrow('lies outside the Brownian tree');
  });
});
