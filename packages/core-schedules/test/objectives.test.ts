import type { NoiseLevel } from '@langevin/core';
import {
  denoisingLoss,
  discreteVp,
  drawByImportance,
  edmPreconditioning,
  edmWeight,
  likelihoodWeight,
  lossHistory,
  plainWeight,
  predictionConversion,
  predictionPreconditioning,
  recordLosses,
  snrWeight,
  trainingCoefficients,
  uncertainLoss,
  uncertaintyHead,
  uniformTimes,
  vpLinear,
} from '@langevin/core-schedules';
import { finiteSet } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { add, grad, mul, numbers, setDefaultEngine, sub, sum, tensor, torchGenerator, type Tensor } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 }));

describe('denoising score matching', () => {
  const points = [
    [-1, 0.5],
    [0.3, 0.2],
    [0.9, -1],
  ];
  const data = finiteSet(points);

  test('on a finite set its minimiser is the gradient of the log of the sum of Gaussians, to 1e-10', async () => {
    for (const t of [0.05, 0.3, 0.8]) {
      const level = vpLinear().level(t);
      const { alpha, sigma } = level;
      const { targetX0, targetNoise } = predictionPreconditioning({ process: vpLinear(), prediction: 'score' }).at(level);
      for (const x of [
        [0.1, 0.1],
        [-0.7, 0.4],
        [0.5, -0.5],
      ]) {
        // E[target | x], by enumeration of what x may have come from.
        const noises = points.map((p) => p.map((value, d) => (x[d]! - alpha * value) / sigma));
        const kernels = noises.map((noise) => Math.exp(-noise.reduce((total, e) => total + e ** 2, 0) / 2));
        const total = kernels.reduce((a, b) => a + b);
        const minimiser = [0, 1].map((d) =>
          kernels.reduce((mean, kernel, k) => mean + (kernel / total) * (targetX0 * points[k]![d]! + targetNoise * noises[k]![d]!), 0),
        );
        // The gradient of log sum exp(-|x - alpha p|^2 / 2 sigma^2), written out.
        const score = [0, 1].map(
          (d) => kernels.reduce((mean, kernel, k) => mean - (kernel * (x[d]! - alpha * points[k]![d]!)) / sigma ** 2, 0) / total,
        );
        minimiser.forEach((value, d) => expect(Math.abs(value / score[d]! - 1)).toBeLessThan(1e-10));
        // And so says the set's own denoiser.
        const denoised = await data.denoiser<Float64Array>()(Float64Array.from(x), level);
        const c = predictionConversion({ from: 'x0', to: 'score' }, level);
        score.forEach((value, d) =>
          expect(Math.abs(c.x * x[d]! + c.prediction * denoised[d]! - value)).toBeLessThan(1e-10 * Math.abs(value) + 1e-10),
        );
      }
    }
  });

  test('lambda = sigma^2 makes it the epsilon loss, lambda = 1 the plain one, g^2 the likelihood', () => {
    const process = vpLinear();
    const network = predictionPreconditioning({ process, prediction: 'score' });
    for (const t of [0.01, 0.4, 1]) {
      const level = process.level(t);
      const lambda = (weight: { readonly at: (level: NoiseLevel) => number }): number => weight.at(level) * network.at(level).cOut ** 2;
      expect(lambda(snrWeight()) / level.sigma ** 2).toBeCloseTo(1, 10);
      expect(lambda(plainWeight(network))).toBeCloseTo(1, 10);
      // beta(t) of the SDE.
      expect(lambda(likelihoodWeight(process)) / (0.1 + 19.9 * t)).toBeCloseTo(1, 9);
    }
  });

  test('gradient descent on the loss approaches the score of the set', async () => {
    const process = vpLinear();
    const level = process.level(0.6);
    const { alpha, sigma } = level;
    const preconditioning = predictionPreconditioning({ process, prediction: 'score' });
    // One data point: the score -(x - alpha p) / sigma^2 is linear, s(x) = a x + b.
    const count = 64;
    const noise = torchGenerator(4).normal(count);
    const coefficients = trainingCoefficients({ levels: Array.from({ length: count }, () => level), preconditioning, weight: snrWeight() });
    const x0 = tensor(new Float32Array(count).fill(0.5), { shape: [count, 1] });
    let params = { a: tensor(Float32Array.of(0)), b: tensor(Float32Array.of(0)) };
    type Params = typeof params;
    const gradient = grad(
      (p: Params) =>
        denoisingLoss({ network: (x) => add(mul(x, p.a), p.b), x0, noise: tensor(noise, { shape: [count, 1] }), coefficients }).loss,
    );
    for (let i = 0; i < 60; i++) {
      const g = gradient(params);
      const [a, b] = [await numbers(sub(params.a, mul(g.a, 0.4))), await numbers(sub(params.b, mul(g.b, 0.4)))];
      params = { a: tensor(Float32Array.from(a)), b: tensor(Float32Array.from(b)) };
    }
    expect((await numbers(params.a))[0]).toBeCloseTo(-1 / sigma ** 2, 3);
    expect((await numbers(params.b))[0]).toBeCloseTo((alpha * 0.5) / sigma ** 2, 3);
  });
});

