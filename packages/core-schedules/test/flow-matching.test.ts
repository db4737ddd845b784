import {
  arrayAlgebra,
  denoisingLoss,
  flow,
  flowMatchingCoefficients,
  flowMatchingLoss,
  flowMatchingPath,
  flowMatchingPreconditioning,
  linearAssignment,
  plainWeight,
  precondition,
  predictionConversion,
  predictionPreconditioning,
  takeItems,
  trainingCoefficients,
  transportPairing,
} from '@langevin/core-schedules';
import { mixture } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { grad, mul, numbers, setDefaultEngine, tensor, torchGenerator, type Tensor } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 }));

/** Evenly spaced points of a normal with their probabilities; such sums converge faster than any power. */
const normal = Array.from({ length: 241 }, (_, i) => (i - 120) / 12).map((z) => ({
  z,
  share: Math.exp(-(z ** 2) / 2) / Math.sqrt(2 * Math.PI) / 12,
}));

describe('the gradient of conditional flow matching is that of flow matching', () => {
  const parts = [
    { weight: 0.4, mean: -1, std: 0.5 },
    { weight: 0.6, mean: 0.8, std: 0.4 },
  ];
  const data = mixture(parts.map((part) => ({ ...part, mean: [part.mean] })));
  const features = (x: number): number[] => [1, x, x ** 2, Math.sin(2 * x)];
  const theta = [0.3, -0.5, 0.2, 0.7];
  const model = (x: number): number => features(x).reduce((total, value, k) => total + theta[k]! * value, 0);

  test.each([0.15, 0.5, 0.9])('in exact expectation over a mixture, to 1e-8: t=%s', async (t) => {
    const path = flowMatchingPath(t);
    const conditional = [0, 0, 0, 0];
    for (const { weight, mean, std } of parts) {
      for (const a of normal) {
        for (const b of normal) {
          const x0 = mean + std * a.z;
          const x = path.x0 * x0 + path.source * b.z;
          const error = model(x) - (path.targetX0 * x0 + path.targetSource * b.z);
          features(x).forEach((value, k) => (conditional[k]! += weight * a.share * b.share * 2 * error * value));
        }
      }
    }
    // The marginal velocity from the exact denoiser, over the exact density of x.
    const level = flow().level(t);
    const toFlow = predictionConversion({ from: 'x0', to: 'flow' }, level);
    const marginal = [0, 0, 0, 0];
    const h = 0.005;
    for (let x = -9; x <= 9; x += h) {
      const [denoised] = await data.denoiser<Float64Array>()(Float64Array.of(x), level);
      const velocity = toFlow.x * x + toFlow.prediction * denoised!;
      features(x).forEach((value, k) => (marginal[k]! += h * Math.exp(data.logDensity([x], level)) * 2 * (model(x) - velocity) * value));
    }
    conditional.forEach((value, k) => expect(Math.abs(value - marginal[k]!)).toBeLessThan(1e-8));
  });
});

