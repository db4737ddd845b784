import type { NoiseLevel } from '@langevin/core';
import {
  arrayAlgebra,
  bitsPerDimension,
  dequantise,
  drawProbes,
  edm,
  exactTrace,
  finiteDifference,
  flow,
  hutchinsonTrace,
  logLikelihood,
  networkDerivative,
  predictionPreconditioning,
  probabilityFlow,
  tensorAlgebra,
  vpCosine,
  vpLinear,
} from '@langevin/core-schedules';
import { gaussian, mixture, threeModes, type AnalyticDistribution } from '@langevin/core-schedules/testing';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { mul, setDefaultEngine, tensor, torchGenerator, type Tensor } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

setDefaultEngine(await onnxruntimeEngine({ device: 'cpu', threads: 1 }));

const tight = { rtol: 1e-8, atol: 1e-8 };
const plane = mixture([
  { weight: 2, mean: [-1, 0.5, 0], std: [0.3, 0.2, 0.5] },
  { mean: [1, 0, 0.7], std: 0.4 },
]);
const traced = (data: AnalyticDistribution, items: number) => {
  const algebra = arrayAlgebra({ items });
  const derivative = finiteDifference<Float64Array>({ algebra, denoise: data.denoiser<Float64Array>() });
  return { algebra, derivative, denoise: exactTrace({ algebra, derivative }) };
};
/** The true density at the noisy end; the standard prior is a little off. */
const priorOf = (data: AnalyticDistribution) => (x: Float64Array, at: NoiseLevel) => data.logDensity(x, at);

const ends = [
  { name: 'vp-linear', from: vpLinear().level(1e-3), to: vpLinear().level(1) },
  { name: 'vp-cosine', from: vpCosine().level(0.01), to: vpCosine().level(1) },
  { name: 'edm', from: edm().level(0), to: edm().level(1) },
  { name: 'flow', from: flow().level(0.001), to: flow().level(1) },
] as const;

