import { CLEAN, defineDenoiser, type Denoiser } from '@langevin/core';
import {
  arrayAlgebra,
  discreteVp,
  discretisedLogLikelihood,
  discretisedLogProbability,
  hybridLoss,
  interpolateLogVariance,
  predictionPreconditioning,
  transition,
  variationalBound,
  variationalCoefficients,
  variationalLoss,
  type VariationalBoundOptions,
} from '@langevin/core-schedules';
import { gaussian } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { add, grad, mul, numbers, reshape, setDefaultEngine, sum, tensor, torchGenerator, type Tensor } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 }));

/** Three-point Gauss-Hermite: exact means of quadratics of a normal. */
const nodes = [-Math.sqrt(3), 0, Math.sqrt(3)];
const shares = [1 / 6, 2 / 3, 1 / 6];
const grid = nodes.flatMap((a, i) => nodes.map((b, j) => ({ a, b, share: shares[i]! * shares[j]! })));

describe('the bound on Gaussian data with the exact denoiser', () => {
  const setting = (std: number) => {
    const data = gaussian({ mean: [0], std });
    const process = discreteVp();
    const options: VariationalBoundOptions<Float64Array> = {
      algebra: arrayAlgebra({ items: 9 }),
      denoise: data.denoiser<Float64Array>(),
      process,
      // Errors are linear in x0 and noise, so nine points give the mean over both.
      x0: Float64Array.from(grid, ({ a }) => std * a),
      noise: () => Float64Array.from(grid, ({ b }) => b),
      decoder: 'density',
    };
    const optimal = (step: number): number => {
      const at = process.level(process.timeOfStep(step));
      const { posterior, x0Scale } = transition(at, step === 0 ? CLEAN : process.level(process.timeOfStep(step - 1)));
      return posterior + x0Scale ** 2 * data.posteriorVariance(at);
    };
    const mean = async (more: Partial<VariationalBoundOptions<Float64Array>>): Promise<number> => {
      const { total } = await variationalBound({ ...options, ...more });
      return total.reduce((sum, value, i) => sum + grid[i]!.share * value, 0) * Math.LN2;
    };
    const entropy = (Math.log(2 * Math.PI * std ** 2) + 1) / 2;
    const alphaBar = process.alphaBars[999]!;
    const last = alphaBar * std ** 2 + 1 - alphaBar;
    return { mean, optimal, entropy, gap: (last - 1 - Math.log(last)) / 2 };
  };

  test.each([0.3, 1, 2])('std %s: with the optimal variance it is the entropy plus KL(q(x_T) || N(0, 1)), exactly', async (std) => {
    const { mean, optimal, entropy, gap } = setting(std);
    expect(Math.abs((await mean({ variance: optimal })) - entropy - gap)).toBeLessThan(1e-10);
  });

  test.each(['fixed-small', 'fixed-large'] as const)('%s is strictly looser', async (variance) => {
    const { mean, optimal } = setting(0.3);
    expect((await mean({ variance })) - (await mean({ variance: optimal }))).toBeGreaterThan(1e-4);
  });

  test('the prior term of unit data is 2.018e-5 nat a dimension, and parts add up', async () => {
    const process = discreteVp();
    const data = gaussian({ mean: [0], std: 1 });
    const bound = await variationalBound<Float64Array>({
      algebra: arrayAlgebra(),
      denoise: data.denoiser<Float64Array>(),
      process,
      x0: Float64Array.of(1),
      noise: () => Float64Array.of(0.5),
      decoder: 'density',
    });
    expect(bound.prior[0]! * Math.LN2).toBeCloseTo(2.018e-5, 8);
    expect(bound.terms.size).toBe(1000);
    expect([...bound.terms.values()].reduce((total, [value]) => total + value!, bound.prior[0]!)).toBeCloseTo(bound.total[0]!, 10);
  });

  test('some steps stand for all: equal terms give the same total', async () => {
    const process = discreteVp({ steps: 10, betaEnd: 0.5 });
    // A denoiser without error and its terms: the divergence of fixed-large from the posterior, whatever the noise.
    const x0 = Float64Array.of(0.4);
    const options = {
      algebra: arrayAlgebra(),
      denoise: defineDenoiser<Float64Array>({ nfe: 1, denoise: () => x0 }),
      process,
      x0,
      noise: () => Float64Array.of(1),
      variance: 'fixed-large',
      decoder: 'density',
    } as const;
    const part = await variationalBound<Float64Array>({ ...options, steps: [0, 3, 7] });
    const all = await variationalBound<Float64Array>(options);
    expect(part.terms.get(3)).toEqual(all.terms.get(3));
    const expected = all.prior[0]! + all.terms.get(0)![0]! + (9 * (all.terms.get(3)![0]! + all.terms.get(7)![0]!)) / 2;
    expect(part.total[0]).toBeCloseTo(expected, 12);
  });

  test('learned variances come from the denoiser: -1 is fixed-small, 1 fixed-large', async () => {
    const process = discreteVp({ steps: 20, betaEnd: 0.3 });
    const data = gaussian({ mean: [0], std: 0.5 }).denoiser<Float64Array>();
    const learned = (v: number): Denoiser<Float64Array> =>
      defineDenoiser({ nfe: 1, detailed: async (x, at) => ({ denoised: await data(x, at), variance: x.map(() => v) }) });
    const bound = (denoise: Denoiser<Float64Array>, variance: 'fixed-small' | 'fixed-large' | 'learned') =>
      variationalBound<Float64Array>({
        algebra: arrayAlgebra(),
        denoise,
        process,
        x0: Float64Array.of(0.2),
        noise: () => Float64Array.of(-1),
        variance,
      });
    for (const [v, fixed] of [
      [-1, 'fixed-small'],
      [1, 'fixed-large'],
    ] as const)
      expect((await bound(learned(v), 'learned')).total[0]).toBeCloseTo((await bound(data, fixed)).total[0]!, 10);
    await expect(bound(data, 'learned')).rejects.toThrow('the denoiser gives no variance: variance=learned.');
  });
});

