import { defineDenoiser, CLEAN, type NoiseLevel, relativeSigma } from '@langevin/core';
import { arrayAlgebra, edm, karras, linspaceTimes, tensorAlgebra, uniformLambda, vpLinear } from '@langevin/core-schedules';
import { threeModes } from '@langevin/core-schedules/testing';
import { tfjsEngine } from '@langevin/engine-tfjs';
import { ddim, ddpm, euler, heun, imageNoise, parallelTrajectory, sample, type ParallelTrajectoryOptions } from '@langevin/samplers';
import { tensor } from '@langevin/tensor';
import { describe, expect, test, vi } from 'vitest';

// Generous: a machine may be busy with other suites.
vi.setConfig({ testTimeout: 60_000 });

const modes = threeModes().denoiser<Float64Array>();
const x = Float64Array.of(-2, -0.4, 0.3, 1.7);
const evenInTime = (steps: number): readonly NoiseLevel[] => [
  ...linspaceTimes().levels(vpLinear(), { steps: steps - 1, end: 'floor' }),
  CLEAN,
];

async function run<T>(
  options: ParallelTrajectoryOptions<T>,
): Promise<{ readonly x: T; readonly calls: number; readonly nfe: number; readonly order: readonly number[] }> {
  let last = { x: options.x, calls: 0, nfe: 0 };
  const order: number[] = [];
  for await (const { x: state, calls, nfe, step } of parallelTrajectory(options)) {
    last = { x: state, calls, nfe };
    order.push(step);
  }
  return { ...last, order };
}

