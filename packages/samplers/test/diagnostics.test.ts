import { karrasSigmas } from '@langevin/core-schedules';
import { finiteSet } from '@langevin/core-schedules/testing';
import { denoisingLead, euler, meanShift, pathShape, sigmaLevels, trajectory } from '@langevin/samplers';
import { counterGenerator } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

/** Twelve points in eight dimensions, spread like images: about unit size. */
const values = counterGenerator({ seed: 6, stream: [1] }).normal(12 * 8);
const points = Array.from({ length: 12 }, (_, i) => Array.from(values.slice(8 * i, 8 * i + 8), (value) => 0.5 * value));
const denoise = finiteSet(points).denoiser<Float64Array>();
const sigmas = karrasSigmas({ steps: 40 });
const start = Float64Array.from(counterGenerator({ seed: 7, stream: [1] }).normal(8), (value) => 80 * value);

interface Run {
  readonly states: Float64Array[];
  readonly predictions: Float64Array[];
}

async function run(): Promise<Run> {
  const states: Float64Array[] = [start];
  const predictions: Float64Array[] = [];
  for await (const { x, denoised } of trajectory({ sampler: euler(), denoise, x: start, levels: sigmaLevels(sigmas) })) {
    states.push(x);
    predictions.push(denoised);
  }
  return { states, predictions };
}

describe('the geometry of sampling', () => {
  test('the optimal denoiser of a data set is mean shift with bandwidth sigma', async () => {
    for (const [i, sigma] of [80, 3, 0.9, 0.4, 0.1, 0.01].entries()) {
      const x = Float64Array.from(counterGenerator({ seed: 8, stream: [i] }).normal(8), (value, k) => points[i]![k]! + sigma * value);
      const [shifted, denoised] = [meanShift(x, { points, bandwidth: sigma }), await denoise(x, { alpha: 1, sigma })];
      shifted.forEach((value, k) => expect(Math.abs(value - denoised[k]!)).toBeLessThan(1e-12));
      // In other units too: at alpha = 0.6, x / alpha and sigma / alpha.
      const scaled = await denoise(
        x.map((value) => 0.6 * value),
        { alpha: 0.6, sigma: 0.6 * sigma },
      );
      shifted.forEach((value, k) => expect(Math.abs(value - scaled[k]!)).toBeLessThan(1e-12));
    }
  });

  test('an Euler step on VE is a convex combination of state and prediction', async () => {
    const { states, predictions } = await run();
    for (let i = 0; i + 1 < states.length; i++) {
      const share = sigmas[i + 1]! / sigmas[i]!;
      expect(share >= 0 && share < 1).toBe(true);
      const scale = Math.max(1, sigmas[i]!);
      states[i + 1]!.forEach((value, k) =>
        expect(Math.abs(value - share * states[i]![k]! - (1 - share) * predictions[i]![k]!)).toBeLessThan(1e-12 * scale),
      );
    }
  });

  test('a path is near a line, and predictions lead it', async () => {
    const { states, predictions } = await run();
    const shape = pathShape(states);
    expect(shape.relativeDeviation).toBeLessThan(0.05);
    expect(shape.relativeDeviation).toBeGreaterThan(0);
    expect(shape.tortuosity).toBeGreaterThanOrEqual(1);
    expect(shape.tortuosity).toBeLessThan(1.05);
    expect(shape.deviations[0]).toBe(0);
    expect(shape.deviations.at(-1)).toBeLessThan(1e-9);
    const lead = denoisingLead(states, predictions);
    expect(lead.leads / predictions.length).toBeGreaterThan(0.9);
    expect(lead.predictions[0]).toBeLessThan(lead.states[0]! / 20);
    expect(lead.predictions.at(-1)).toBe(0);
  });

  test('measures are those of figures that are known', () => {
    expect(
      pathShape([
        [0, 0],
        [1, 1],
        [2, 0],
      ]),
    ).toMatchObject({ chord: 2, deviations: [0, 1, 0], relativeDeviation: 0.5 });
    expect(
      pathShape([
        [0, 0],
        [1, 1],
        [2, 0],
      ]).turns[0],
    ).toBeCloseTo(Math.PI / 2, 14);
    expect(
      pathShape([
        [0, 0],
        [1, 1],
        [2, 0],
      ]).tortuosity,
    ).toBeCloseTo(Math.SQRT2, 14);
    // A circle of radius 3: its curvature is 1/3.
    const arc = Array.from({ length: 400 }, (_, i) => [3 * Math.cos(i / 200), 3 * Math.sin(i / 200)]);
    pathShape(arc).curvatures.forEach((curvature) => expect(curvature).toBeCloseTo(1 / 3, 5));
    const line = pathShape([
      [1, 2],
      [2, 4],
      [5, 10],
    ]);
    expect([line.relativeDeviation, line.turns[0]].every((value) => value! < 1e-12)).toBe(true);
  });

  test('what is no path is refused', () => {
    expect(() => pathShape([[1]])).toThrow('[samplers/diagnostics] a path has states: states=1');
    expect(() => pathShape([[1], [1, 2]])).toThrow('states differ in length: state 0 has 1, state 1 has 2.');
    expect(() => pathShape([[1], [1]])).toThrow('the ends of the path coincide');
    expect(() => denoisingLead([[1], [2]], [])).toThrow('states=2, predictions=0.');
    expect(() => meanShift([0], { points: [[0, 1]], bandwidth: 1 })).toThrow('point 0 has 2');
    expect(() => meanShift([0], { points: [[0]], bandwidth: 0 })).toThrow('bandwidth is out of range: bandwidth=0.');
  });
});
