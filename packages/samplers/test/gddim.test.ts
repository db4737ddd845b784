import { defineDenoiser, type Sampler, sigmaLevel } from '@langevin/core';
import { criticallyDamped, type CriticallyDamped, type Matrix2, type PairLevel } from '@langevin/core-schedules';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { deis, gddim, sample, type GddimOptions } from '@langevin/samplers';
import { testSampler } from '@langevin/samplers/testing';
import { UserError } from '@langevin/tensor';
import { describe, expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const engines = [await onnxruntimeEngine({ device: 'cpu', threads: 1 })];

describe('gddim, isotropic', () => testSampler(gddim(), { test, engines }));

/** The data: one position, with no velocity of its own. */
const POINT = Float64Array.of(0.6, 0);
const damped = criticallyDamped();

const apply = (m: Matrix2, u: ArrayLike<number>): Float64Array => Float64Array.of(m[0] * u[0]! + m[1] * u[1]!, m[2] * u[0]! + m[3] * u[1]!);
const less = (a: Float64Array, b: Float64Array): Float64Array => a.map((value, i) => value - b[i]!);
const solve = (m: Matrix2, u: ArrayLike<number>): Float64Array => {
  const scale = 1 / (m[0] * m[3] - m[1] * m[2]);
  return apply([scale * m[3], -scale * m[1], -scale * m[2], scale * m[0]], u);
};

/**
 * The probability-flow ODE of the point, du = F u - G G^T score / 2, by the classical fourth-order method in log time: no root is in it.
 */
function odePath({ drift, diffusion, covariance, mean }: CriticallyDamped, start: Float64Array, times: readonly number[]): Float64Array[] {
  const rate = (time: number, u: Float64Array): Float64Array => {
    const score = solve(covariance(time), less(u, apply(mean(time), POINT))).map((value) => -value);
    const [flow, pull] = [apply(drift, u), apply(diffusion, score)];
    return flow.map((value, i) => time * (value - pull[i]! / 2));
  };
  const path = [start];
  for (let i = 0; i + 1 < times.length; i++) {
    let u = path.at(-1)!;
    const steps = 400;
    const h = Math.log(times[i + 1]! / times[i]!) / steps;
    for (let k = 0; k < steps; k++) {
      const time = times[i]! * Math.exp(k * h);
      const moved = (by: number, slope: Float64Array): Float64Array => u.map((value, j) => value + by * slope[j]!);
      const a = rate(time, u);
      const b = rate(time * Math.exp(h / 2), moved(h / 2, a));
      const c = rate(time * Math.exp(h / 2), moved(h / 2, b));
      const d = rate(time * Math.exp(h), moved(h, c));
      u = u.map((value, j) => value + (h / 6) * (a[j]! + 2 * b[j]! + 2 * c[j]! + d[j]!));
    }
    path.push(u);
  }
  return path;
}

const TIMES = [1, 0.7, 0.4, 0.2, 0.1, 0.03, 0.01];
const start = Float64Array.of(0.9, -0.4);
const path = odePath(damped, start, TIMES);

/** How much the epsilon of a root varies along the path, at its most. */
function variation(process: CriticallyDamped): number {
  const epsilons = TIMES.map((time, i) => {
    const { mean, root } = process.level(time);
    return solve(root, less(path[i]!, apply(mean, POINT)));
  });
  return Math.max(...epsilons.flatMap((epsilon) => [0, 1].map((k) => Math.abs(epsilon[k]! - epsilons[0]![k]!))));
}

const exact = defineDenoiser<Float64Array>({ nfe: 1, denoise: () => Promise.resolve(POINT.slice()) });
const oneStep = (process: CriticallyDamped): Promise<Float64Array> =>
  sample({ sampler: gddim(), denoise: exact, x: start, levels: [process.level(1), process.level(0.01)] });
const gap = (a: Float64Array, b: Float64Array): number => Math.max(...less(a, b).map(Math.abs));

describe('gDDIM on critically damped Langevin diffusion of a point', () => {
  test('has an epsilon that is constant along the ODE, and one step is exact', async () => {
    expect(variation(damped)).toBeLessThan(1e-5);
    expect(gap(await oneStep(damped), path.at(-1)!)).toBeLessThan(1e-5);
  });

  test('with a triangular root has neither', async () => {
    const cholesky = criticallyDamped({ root: 'cholesky' });
    expect(variation(cholesky)).toBeGreaterThan(0.5);
    expect(gap(await oneStep(cholesky), path.at(-1)!)).toBeGreaterThan(1e-2);
  });

  test('lets a network that predicts epsilon be a denoiser, for many images, down to the clean end', async () => {
    const levels = [1, 0.5, 0.2, 0.05, 0.01, 0].map(damped.level);
    const denoise = defineDenoiser<Float64Array>({
      nfe: 1,
      denoise: (u, at) => {
        const { mean, root } = at as PairLevel;
        const items = u.length / 2;
        const out = new Float64Array(u.length);
        for (let i = 0; i < items; i++) {
          // What a perfect network says of the point 0.1 i.
          const point = Float64Array.of(0.1 * i, 0);
          const pair = Float64Array.of(u[i]!, u[items + i]!);
          const epsilon = solve(root, less(pair, apply(mean, point)));
          const [x, v] = solve(mean, less(pair, apply(root, epsilon)));
          out.set([x!], i);
          out.set([v!], items + i);
        }
        return Promise.resolve(out);
      },
    });
    const end = await sample({ sampler: gddim(), denoise, x: Float64Array.of(1, -1, 0.3, 0.2, -0.5, 0.1), levels });
    [0, 1, 2].forEach((i) => expect(end[i]).toBeCloseTo(0.1 * i, 10));
  });
});

/** Of data N(0, VARIANCE) at rest, whose score is linear in the pair. */
const VARIANCE = 0.25;
const marginal = (time: number): Matrix2 => {
  const [a, , c] = damped.mean(time);
  const [xx, xv, , vv] = damped.covariance(time);
  return [xx + VARIANCE * a * a, xv + VARIANCE * a * c, xv + VARIANCE * a * c, vv + VARIANCE * c * c];
};

/** A^-1 (u - R epsilon) with epsilon = -R^T score. */
const gaussian = defineDenoiser<Float64Array>({
  nfe: 1,
  denoise: (u, at) => {
    const { time, mean, root } = at as PairLevel;
    const [a, b, c, d] = root;
    const epsilon = apply([a, c, b, d], solve(marginal(time), u));
    return Promise.resolve(solve(mean, less(u, apply(root, epsilon))));
  },
});

const orderGrid = (steps: number): readonly number[] =>
  Array.from({ length: steps + 1 }, (_, i) => (1 - (i / steps) * (1 - Math.sqrt(0.02))) ** 2);

/** The ODE of the Gaussian, du = F u + G G^T marginal^-1 u / 2, by the classical method in time on a fine grid. */
function gaussianEnd(): Float64Array {
  let u = start;
  const times = orderGrid(4000);
  const rate = (time: number, state: Float64Array): Float64Array => {
    const [flow, pull] = [apply(damped.drift, state), apply(damped.diffusion, solve(marginal(time), state))];
    return flow.map((value, i) => value + pull[i]! / 2);
  };
  for (let i = 0; i + 1 < times.length; i++) {
    const [time, h] = [times[i]!, times[i + 1]! - times[i]!];
    const moved = (by: number, slope: Float64Array): Float64Array => u.map((value, j) => value + by * slope[j]!);
    const a = rate(time, u);
    const b = rate(time + h / 2, moved(h / 2, a));
    const c = rate(time + h / 2, moved(h / 2, b));
    const d = rate(time + h, moved(h, c));
    u = u.map((value, j) => value + (h / 6) * (a[j]! + 2 * b[j]! + 2 * c[j]! + d[j]!));
  }
  return u;
}

describe('gDDIM of higher orders on pairs', () => {
  const end = gaussianEnd();
  const errorOf = async (options: GddimOptions, steps: number): Promise<number> =>
    gap(
      await sample({
        sampler: gddim({ ...options, process: damped }),
        denoise: gaussian,
        x: start,
        levels: orderGrid(steps).map(damped.level),
      }),
      end,
    );

  for (const order of [1, 2, 3, 4] as const) {
    for (const corrector of ['never', 'always'] as const) {
      test(`order ${order}, corrector ${corrector}: the error falls as declared`, async () => {
        const [coarse, fine] = [await errorOf({ order, corrector }, 40), await errorOf({ order, corrector }, 80)];
        const declared = gddim({ order, corrector, process: damped }).order;
        expect(declared).toBe(corrector === 'always' ? order + 1 : order);
        expect(Math.log2(coarse / fine)).toBeGreaterThan(declared - 0.35);
        expect(Math.log2(coarse / fine)).toBeLessThan(declared + 0.75);
      });
    }
  }

  test('stays exact for a point, whose epsilon is constant', async () => {
    const levels = TIMES.map(damped.level);
    for (const options of [{ order: 3 }, { order: 2, corrector: 'always' }] as const) {
      expect(
        gap(await sample({ sampler: gddim({ ...options, process: damped }), denoise: exact, x: start, levels }), path.at(-1)!),
      ).toBeLessThan(1e-5);
    }
  });

  test('takes one evaluation a step, two with the corrector, and ends clean', async () => {
    for (const corrector of ['never', 'always'] as const) {
      let calls = 0;
      const counted = defineDenoiser<Float64Array>({
        nfe: 1,
        denoise: (u, at) => {
          calls++;
          return gaussian(u, at);
        },
      });
      const x = await sample({
        sampler: gddim({ order: 3, corrector, process: damped }),
        denoise: counted,
        x: start,
        levels: [1, 0.6, 0.3, 0.1, 0.02, 0].map(damped.level),
      });
      expect(calls).toBe(corrector === 'always' ? 9 : 5);
      expect(x.every(Number.isFinite)).toBe(true);
    }
  });

  test('is DEIS on ordinary levels, and says what it needs', async () => {
    const levels = [4, 2, 1, 0.5, 0.1].map(sigmaLevel);
    const denoise = defineDenoiser<Float64Array>({ nfe: 1, denoise: (x) => Promise.resolve(x.map((value) => Math.tanh(value))) });
    const run = (sampler: Sampler) => sample({ sampler, denoise, x: Float64Array.of(1, -2), levels });
    expect(await run(gddim({ order: 3 }))).toEqual(await run(deis({ order: 3 })));
    await expect(run(gddim({ corrector: 'always' }))).rejects.toThrow(
      '[samplers/gddim] the corrector works on pairs of position and velocity and on blurred spectra: corrector="always".',
    );
    await expect(sample({ sampler: gddim({ order: 2 }), denoise: gaussian, x: start, levels: TIMES.map(damped.level) })).rejects.toThrow(
      'process=undefined. Pass process: criticallyDamped()',
    );
    expect(() => gddim({ order: 5 as never })).toThrow(UserError);
  });
});