describe('ParaDiGMS', () => {
  test('at tolerance 0 is the sequential run bit for bit, in fewer calls', async () => {
    for (const sampler of [ddim(), euler(), ddpm(), ddim({ eta: 0.5 })]) {
      for (const levels of [evenInTime(40), karras().levels(edm(), { steps: 12 })]) {
        for (const window of [1, 7, 100]) {
          const options = { sampler, denoise: modes, x, levels, noise: imageNoise({ seed: 4 }), algebra: arrayAlgebra({ items: 2 }) };
          const parallel = await run({ ...options, window, tolerance: 0 });
          expect(parallel.x).toEqual(await sample(options));
          expect(parallel.order).toEqual(levels.slice(1).map((_, i) => i + 1));
          expect(parallel.calls).toBeLessThanOrEqual(levels.length - 1);
          if (window === 1) expect(parallel.calls).toBe(levels.length - 1);
        }
      }
    }
  });

  test('evaluates the window in one batch, every step at its own level', async () => {
    const seen: (readonly NoiseLevel[])[] = [];
    const denoise = defineDenoiser<Float64Array>({
      nfe: 1,
      denoise: (state, at) => {
        const levels = at as readonly NoiseLevel[];
        seen.push(levels);
        expect(state.length).toBe(2 * levels.length);
        return modes(state, at);
      },
    });
    const levels = evenInTime(30);
    const { calls, nfe } = await run({ sampler: ddim(), denoise, x, levels, window: 6, algebra: arrayAlgebra({ items: 2 }) });
    expect(seen.length).toBe(calls);
    expect(nfe).toBe(seen.reduce((sum, at) => sum + at.length / 2, 0));
    expect(seen[0]!.map(relativeSigma)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5].map((i) => relativeSigma(levels[i]!)));
  });

  test('in 1000 steps needs far fewer calls, the fewer the wider the window, with an error in proportion to the tolerance', async () => {
    const levels = evenInTime(1000);
    const options = { sampler: ddim(), denoise: modes, x, levels };
    const sequential = await sample(options);
    const outcome = async (window: number, tolerance: number): Promise<{ readonly calls: number; readonly error: number }> => {
      const { x: end, calls } = await run({ ...options, window, tolerance });
      return { calls, error: Math.max(...end.map((value, i) => Math.abs(value - sequential[i]!))) };
    };
    const [narrow, wide] = [await outcome(10, 0.1), await outcome(100, 0.1)];
    expect(narrow.calls).toBeLessThan(250);
    expect(wide.calls).toBeLessThan(narrow.calls / 2);
    expect(wide.error).toBeLessThan(0.02);
    expect((await outcome(100, 0.001)).error).toBeLessThan(wide.error / 10);
  });

  test('does not depend on the units of the state', async () => {
    const preserving = [...uniformLambda().levels(vpLinear(), { steps: 30, end: 'floor' }), CLEAN];
    const exploding = preserving.map((level): NoiseLevel => ({ alpha: 1, sigma: relativeSigma(level) }));
    const scaled = x.map((value) => value / preserving[0]!.alpha);
    const [here, there] = [
      await run({ sampler: ddim(), denoise: modes, x, levels: preserving }),
      await run({ sampler: ddim(), denoise: modes, x: scaled, levels: exploding }),
    ];
    expect(here.x.every((value, i) => Math.abs(value - there.x[i]!) < 0.05)).toBe(true);
    const exact = [
      await run({ sampler: ddim(), denoise: modes, x, levels: preserving, tolerance: 1e-12 }),
      await run({ sampler: ddim(), denoise: modes, x: scaled, levels: exploding, tolerance: 1e-12 }),
    ] as const;
    exact[0].x.forEach((value, i) => expect(Math.abs(value - exact[1].x[i]!)).toBeLessThan(1e-9));
  });

  test('runs over tensors', async () => {
    const engine = await tfjsEngine({ backend: 'cpu' });
    const algebra = tensorAlgebra({ engine });
    const half = defineDenoiser<ReturnType<typeof tensor>>({ nfe: 1, denoise: (state) => Promise.resolve(algebra.linear([0.5, state])) });
    const options = { sampler: ddim(), levels: karras().levels(edm(), { steps: 8 }), tolerance: 0 };
    const start = tensor(
      Float32Array.from({ length: 6 }, (_, i) => 10 * i - 20),
      { shape: [2, 3] },
    );
    const here = await run({ ...options, denoise: half, x: start, algebra });
    const there = await sample({ ...options, denoise: half, x: start, algebra });
    expect(await algebra.toHost(here.x)).toEqual(await algebra.toHost(there));
  });

  test('says what it cannot run', async () => {
    const levels = evenInTime(5);
    await expect(run({ sampler: heun(), denoise: modes, x, levels })).rejects.toThrow(
      '[samplers/parallel-trajectory] steps are evaluated together before any is taken, but the sampler asks elsewhere than at the '
        + 'start of a step: sampler=heun.',
    );
    await expect(
      run({ sampler: ddpm({ variance: 'learned' }), denoise: modes, x, levels, noise: imageNoise({ seed: 0 }) }),
    ).rejects.toThrow('asks for more than the x0-prediction');
    await expect(run({ sampler: ddpm(), denoise: modes, x, levels })).rejects.toThrow('the sampler draws noise and has none');
    await expect(run({ sampler: ddim(), denoise: modes, x, levels, window: 0 })).rejects.toThrow('window is out of range: window=0.');
    await expect(run({ sampler: ddim(), denoise: modes, x, levels, tolerance: -1 })).rejects.toThrow(
      'tolerance is out of range: tolerance=-1.',
    );
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(run({ sampler: ddim(), denoise: modes, x, levels, signal: controller.signal })).rejects.toThrow('enough');
  });
});

test('a run may start part-way, with the noise of the whole one', async () => {
  const levels = karras().levels(edm(), { steps: 6 });
  const noise = imageNoise({ seed: 1 });
  const options = { sampler: ddpm(), denoise: modes, noise };
  const middle = await sample({ ...options, x, levels: levels.slice(0, 3) });
  expect(await sample({ ...options, x: middle, levels, startAt: 2 })).toEqual(await sample({ ...options, x, levels }));
  await expect(sample({ ...options, x, levels, startAt: 9 })).rejects.toThrow('startAt=9. Pass an integer in 0..6.');
});