describe('the path', () => {
  test('sigmaMin is the noise left; the target is the velocity of the path', () => {
    for (const sigmaMin of [0, 1e-2, 0.3]) {
      const h = 1e-4;
      for (const t of [0.2, 0.7]) {
        const [before, at, after] = [t - h, t, t + h].map((time) => flowMatchingPath(time, { sigmaMin })) as [
          ReturnType<typeof flowMatchingPath>,
          ReturnType<typeof flowMatchingPath>,
          ReturnType<typeof flowMatchingPath>,
        ];
        expect((after.x0 - before.x0) / (2 * h)).toBeCloseTo(at.targetX0, 10);
        expect((after.source - before.source) / (2 * h)).toBeCloseTo(at.targetSource, 10);
        // Lipman et al.'s form (x1 - (1 - sigmaMin) x) / (1 - (1 - sigmaMin) s) in time s = 1 - t, for data x1, is its negative.
        const [data, noise] = [0.8, -1.1];
        const x = at.x0 * data + at.source * noise;
        expect((data - (1 - sigmaMin) * x) / (1 - (1 - sigmaMin) * (1 - t))).toBeCloseTo(
          -(at.targetX0 * data + at.targetSource * noise),
          10,
        );
      }
      expect([flowMatchingPath(0, { sigmaMin }).source, flowMatchingPath(1, { sigmaMin }).source]).toEqual([sigmaMin, 1]);
    }
  });

  test('a network that gives the target is the perfect denoiser, in any units', async () => {
    for (const sigmaMin of [0, 0.05]) {
      const preconditioning = flowMatchingPreconditioning({ sigmaMin });
      for (const t of [0.1, 0.5, 1]) {
        const path = flowMatchingPath(t, { sigmaMin });
        for (const scale of [1, 3]) {
          const level = { alpha: scale * path.x0, sigma: scale * path.source };
          const denoise = precondition<Float64Array>({
            network: (_x, c) => (expect(c[0]).toBeCloseTo(1000 * t, 9), Float64Array.of(path.targetX0 * 0.7 + path.targetSource * -0.4)),
            preconditioning,
            algebra: arrayAlgebra(),
          });
          expect((await denoise(Float64Array.of(level.alpha * 0.7 + level.sigma * -0.4), level))[0]).toBeCloseTo(0.7, 12);
        }
      }
      // Without noise left it is the flow network of predictionPreconditioning.
      const level = { alpha: 2, sigma: 1 };
      if (sigmaMin === 0) {
        const known = predictionPreconditioning({ process: flow(), prediction: 'flow' }).at(level);
        for (const [name, value] of Object.entries(preconditioning.at(level)))
          expect(value).toBeCloseTo(known[name as keyof typeof known], 9);
      }
    }
  });
});

describe('the loss', () => {
  const shape = [3, 4];
  const x0 = tensor(torchGenerator(1).normal(12), { shape });
  const source = tensor(torchGenerator(2).normal(12), { shape });
  const times = [0.1, 0.5, 0.9];
  const network = (x: Tensor): Tensor => mul(x, 0.4);

  test('with a Gaussian source it is the denoising loss of a flow network', async () => {
    const ours = flowMatchingLoss({ network, x0, source, coefficients: flowMatchingCoefficients({ times, sigmaMin: 0.1 }) });
    const preconditioning = flowMatchingPreconditioning({ sigmaMin: 0.1 });
    const levels = times.map((t) => ({ alpha: 1 - t, sigma: 0.1 + 0.9 * t }));
    const other = denoisingLoss({
      network,
      x0,
      noise: source,
      coefficients: trainingCoefficients({ levels, preconditioning, weight: plainWeight(preconditioning) }),
    });
    const expected = await numbers(other.perImage);
    (await numbers(ours.perImage)).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
  });

  test('the straight velocity has no loss; bridge noise widens the state alone', async () => {
    const coefficients = flowMatchingCoefficients({ times, bridgeSigma: 0.5, importance: [1, 2, 0] });
    const [a, b] = [await numbers(x0), await numbers(source)];
    const velocity = tensor(
      Float32Array.from(a, (value, i) => b[i]! - value),
      { shape },
    );
    expect(await numbers(flowMatchingLoss({ network: () => velocity, x0, source, coefficients }).loss)).toEqual([0]);
    const z = tensor(torchGenerator(3).normal(12), { shape });
    const seen = (bridgeNoise?: Tensor) =>
      flowMatchingLoss({
        network: (x) => x,
        x0: mul(x0, 0),
        source: mul(source, 0),
        coefficients,
        ...(bridgeNoise ? { bridgeNoise } : {}),
      });
    expect(await numbers(seen().loss)).toEqual([0]);
    const noise = await numbers(z);
    const { perImage, loss } = seen(z);
    const expected = [0, 1, 2].map(
      (i) => Array.from(noise.slice(4 * i, 4 * i + 4)).reduce((total, value) => total + (0.5 * value) ** 2, 0) / 4,
    );
    (await numbers(perImage)).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
    expect((await numbers(loss))[0]).toBeCloseTo((expected[0]! + 2 * expected[1]!) / 3, 5);
  });

  test('its gradient is that of the mean squared error', async () => {
    const coefficients = flowMatchingCoefficients({ times });
    const slope = await numbers(
      grad((w: Tensor) => flowMatchingLoss({ network: (x) => mul(x, w), x0, source, coefficients }).loss)(tensor(Float32Array.of(0.3))),
    );
    const [a, b] = [await numbers(x0), await numbers(source)];
    const expected = Array.from(a).reduce((total, value, i) => {
      const t = times[Math.floor(i / 4)]!;
      const x = (1 - t) * value + t * b[i]!;
      return total + (2 * (0.3 * x - (b[i]! - value)) * x) / 12;
    }, 0);
    expect(slope[0]).toBeCloseTo(expected, 5);
  });

  test('options are checked', () => {
    expect(() => flowMatchingCoefficients({ times: [1.2] })).toThrow('t=1.2');
    expect(() => flowMatchingCoefficients({ times: [0.2], sigmaMin: 1 })).toThrow('sigmaMin=1');
    expect(() =>
      flowMatchingLoss({ network, x0, source: tensor(new Float32Array(3)), coefficients: flowMatchingCoefficients({ times }) }),
    ).toThrow('source must have the shape of x0');
  });
});