describe('importance of levels in the loss', () => {
  test('weights count in the mean, not in what is recorded', async () => {
    const process = discreteVp({ steps: 4, betaEnd: 0.3 });
    let history = lossHistory({ bands: 4, length: 1 });
    history = recordLosses(history, { bands: [0, 1, 2, 3], losses: [1, 2, 3, 4] });
    const drawn = drawByImportance(uniformTimes({ process }), { history, generator: torchGenerator(1), count: 3 });
    const shape = [3, 2];
    const [x0, noise] = [1, 2].map((seed) => tensor(torchGenerator(seed).normal(6), { shape })) as [Tensor, Tensor];
    const common = {
      levels: drawn.levels,
      preconditioning: predictionPreconditioning({ process, prediction: 'epsilon' }),
      weight: snrWeight(),
    };
    const run = (importance?: readonly number[]) =>
      denoisingLoss({
        network: (x) => x,
        x0,
        noise,
        coefficients: trainingCoefficients({ ...common, ...(importance ? { importance } : {}) }),
      });
    const plain = await numbers(run().perImage);
    const weighted = run(drawn.importance);
    expect(await numbers(weighted.perImage)).toEqual(plain);
    expect((await numbers(weighted.loss))[0]).toBeCloseTo(drawn.importance.reduce((total, w, i) => total + w * plain[i]!, 0) / 3, 5);
    expect(recordLosses(history, { bands: drawn.bands, losses: plain }).losses[drawn.bands[0]!]).toHaveLength(1);
    expect(() => run([1])).toThrow('importance.length is out of range: importance.length=1.');
    expect(() => run([1, -1, 1])).toThrow('importance[1]=-1');
  });
});

describe('learned uncertainty', () => {
  const head = uncertaintyHead({ channels: 16, seed: 3 });
  const cNoise = tensor(Float32Array.of(-1.2, 0, 0.4, 1.1));

  test('at the start it changes nothing', async () => {
    expect(await numbers(head.apply(head.init(), cNoise))).toEqual([0, 0, 0, 0]);
    const perImage = tensor(Float32Array.of(1, 2, 3, 4));
    expect(await numbers(uncertainLoss({ perImage, logVariance: head.apply(head.init(), cNoise) }).perImage)).toEqual([1, 2, 3, 4]);
  });

  test('features have unit variance over levels, and frequencies follow from the seed', async () => {
    const wide = uncertaintyHead({ channels: 64 });
    const one = {
      weight: tensor(
        new Float32Array(64).map((_, i) => Number(i === 5) * 8),
        { shape: [64, 1] },
      ),
      bias: tensor(Float32Array.of(0)),
    };
    const values = await numbers(wide.apply(one, tensor(Float32Array.from({ length: 2000 }, (_, i) => i / 20))));
    expect(values.reduce((total, value) => total + value ** 2, 0) / 2000).toBeCloseTo(1, 1);
    expect(await numbers(uncertaintyHead({ channels: 64 }).apply(one, cNoise))).toEqual(await numbers(wide.apply(one, cNoise)));
    expect(await numbers(uncertaintyHead({ channels: 64, seed: 1 }).apply(one, cNoise))).not.toEqual(
      await numbers(wide.apply(one, cNoise)),
    );
  });

  test('its minimum is the log of the loss; the gradient of the network is divided by it', async () => {
    const losses = [0.2, 1, 3, 0.05];
    const logs = tensor(Float32Array.from(losses, Math.log));
    const slope = await numbers(
      grad((u: Tensor) => sum(uncertainLoss({ perImage: tensor(Float32Array.from(losses)), logVariance: u }).perImage))(logs),
    );
    slope.forEach((value) => expect(value).toBeCloseTo(0, 6));
    const scale = await numbers(
      grad((l: Tensor) => sum(uncertainLoss({ perImage: l, logVariance: logs }).perImage))(tensor(Float32Array.from(losses))),
    );
    scale.forEach((value, i) => expect(value * losses[i]!).toBeCloseTo(1, 5));
  });

  test('with the denoising loss: the head learns the loss of each level', async () => {
    const preconditioning = edmPreconditioning();
    const levels = [0.05, 0.5, 5].map((sigma) => ({ alpha: 1, sigma }));
    const coefficients = trainingCoefficients({ levels, preconditioning, weight: edmWeight() });
    const shape = [3, 8];
    const [x0, noise] = [1, 2].map((seed) => tensor(torchGenerator(seed).normal(24), { shape })) as [Tensor, Tensor];
    const { perImage } = denoisingLoss({ network: (x) => mul(x, 0), x0, noise, coefficients });
    const losses = tensor(Float32Array.from(await numbers(perImage)));
    const wide = uncertaintyHead();
    let params = wide.init();
    const gradient = grad((p: typeof params) => uncertainLoss({ perImage: losses, logVariance: wide.apply(p, coefficients.cNoise) }).loss);
    for (let i = 0; i < 60; i++) {
      const g = gradient(params);
      const [weight, bias] = [await numbers(sub(params.weight, g.weight)), await numbers(sub(params.bias, g.bias))];
      params = { weight: tensor(Float32Array.from(weight), { shape: [128, 1] }), bias: tensor(Float32Array.from(bias)) };
    }
    const expected = await numbers(losses);
    (await numbers(wide.apply(params, coefficients.cNoise))).forEach((value, i) => expect(value).toBeCloseTo(Math.log(expected[i]!), 1));
    expect(() => wide.apply(params, x0)).toThrow('shape=[3, 8]');
  });
});