describe('the discretised decoder', () => {
  const pixels = Array.from({ length: 256 }, (_, k) => k / 127.5 - 1);

  test.each([
    { mean: 0.1, deviation: 0.01 },
    { mean: -1, deviation: 0.3 },
    { mean: 2, deviation: 1e-3 },
  ])('probabilities of 256 bins add to 1: %o', (at) => {
    expect(pixels.reduce((total, pixel) => total + Math.exp(discretisedLogProbability(pixel, at)), 0)).toBeCloseTo(1, 12);
  });

  test('a bin is the integral of the density over it', () => {
    const at = { mean: 0.02, deviation: 0.03 };
    const pixel = pixels[140]!;
    let total = 0;
    for (let i = 0; i < 1000; i++)
      total += Math.exp(-(((pixel - 1 / 255 + ((i + 0.5) * 2) / 255 / 1000 - at.mean) / at.deviation) ** 2) / 2);
    expect(Math.exp(discretisedLogProbability(pixel, at))).toBeCloseTo(
      (total * 2) / 255 / 1000 / (at.deviation * Math.sqrt(2 * Math.PI)),
      8,
    );
  });

  test('tensors agree with float64 near, far and at the edges, and gradients pull from afar', async () => {
    const cases = [-1, 1, 0, pixels[100]!, pixels[3]!].flatMap((pixel) =>
      [-1.5, -0.9, 0, pixel, pixel + 0.01, 0.99, 1.2].flatMap((mean) => [0.01, 0.1, 1].map((deviation) => ({ pixel, mean, deviation }))),
    );
    const column = (of: (each: (typeof cases)[number]) => number): Tensor => tensor(Float32Array.from(cases, of));
    const mean = column((c) => c.mean);
    const run = (m: Tensor): Tensor =>
      discretisedLogLikelihood({ x0: column((c) => c.pixel), mean: m, logDeviation: column((c) => Math.log(c.deviation)) });
    const values = await numbers(run(mean));
    const slopes = await numbers(grad((m: Tensor) => sum(run(m)))(mean));
    cases.forEach((c, i) => {
      const at = (m: number): number => discretisedLogProbability(c.pixel, { mean: m, deviation: c.deviation });
      expect(Math.abs(values[i]! - at(c.mean)), JSON.stringify(c)).toBeLessThan(2e-4 * (1 + Math.abs(at(c.mean))));
      const h = 1e-6;
      const slope = (at(c.mean + h) - at(c.mean - h)) / (2 * h);
      // A tolerance for float32: the slope is up to 100 / deviation.
      expect(Math.abs(slopes[i]! - slope), `slope ${JSON.stringify(c)}`).toBeLessThan(2e-3 * (1 / c.deviation + Math.abs(slope)));
    });
  });
});