describe('optimal transport', () => {
  const permutations = (items: readonly number[]): number[][] =>
    items.length <= 1
      ? [[...items]]
      : items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
  const total = (cost: ArrayLike<number>, n: number, order: readonly number[]): number =>
    order.reduce((sum, j, i) => sum + cost[i * n + j]!, 0);

  test.each([1, 2, 3, 5, 7])('assignments of %i are as good as the best of all', (n) => {
    for (let seed = 0; seed < 8; seed++) {
      // Ties and negative costs among them.
      const cost = torchGenerator(seed)
        .normal64(n * n)
        .map((value) => (seed % 2 === 0 ? Math.round(2 * value) : value));
      const found = linearAssignment(cost, n);
      expect([...found].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      const best = Math.min(...permutations(Array.from({ length: n }, (_, i) => i)).map((order) => total(cost, n, order)));
      expect(total(cost, n, found)).toBeCloseTo(best, 10);
    }
  });

  test('pairs cost at most what they cost as they came; in one dimension they are in order', () => {
    const [x0, noise] = [torchGenerator(1).normal(64 * 3), torchGenerator(2).normal(64 * 3)];
    const cost = (order: readonly number[]): number => {
      const taken = takeItems(noise, order);
      return x0.reduce((sum, value, i) => sum + (value - taken[i]!) ** 2, 0);
    };
    const identity = Array.from({ length: 64 }, (_, i) => i);
    const order = transportPairing({ x0, source: noise, items: 64 });
    expect(cost(order)).toBeLessThan(cost(identity));
    const line = transportPairing({ x0: x0.subarray(0, 64), source: noise.subarray(0, 64), items: 64 });
    const ranks = (values: Float32Array): number[] => Array.from(values, (value) => values.filter((other) => other < value).length);
    expect(ranks(takeItems(noise.slice(0, 64), line))).toEqual(ranks(x0.slice(0, 64)));
  });

  test('what cannot be is refused', () => {
    expect(linearAssignment([], 0)).toEqual([]);
    expect(() => linearAssignment([1, 2], 2)).toThrow('cost.length=2, n=2');
    expect(() => linearAssignment([Number.NaN], 1)).toThrow('cost[0]=NaN');
    expect(() => transportPairing({ x0: new Float32Array(4), source: new Float32Array(6), items: 2 })).toThrow(
      'x0.length=4, source.length=6, items=2',
    );
    expect(() => takeItems(new Float32Array(2), [0, 2])).toThrow('order[1]=2');
  });
});
