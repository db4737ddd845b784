import { lambdaOf, relativeSigma } from '@langevin/core';
import {
  denoisingLoss,
  drawLevels,
  edmPreconditioning,
  edmWeight,
  logitNormalTimes,
  logNormalSigmas,
  discreteVp,
  flow,
  predictionPreconditioning,
  snrPlusOneWeight,
  snrWeight,
  trainingCoefficients,
  uniformTimes,
  uniformWeight,
  vpLinear,
  type NoiseDistribution,
} from '@langevin/core-schedules';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { compile, counterGenerator, mul, numbers, setDefaultEngine, tensor, torchGenerator, type Tensor } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 }));

describe('noise distributions', () => {
  const distributions: NoiseDistribution[] = [
    uniformTimes({ process: vpLinear() }),
    uniformTimes({ process: discreteVp() }),
    logNormalSigmas(),
    logitNormalTimes({ process: flow() }),
  ];

  test.each(distributions)('$name: noise grows with u', ({ quantile }) => {
    const lambdas = Array.from({ length: 99 }, (_, i) => lambdaOf(quantile((i + 1) / 100)));
    for (let i = 1; i < lambdas.length; i++) expect(lambdas[i]).toBeLessThan(lambdas[i - 1]!);
  });

  test('quantiles of the normal are those of the tables', () => {
    const { quantile } = logNormalSigmas({ mean: 0, std: 1 });
    const table = [
      [0.5, 0],
      [0.975, 1.959963984540054],
      [0.1, -1.2815515655446004],
      [1e-10, -6.361340902404056],
      [0.999, 3.090232306167813],
    ] as const;
    for (const [u, z] of table) expect(Math.log(quantile(u).sigma)).toBeCloseTo(z, 12);
  });

  test("draws of EDM's distribution have its mean and deviation", () => {
    const logs = drawLevels(logNormalSigmas(), { generator: torchGenerator(1), count: 20_000 }).map(({ sigma }) => Math.log(sigma));
    const mean = logs.reduce((sum, value) => sum + value, 0) / logs.length;
    const std = Math.sqrt(logs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / logs.length);
    // Four standard errors.
    expect(Math.abs(mean + 1.2)).toBeLessThan((4 * 1.2) / Math.sqrt(20_000));
    expect(Math.abs(std - 1.2)).toBeLessThan((4 * 1.2) / Math.sqrt(40_000));
  });

  test('a chain draws each of its steps, the ends too', () => {
    const process = discreteVp({ steps: 4, betaEnd: 0.2 });
    const { quantile } = uniformTimes({ process });
    const drawn = [0.001, 0.2, 0.3, 0.6, 0.9, 0.9999].map((u) => process.time(lambdaOf(quantile(u))) * 4);
    expect(drawn.map(Math.round)).toEqual([1, 1, 2, 3, 4, 4]);
  });

  test('stratified draws put one into each band', () => {
    const process = flow();
    const times = drawLevels(uniformTimes({ process, min: 0, max: 1 }), {
      generator: counterGenerator({ seed: 2, stream: [] }),
      count: 64,
      spread: 'stratified',
    }).map(({ sigma }) => Math.floor(sigma * 64));
    expect(times).not.toEqual([...times].sort((a, b) => a - b));
    expect([...times].sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => i));
  });

  test('draws follow from the generator alone', () => {
    const draw = (seed: number) => drawLevels(logNormalSigmas(), { generator: torchGenerator(seed), count: 5 });
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
    expect(() => drawLevels(logNormalSigmas(), { generator: torchGenerator(0), count: -1 })).toThrow('count=-1');
  });
});