describe('learned variance', () => {
  const process = discreteVp({ steps: 50, betaEnd: 0.2 });
  const preconditioning = predictionPreconditioning({ process, prediction: 'epsilon' });
  const shape = [4, 2, 3];
  const x0 = tensor(
    Float32Array.from({ length: 24 }, (_, i) => ((i * 37) % 256) / 127.5 - 1),
    { shape },
  );
  const noise = tensor(torchGenerator(2).normal(24), { shape });
  const coefficients = variationalCoefficients({ process, steps: [0, 1, 20, 49], preconditioning });
  /** One number scales the mean, another the variance; a third is shared by both. */
  const params = { mean: tensor(Float32Array.of(0.4)), variance: tensor(Float32Array.of(0.3)), shared: tensor(Float32Array.of(1.1)) };
  type Params = typeof params;
  const network = (p: Params) => (x: Tensor) => {
    const h = mul(x, p.shared);
    return { output: mul(h, p.mean), variance: mul(h, p.variance) };
  };

  test('v = -1 and 1 are the variances of the posterior and beta', async () => {
    const at = async (v: number) => numbers(interpolateLogVariance(tensor(new Float32Array(4).fill(v), { shape: [4, 1] }), coefficients));
    const [low, high] = [await at(-1), await at(1)];
    [0, 1, 20, 49].forEach((step, i) => {
      expect(high[i]).toBeCloseTo(Math.log(process.betas[step]!), 5);
      const clipped = Math.max(1, step);
      const bars = process.alphaBars;
      expect(low[i]).toBeCloseTo(Math.log((process.betas[clipped]! * (1 - bars[clipped - 1]!)) / (1 - bars[clipped]!)), 5);
    });
  });

  test('the mean gets exactly no gradient from the bound, the variance its own', async () => {
    const only = (part: 'simple' | 'bound') =>
      grad((p: Params) => sum(hybridLoss({ network: network(p), x0, noise, coefficients })[part]))(params);
    const [simple, bound] = [only('simple'), only('bound')];
    expect(await numbers(bound.mean)).toEqual([0]);
    expect(await numbers(simple.variance)).toEqual([0]);
    expect(Math.abs((await numbers(bound.variance))[0]!)).toBeGreaterThan(1e-3);
    expect(Math.abs((await numbers(simple.mean))[0]!)).toBeGreaterThan(1e-3);
    // In L_vlb alone the mean does learn.
    const full = grad((p: Params) => variationalLoss({ network: network(p), x0, noise, coefficients }).loss)(params);
    expect(Math.abs((await numbers(full.mean))[0]!)).toBeGreaterThan(1e-3);
  });

  test('terms are those of the bound in float64; the hybrid adds 0.001 T of them', async () => {
    const { simple, bound, perImage, loss } = hybridLoss({ network: network(params), x0, noise, coefficients });
    const [clean, e] = [Float64Array.from(await numbers(x0)), Float64Array.from(await numbers(noise))];
    const denoiser = (part: 'output' | 'variance') => (x: Float64Array) => x.map((value) => value * 1.1 * (part === 'output' ? 0.4 : 0.3));
    const got = await numbers(bound);
    const weights = await numbers(simple);
    for (const [i, step] of [0, 1, 20, 49].entries()) {
      const item = (values: Float64Array) => values.slice(6 * i, 6 * i + 6);
      const denoise = defineDenoiser<Float64Array>({
        nfe: 1,
        detailed: (x, at) => {
          const c = preconditioning.at(at as never);
          const scaled = x.map((value) => value * c.cIn);
          return {
            denoised: x.map((value, k) => c.cSkip * value + c.cOut * denoiser('output')(scaled)[k]!),
            variance: denoiser('variance')(scaled),
          };
        },
      });
      const { terms } = await variationalBound<Float64Array>({
        algebra: arrayAlgebra(),
        denoise,
        process,
        x0: item(clean),
        noise: () => item(e),
        steps: [step],
        variance: 'learned',
      });
      expect(got[i]! / terms.get(step)![0]!).toBeCloseTo(1, 3);
    }
    (await numbers(perImage)).forEach((value, i) => expect(value).toBeCloseTo(weights[i]! + 0.001 * 50 * got[i]!, 4));
    expect((await numbers(loss))[0]).toBeCloseTo((await numbers(perImage)).reduce((a, b) => a + b) / 4, 4);
  });

  test('the gradient of the bound is that of finite differences', async () => {
    const loss = (p: Params): Tensor => variationalLoss({ network: network(p), x0, noise, coefficients }).loss;
    const exact = grad(loss)(params);
    for (const name of ['mean', 'variance'] as const) {
      const at = async (by: number) => (await numbers(loss({ ...params, [name]: add(params[name], by) })))[0]!;
      const h = 1e-2;
      const slope = (8 * ((await at(h)) - (await at(-h))) - ((await at(2 * h)) - (await at(-2 * h)))) / (12 * h);
      expect((await numbers(exact[name]))[0]! / slope).toBeCloseTo(1, 2);
    }
  });

  test('shapes and steps are checked', () => {
    expect(() => variationalCoefficients({ process, steps: [50], preconditioning })).toThrow('steps[0] is out of range: steps[0]=50.');
    const wrong = (x: Tensor) => ({ output: x, variance: reshape(x, [4, 6]) });
    expect(() => hybridLoss({ network: wrong, x0, noise, coefficients })).toThrow("the network's variance must have the shape of x0");
  });
});
