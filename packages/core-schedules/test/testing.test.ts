import type { NoiseLevel } from '@langevin/core';
import { arrayAlgebra, vpLinear } from '@langevin/core-schedules';
import { finiteSet, gaussian, gaussianAround, mixture, threeModes } from '@langevin/core-schedules/testing';
import { torchGenerator } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const levels: NoiseLevel[] = [vpLinear().level(0.05), vpLinear().level(0.5), { alpha: 1, sigma: 3 }, { alpha: 0.3, sigma: 0.2 }];
const plane = mixture([
  { weight: 2, mean: [-1, 0.5], std: [0.3, 0.1] },
  { mean: [1, 0], std: 0.4 },
]);

test('denoisers are Tweedie of their own log density: D = (x + sigma^2 score) / alpha', async () => {
  const h = 1e-5;
  for (const at of levels) {
    for (const x of [
      [0.3, -0.2],
      [-1.2, 0.7],
      [2, 2],
    ]) {
      const denoised = await plane.denoiser<Float64Array>()(Float64Array.from(x), at);
      x.forEach((value, d) => {
        const moved = (by: number) => x.map((v, k) => (k === d ? v + by : v));
        const score = (plane.logDensity(moved(h), at) - plane.logDensity(moved(-h), at)) / (2 * h);
        expect(denoised[d]).toBeCloseTo((value + at.sigma ** 2 * score) / at.alpha, 5);
      });
    }
  }
});

test('densities integrate to one', () => {
  const modes = threeModes();
  for (const at of levels) {
    let total = 0;
    for (let x = -30; x < 30; x += 0.01) total += 0.01 * Math.exp(modes.logDensity([x], at));
    expect(total).toBeCloseTo(1, 6);
  }
});

test('a finite set: the kernel-weighted mean of its points, and one mean-shift step', async () => {
  const points = [
    [0, 0],
    [1, 0],
    [0, 2],
  ];
  const sigma = 0.7;
  const x = [0.4, 0.9];
  const kernels = points.map((p) => Math.exp(-((x[0]! - p[0]!) ** 2 + (x[1]! - p[1]!) ** 2) / (2 * sigma ** 2)));
  const total = kernels.reduce((a, b) => a + b);
  const expected = [0, 1].map((d) => points.reduce((sum, p, k) => sum + (kernels[k]! / total) * p[d]!, 0));
  const denoised = await finiteSet(points).denoiser<Float64Array>()(Float64Array.from(x), { alpha: 1, sigma });
  denoised.forEach((value, d) => expect(value).toBeCloseTo(expected[d]!, 12));
});

describe('Gaussian', () => {
  const normal = gaussian({ mean: [0.7, -1], std: [0.3, 2] });
  test('the path keeps the marginal and can be taken in parts', () => {
    const [a, b, c] = levels as [NoiseLevel, NoiseLevel, NoiseLevel];
    const x = Float64Array.of(0.1, 0.2, -1, 3);
    const whole = normal.flow(x, { from: a, to: c });
    normal.flow(normal.flow(x, { from: a, to: b }), { from: b, to: c }).forEach((value, i) => expect(value).toBeCloseTo(whole[i]!, 13));
  });

  test('samples have the mean and deviation', () => {
    const drawn = normal.sample(torchGenerator(5), 10_000);
    const axis = (d: number) => Array.from({ length: 10_000 }, (_, i) => drawn[2 * i + d]!);
    for (const [d, [mean, std]] of [
      [0.7, 0.3],
      [-1, 2],
    ].entries()) {
      const values = axis(d);
      const m = values.reduce((sum, value) => sum + value, 0) / 10_000;
      expect(Math.abs(m - mean!)).toBeLessThan((4 * std!) / 100);
      const s = Math.sqrt(values.reduce((sum, value) => sum + (value - m) ** 2, 0) / 10_000);
      expect(Math.abs(s - std!)).toBeLessThan((4 * std!) / Math.sqrt(20_000));
    }
  });
});

test('mixture samples fall into its modes by weight', () => {
  const drawn = threeModes().sample(torchGenerator(7), 20_000);
  // The modes overlap little; the shares below -0.5 and above 1.2 are sums of normal tails known to 4 digits.
  const below = drawn.filter((x) => x < -0.5).length / 20_000;
  expect(Math.abs(below - 0.3018)).toBeLessThan(4 * Math.sqrt((0.3 * 0.7) / 20_000) + 1e-3);
});

test('parts of a state may have levels of their own; a clean part comes back', async () => {
  const denoise = threeModes().denoiser<Float32Array>();
  const x = Float32Array.of(0.1, 0.2, 0.3, 0.4);
  const at = [levels[1]!, { alpha: 2, sigma: 0 }];
  const result = await denoise(x, at);
  expect(result.subarray(0, 2)).toEqual(await denoise(x.slice(0, 2), at[0]!));
  expect(result.subarray(2)).toEqual(x.slice(2).map((value) => value / 2));
  await expect(plane.denoiser<Float64Array>()(new Float64Array(3), levels[0]!)).rejects.toThrow('length=3, dimension=2');
  expect(() => mixture([])).toThrow('components=0');
  expect(() => mixture([{ mean: [0], std: [1, 2] }])).toThrow('component 0 has mean of 1 and std of 2');
});