describe('the training loss', () => {
  const shape = [3, 2, 2];
  const x0 = tensor(torchGenerator(1).normal(12), { shape });
  const noise = tensor(torchGenerator(2).normal(12), { shape });
  const process = vpLinear();
  const levels = [process.level(0.1), process.level(0.5), process.level(0.9)];
  const network = (x: Tensor): Tensor => mul(x, 0.5);

  /** The same by plain loops, from D and the weight of the x0 error. */
  const byHand = async (preconditioning: ReturnType<typeof edmPreconditioning>, weight: ReturnType<typeof edmWeight>) => {
    const [clean, e] = [await numbers(x0), await numbers(noise)];
    return levels.map((level, n) => {
      const { cSkip, cOut, cIn } = preconditioning.at(level);
      let total = 0;
      for (let i = 4 * n; i < 4 * n + 4; i++) {
        const x = level.alpha * clean[i]! + level.sigma * e[i]!;
        total += (cSkip * x + cOut * 0.5 * cIn * x - clean[i]!) ** 2;
      }
      return (weight.at(level) * total) / 4;
    });
  };

  test.each([
    { preconditioning: edmPreconditioning(), weight: edmWeight() },
    { preconditioning: predictionPreconditioning({ process, prediction: 'epsilon' }), weight: snrWeight() },
    { preconditioning: predictionPreconditioning({ process, prediction: 'v' }), weight: snrPlusOneWeight() },
    { preconditioning: predictionPreconditioning({ process, prediction: 'x0' }), weight: uniformWeight() },
  ])('is the weighted error of the denoised image: $preconditioning.name, $weight.name', async ({ preconditioning, weight }) => {
    const { loss, perImage } = denoisingLoss({
      network,
      x0,
      noise,
      coefficients: trainingCoefficients({ levels, preconditioning, weight }),
    });
    const expected = await byHand(preconditioning, weight);
    (await numbers(perImage)).forEach((value, n) => expect(value / expected[n]!).toBeCloseTo(1, 5));
    expect((await numbers(loss))[0]).toBeCloseTo(expected.reduce((sum, value) => sum + value, 0) / 3, 4);
  });

  test('a network that gives its target has no loss', async () => {
    const coefficients = trainingCoefficients({
      levels,
      preconditioning: predictionPreconditioning({ process, prediction: 'epsilon' }),
      weight: snrWeight(),
    });
    const { loss } = denoisingLoss({ network: () => noise, x0, noise, coefficients });
    expect((await numbers(loss))[0]).toBe(0);
  });

  test('one compiled step serves all levels', async () => {
    const step = compile(
      (coefficients: ReturnType<typeof trainingCoefficients>, clean: Tensor, e: Tensor) =>
        denoisingLoss({ network, x0: clean, noise: e, coefficients }).loss,
    );
    const losses = [];
    for (const t of [0.1, 0.4, 0.8]) {
      const at = trainingCoefficients({
        levels: [0, 1, 2].map(() => process.level(t)),
        preconditioning: edmPreconditioning(),
        weight: edmWeight(),
      });
      losses.push((await numbers(await step(at, x0, noise)))[0]);
    }
    expect(new Set(losses).size).toBe(3);
    expect(step.counters()).toEqual({ calls: 3, traces: 1 });
  });

  test('says which level or shape is wrong', () => {
    const make = (sigma: number) =>
      trainingCoefficients({ levels: [{ alpha: 1, sigma }], preconditioning: edmPreconditioning(), weight: edmWeight() });
    expect(() => make(0)).toThrow(
      '[core-schedules/objective] weight is not finite: levels[0]={ alpha: 1, sigma: 0 } with edm and weight edm gives NaN. Draw '
        + 'levels inside',
    );
    expect(() => make(Number.NaN)).toThrow('level={ alpha: 1, sigma: NaN }');
    expect(() => trainingCoefficients({ levels: [], preconditioning: edmPreconditioning(), weight: edmWeight() })).toThrow(
      'levels.length=0',
    );
    const coefficients = trainingCoefficients({ levels, preconditioning: edmPreconditioning(), weight: edmWeight() });
    expect(() => denoisingLoss({ network, x0, noise: tensor(new Float32Array(3)), coefficients })).toThrow(
      '[core-schedules/objective] noise must have the shape of x0: [3] against x0 [3, 2, 2].',
    );
  });
});

test('relative sigma of the levels that are drawn is that of the tables', () => {
  expect(relativeSigma(uniformTimes({ process: discreteVp() }).quantile(0.9999))).toBeCloseTo(157.407, 3);
});