describe.each(ends)('on $name', ({ from, to }) => {
  test('the likelihood is the log density of a mixture, to 1e-5', async () => {
    const data = threeModes();
    const x = Float64Array.of(-1.5, -0.3, 0.4, 1, 2.2).map((value) => from.alpha * value);
    const { algebra, denoise } = traced(data, 5);
    const { logDensity, latent } = await logLikelihood<Float64Array>({ algebra, denoise, x, from, to, prior: priorOf(data), ...tight });
    x.forEach((value, i) => expect(Math.abs(logDensity[i]! - data.logDensity([value], from))).toBeLessThan(1e-5));
    // What is encoded decodes to what it was.
    const back = await probabilityFlow<Float64Array>({
      algebra,
      denoise: data.denoiser<Float64Array>(),
      x: latent,
      from: to,
      to: from,
      rtol: 1e-6,
      atol: 1e-6,
    });
    x.forEach((value, i) => expect(Math.abs(back.x[i]! - value)).toBeLessThan(1e-4));
  });

  test('Gaussian data: likelihood and path are exact', async () => {
    const data = gaussian({ mean: [0.7, -1], std: [0.3, 2] });
    const x = Float64Array.of(0.5, -2, 1.4, 3);
    const { algebra, denoise } = traced(data, 2);
    const { logDensity, latent } = await logLikelihood<Float64Array>({ algebra, denoise, x, from, to, prior: priorOf(data), ...tight });
    for (const i of [0, 1]) expect(Math.abs(logDensity[i]! - data.logDensity(x.subarray(2 * i, 2 * i + 2), from))).toBeLessThan(1e-6);
    const exact = data.flow(x, { from, to });
    latent.forEach((value, i) => expect(Math.abs(value - exact[i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(exact[i]!))));
  });
});

test('at pure noise the standard prior is exact', async () => {
  const data = threeModes();
  const { algebra, denoise } = traced(data, 1);
  const from = flow().level(0.01);
  const { logDensity } = await logLikelihood<Float64Array>({
    algebra,
    denoise,
    x: Float64Array.of(0.2),
    from,
    to: flow().level(1),
    ...tight,
  });
  expect(logDensity[0]).toBeCloseTo(data.logDensity([0.2], from), 5);
});

test('an item does not depend on its batch', async () => {
  const { from, to } = ends[0];
  const run = async (x: Float64Array) => {
    const { algebra, denoise } = traced(plane, x.length / 3);
    return (await logLikelihood<Float64Array>({ algebra, denoise, x, from, to })).logDensity;
  };
  const [first, second] = [Float64Array.of(0.1, 0.2, 0.3), Float64Array.of(-1, 0.5, 0)];
  expect(await run(Float64Array.of(...first, ...second))).toEqual([...(await run(first)), ...(await run(second))]);
});

describe('traces', () => {
  const at = vpLinear().level(0.3);
  const x = Float64Array.of(0.1, 0.3, 0.2);
  const { algebra, derivative, denoise } = traced(plane, 1);
  /** Every probe of signs there is in three dimensions. */
  const signs = Array.from({ length: 8 }, (_, k) => Float64Array.of(k & 1 ? 1 : -1, k & 2 ? 1 : -1, k & 4 ? 1 : -1));

  test('the exact trace is that of Tweedie: alpha tr J = d + sigma^2 times the Laplacian of log density', async () => {
    const h = 1e-4;
    const density = (k: number, by: number) =>
      plane.logDensity(
        x.map((value, i) => (i === k ? value + by : value)),
        at,
      );
    const laplacian = [0, 1, 2].reduce((total, k) => total + (density(k, h) - 2 * density(k, 0) + density(k, -h)) / h ** 2, 0);
    expect((await denoise(x, at)).trace[0]).toBeCloseTo((3 + at.sigma ** 2 * laplacian) / at.alpha, 5);
  });

  test('Hutchinson is unbiased: its mean over all signs is the trace, one sign is not', async () => {
    const exact = (await denoise(x, at)).trace[0]!;
    const each = await Promise.all(
      signs.map(async (probe) => (await hutchinsonTrace({ algebra, derivative, probes: [probe] })(x, at)).trace[0]!),
    );
    // Central differences are off by the square of their step, 1e-8, times third derivatives.
    expect(each.reduce((a, b) => a + b) / 8).toBeCloseTo(exact, 7);
    expect(Math.max(...each) - Math.min(...each)).toBeGreaterThan(0.01);
    expect((await hutchinsonTrace({ algebra, derivative, probes: signs })(x, at)).trace[0]).toBeCloseTo(exact, 7);
  });

  test('of a matrix, to the last digit', async () => {
    const rows = [
      [1, 2, -3],
      [0.5, -4, 6],
      [7, -0.25, 2.5],
    ];
    const linear = (_x: Float64Array, v: Float64Array) =>
      Promise.resolve({
        denoised: v,
        tangent: Float64Array.from(rows, (row) => row.reduce((total, value, k) => total + value * v[k]!, 0)),
      });
    expect((await exactTrace<Float64Array>({ algebra, derivative: linear })(x, at)).trace).toEqual([-0.5]);
    expect((await hutchinsonTrace<Float64Array>({ algebra, derivative: linear, probes: signs })(x, at)).trace[0]).toBeCloseTo(-0.5, 14);
  });

  test('and so is the likelihood', async () => {
    const { from, to } = ends[0];
    const run = async (probes?: readonly Float64Array[]) =>
      (
        await logLikelihood<Float64Array>({
          algebra,
          denoise: probes ? hutchinsonTrace({ algebra, derivative, probes }) : denoise,
          x,
          from,
          to,
          prior: priorOf(plane),
          ...tight,
        })
      ).logDensity[0]!;
    let mean = 0;
    for (const probe of signs) mean += (await run([probe])) / 8;
    expect(mean).toBeCloseTo(await run(), 6);
    expect(mean).toBeCloseTo(plane.logDensity(x, from), 5);
  });

  test('probes have unit covariance', () => {
    const like = new Float64Array(4000);
    const [rademacher] = drawProbes({ algebra, like, generator: torchGenerator(1) });
    expect(new Set(rademacher)).toEqual(new Set([-1, 1]));
    const [first, second] = drawProbes({ algebra, like, generator: torchGenerator(1), count: 2, distribution: 'gaussian' });
    const product = (a: Float64Array, b: Float64Array) => a.reduce((total, value, i) => total + value * b[i]!, 0) / 4000;
    expect(Math.abs(product(first!, first!) - 1)).toBeLessThan(4 * Math.sqrt(2 / 4000));
    expect(Math.abs(product(first!, second!))).toBeLessThan(4 / Math.sqrt(4000));
  });
});

test('networks over tensors: the exact derivative, and the likelihood of the Gaussian that it denoises', async () => {
  const process = vpLinear();
  const preconditioning = predictionPreconditioning({ process, prediction: 'x0' });
  // D = x / 2 at every level: not a consistent model, but its ODE has a closed form, d log p = -(d alpha - d / 2) dw.
  const network = (x: Tensor): Tensor => mul(x, 0.5);
  const algebra = tensorAlgebra();
  const derivative = networkDerivative({ network, preconditioning });
  const x = tensor(Float32Array.of(0.4, -0.2, 1, 0.3), { shape: [2, 2] });
  const [from, to] = [process.level(0.1), process.level(1)];
  const { logDensity, evaluations } = await logLikelihood({
    algebra,
    denoise: exactTrace({ algebra, derivative }),
    x,
    from,
    to,
    control: 'batch',
  });
  const w = (level: NoiseLevel) => -Math.asinh(level.alpha / level.sigma);
  // The integral of alpha = -tanh(w) is -log cosh(w).
  const growth = Math.log(Math.cosh(w(from)) / Math.cosh(w(to))) - 0.5 * (w(to) - w(from));
  [
    [0.4, -0.2],
    [1, 0.3],
  ].forEach((point, i) => {
    const squares = point.reduce((total, value) => total + (value * Math.exp(growth)) ** 2, 0);
    expect(logDensity[i]).toBeCloseTo(-squares / 2 / to.sigma ** 2 - Math.log(2 * Math.PI) - 2 * Math.log(to.sigma) + 2 * growth, 3);
  });
  expect(evaluations).toBeLessThan(200);
});

describe('bits per dimension', () => {
  test('the uniform density over [-1, 1] costs 8 bits', () => {
    expect(bitsPerDimension(-3072 * Math.LN2, { dimensions: 3072 })).toBeCloseTo(8, 12);
    expect(bitsPerDimension(-Math.LN2, { dimensions: 1, values: 32 })).toBeCloseTo(5, 12);
  });

  test('dequantised pixels fill their bins, and never bring a pixel below its entropy', () => {
    const pixels = Uint8Array.from({ length: 512 }, (_, i) => i % 256);
    const values = dequantise(pixels, torchGenerator(0));
    values.forEach((value, i) => expect(Math.floor((value + 1) * 128)).toBe(pixels[i]));
    // Four values out of 256: a density flat over their bins is the best, and its mean is their entropy of 2 bits.
    const four = (value: number): number => (Math.floor((value + 1) * 128) < 4 ? Math.log(32) : -Infinity);
    const mean =
      Array.from(dequantise(pixels.slice(0, 4), torchGenerator(1)), (value) => bitsPerDimension(four(value), { dimensions: 1 })).reduce(
        (a, b) => a + b,
      ) / 4;
    expect(mean).toBeCloseTo(2, 12);
  });
});

test('what cannot be is refused', async () => {
  const { algebra, derivative, denoise } = traced(threeModes(), 1);
  const x = Float64Array.of(0.1);
  await expect(logLikelihood<Float64Array>({ algebra, denoise, x, from: flow().level(0), to: flow().level(1) })).rejects.toThrow(
    'the flow has no start at a clean level',
  );
  expect(() => hutchinsonTrace({ algebra, derivative, probes: [] })).toThrow('probes=0');
  expect(() => drawProbes({ algebra, like: x, generator: torchGenerator(0), distribution: 'normal' as never })).toThrow(
    'distribution="normal"',
  );
  await expect(denoise(new Float64Array(5000), flow().level(0.5))).rejects.toThrow('elements=5000, at most 4096');
});