test('plain arrays: combinations of any length, by item too, and their errors', () => {
  const algebra = arrayAlgebra({ items: 2 });
  const [a, b] = [Float64Array.of(1, 2, 3, 4), Float64Array.of(10, 20, 30, 40)];
  expect(algebra.linear([2, a])).toEqual(Float64Array.of(2, 4, 6, 8));
  expect(algebra.linear([1, a], [0.1, b], [1, a], [-1, a])).toEqual(Float64Array.of(2, 4, 6, 8));
  expect(algebra.linear([[1, 10], a], [1, b])).toEqual(Float64Array.of(11, 22, 60, 80));
  expect(algebra.perItem(3, a)).toEqual(Float64Array.of(3, 3));
  expect(() => algebra.linear([1, a], [1, new Float64Array(3)])).toThrow('lengths differ: term 0 has 4, term 1 has 3.');
  expect(() => algebra.linear([[1, 2, 3], a])).toThrow('coefficients=3, items=2.');
  expect(() => algebra.linear([[1, 2], new Float64Array(3)])).toThrow('length=3, items=2.');
  expect(() => arrayAlgebra({ items: 0 })).toThrow('items=0');
});

describe('pullbacks in closed form', () => {
  const at = [vpLinear().level(0.4), { alpha: 1, sigma: 1.3 }];
  const x = Float64Array.of(0.3, -0.2, -1.2, 0.7, 2, 2, 0.1, 0.1);
  const cotangent = Float64Array.of(1, 0, 0.4, -2, 3, 1, 0, 1);
  const labels = [0, null, 1, 0];
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const h = 1e-6;
  const slopeAlong = async (f: (x: Float64Array) => Promise<Float64Array>, i: number, from = x): Promise<number> => {
    const moved = (by: number) => from.map((value, k) => (k === i ? value + by : value));
    return (dot(await f(moved(h)), cotangent) - dot(await f(moved(-h)), cotangent)) / (2 * h);
  };

  test.each([
    ['a mixture', plane],
    ['a Gaussian', gaussian({ mean: [0.7, -1], std: [0.3, 2] })],
    [
      'a finite set',
      finiteSet([
        [0, 0],
        [1, 0],
      ]),
    ],
  ])('%s: central differences, with components known and unknown', async (_, data) => {
    const denoise = data.denoiser<Float64Array>();
    const { denoised, vjp } = await denoise.pullback!(x, at);
    expect(denoised).toEqual(await denoise(x, at));
    const pulled = (await vjp(cotangent)).x;
    for (let i = 0; i < x.length; i++) expect(pulled[i]).toBeCloseTo(await slopeAlong((y) => denoise(y, at), i), 7);
    const told = data.conditional<Float64Array>();
    const known = labels.map((label) => (label === 1 && data.name === 'gaussian' ? 0 : label));
    const { x: other, condition } = await (await told.pullback!(x, at, known)).vjp(cotangent);
    for (let i = 0; i < x.length; i++) expect(other[i]).toBeCloseTo(await slopeAlong((y) => told(y, at, known), i), 7);
    expect(condition).toEqual([0, 0, 0, 0]);
  });

  test('the Jacobian is alpha / sigma^2 times the covariance of x0: of a Gaussian, the posterior variance', async () => {
    const normal = gaussian({ mean: [0.3], std: 0.8 });
    const level = { alpha: 0.6, sigma: 0.9 };
    const { vjp } = await normal.denoiser<Float64Array>().pullback!(Float64Array.of(2), level);
    const [slope] = (await vjp(Float64Array.of(1))).x;
    expect(slope).toBeCloseTo((0.6 / 0.81) * normal.posteriorVariance(level), 12);
  });

  test('a component that is known is a Gaussian of its own; one that is not, the mixture', async () => {
    const told = plane.conditional<Float64Array>();
    const alone = gaussian({ mean: [1, 0], std: 0.4 }).denoiser<Float64Array>();
    const [second, any] = await told.batch(x, at, [labels.map(() => 1), labels.map(() => null)]);
    (await alone(x, at)).forEach((value, i) => expect(second!.denoised[i]).toBeCloseTo(value, 12));
    expect(any!.denoised).toEqual(await plane.denoiser<Float64Array>()(x, at));
    // Far from every mode, where densities underflow, the nearest one counts and nothing is NaN.
    const far = Float64Array.of(80, -90);
    const { vjp } = await told.pullback!(far, { alpha: 1, sigma: 0.05 }, [null]);
    expect((await vjp(Float64Array.of(1, 1))).x.every(Number.isFinite)).toBe(true);
    await expect(told(x, at, [0])).rejects.toThrow('points=4');
    await expect(told(x, at, [0, 0, 2, 0])).rejects.toThrow('labels[2]=2');
  });

  test('clean parts: D = x / alpha', async () => {
    const { vjp } = await plane.denoiser<Float64Array>().pullback!(Float64Array.of(1, 2), { alpha: 2, sigma: 0 });
    expect((await vjp(Float64Array.of(1, 3))).x).toEqual(Float64Array.of(0.5, 1.5));
    await expect(vjp(Float64Array.of(1))).rejects.toThrow('length=1, expected 2');
  });

  test('data around a condition: by state and by condition', async () => {
    const around = gaussianAround<Float64Array>({ std: 0.7 });
    const condition = x.map((value) => 1 - value);
    const { denoised, vjp } = await around.pullback!(x, at, condition);
    expect(denoised).toEqual(await around(x, at, condition));
    const pulled = await vjp(cotangent);
    for (let i = 0; i < x.length; i++) {
      expect(pulled.x[i]).toBeCloseTo(await slopeAlong((y) => around(y, at, condition), i), 8);
      expect(pulled.condition[i]).toBeCloseTo(await slopeAlong((c) => around(x, at, c), i, condition), 8);
    }
    const same = gaussian({ mean: [2], std: 0.7 }).denoiser<Float64Array>();
    const [expected, found] = [
      await same(x, at),
      await around(
        x,
        at,
        x.map(() => 2),
      ),
    ];
    expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 12));
    await expect(around(x, at, Float64Array.of(1))).rejects.toThrow('length=1, expected 8');
    expect(() => gaussianAround({ std: -1 })).toThrow('std=-1');
  });
});
