import { CLEAN, defineConditionalDenoiser, deriveConditionalDenoiser, sigmaLevel, type NoiseLevel } from '@langevin/core';
import { arrayAlgebra, predictionConversion, vpLinear, type Prediction } from '@langevin/core-schedules';
import { gaussian, mixture } from '@langevin/core-schedules/testing';
import { composed, cfg, intervalScale, rampScale } from '@langevin/guidance';
import { torchGenerator } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const algebra = arrayAlgebra();
const narrow = gaussian({ mean: [1], std: 0.5 }).denoiser<Float64Array>();
const wide = gaussian({ mean: [0], std: 1 }).denoiser<Float64Array>();
/** Cond N(1, 0.5^2) and uncond N(0, 1); each evaluation is noted. */
const asked: string[] = [];
const model = defineConditionalDenoiser<Float64Array, 'cond' | 'none'>({
  nfe: 1,
  denoise: (x, at, condition) => {
    asked.push(condition);
    return (condition === 'cond' ? narrow : wide)(x, at);
  },
});
const input = { denoiser: model, algebra, conditions: ['cond'], none: 'none' } as const;

/** The probability-flow ODE dx/dsigma = (x - D) / sigma by Runge-Kutta of fourth order in log sigma, down to where D is the state. */
async function ode(scale: number, start: number): Promise<number> {
  const denoise = cfg({ scale }).guide(input);
  const slope = async (x: number, logSigma: number): Promise<number> =>
    x - (await denoise(Float64Array.of(x), sigmaLevel(Math.exp(logSigma))))[0]!;
  const [from, to, steps] = [Math.log(2000), Math.log(1e-4), 1200];
  const h = (to - from) / steps;
  let x = start * 2000;
  for (let i = 0; i < steps; i++) {
    const at = from + i * h;
    const a = await slope(x, at);
    const b = await slope(x + (h * a) / 2, at + h / 2);
    const c = await slope(x + (h * b) / 2, at + h / 2);
    const d = await slope(x + h * c, at + h);
    x += (h * (a + 2 * b + 2 * c + d)) / 6;
  }
  return x;
}

describe('closed forms', () => {
  // The map is linear, so that two starts tell its slope, which is the deviation, and its mean. Beginning at sigma = 2000 instead of
  // infinity changes both by at most (w + 1) S / 2000 of themselves.
  test.each([
    [1, 0.5, 1],
    [1.5, 0.5 * 0.5 ** 0.5, 1.23819],
    [2, 0.25, 1.37992],
    [4, 0.0625, 1.51744],
  ])('of Gaussians, the ODE with scale %s has the deviation s (s / S)^w', async (scale, std, mean) => {
    const [low, high] = [await ode(scale, -1), await ode(scale, 1)];
    expect((high - low) / 2).toBeCloseTo(std, 4);
    expect(Math.abs((high + low) / 2 - mean)).toBeLessThan((scale * 1) / 1000);
  });

  test('the lecture counts w = s - 1', async () => {
    const x = Float64Array.of(0.3);
    expect(await cfg({ weight: 3 }).guide(input)(x, sigmaLevel(2))).toEqual(await cfg({ scale: 4 }).guide(input)(x, sigmaLevel(2)));
    expect(await cfg({ weight: -1 }).guide(input)(x, sigmaLevel(2))).toEqual(await wide(x, sigmaLevel(2)));
    expect(() => cfg({ scale: 2, weight: 1 })).toThrow('[guidance/cfg] a scale and a weight say the same twice');
  });
});

describe('evaluations', () => {
  const x = Float64Array.of(0.7);
  test.each([
    [1, ['cond']],
    [0, ['none']],
    [2, ['cond', 'none']],
  ])('scale %s asks %j', async (scale, wanted) => {
    const guided = cfg({ scale }).guide(input);
    asked.length = 0;
    const value = await guided(x, sigmaLevel(1));
    expect(asked).toEqual(wanted);
    expect(guided.nfe(sigmaLevel(1))).toBe(wanted.length);
    if (wanted.length === 1) expect(value).toEqual(await model(x, sigmaLevel(1), wanted[0] as 'cond'));
  });

  test('both are one batch; CFG++ may have the unconditional one at any scale', async () => {
    const sizes: number[] = [];
    const batched = defineConditionalDenoiser<Float64Array, 'cond' | 'none'>({
      nfe: 1,
      detailed: model.detailed,
      batch: (state, at, conditions) => {
        sizes.push(conditions.length);
        return model.batch(state, at, conditions);
      },
    });
    await cfg({ scale: 3 }).guide({ ...input, denoiser: batched })(x, sigmaLevel(1));
    expect(sizes).toEqual([2]);
    const alone = await cfg({ scale: 1 }).guide(input).detailed(x, sigmaLevel(1));
    expect(alone.unconditional).toBeUndefined();
    const all = cfg({ scale: 1, asked: 'all' }).guide(input);
    expect(await all.detailed(x, sigmaLevel(1))).toEqual({
      denoised: await narrow(x, sigmaLevel(1)),
      unconditional: await wide(x, sigmaLevel(1)),
    });
    expect(all.nfe(sigmaLevel(1))).toBe(2);
  });

  test('an interval saves one outside, and its ends are (sigmaMin, sigmaMax]', () => {
    const guided = cfg({ scale: 3, sigmaMin: 0.19, sigmaMax: 1.61 }).guide(input);
    expect([2, 1.61, 1, 0.19, 0.1].map((sigma) => guided.nfe(sigmaLevel(sigma)))).toEqual([1, 2, 2, 1, 1]);
    expect(guided.nfe([sigmaLevel(2), sigmaLevel(1)])).toBe(2);
    expect(() => cfg({ sigmaMin: 2, sigmaMax: 1 })).toThrow('[guidance/interval] interval is empty: sigmaMin=2, sigmaMax=1.');
  });

  test('items at levels of their own have scales of their own', async () => {
    const two = arrayAlgebra({ items: 2 });
    const scale = intervalScale({ scale: 3, sigmaMax: 1 });
    const guided = cfg({ scale }).guide({ ...input, algebra: two });
    const at = [sigmaLevel(2), sigmaLevel(1)];
    const both = await guided(Float64Array.of(0.7, 0.7), at);
    for (const [i, level] of at.entries()) expect(both[i]).toBeCloseTo((await cfg({ scale: scale(level) }).guide(input)(x, level))[0]!, 14);
  });

  test('learned variances are those of the condition', async () => {
    const learned = defineConditionalDenoiser<Float64Array, number>({
      nfe: 1,
      detailed: (state, _, condition) => ({ denoised: state, variance: Float64Array.of(condition) }),
    });
    const guided = cfg({ scale: 2 }).guide({ denoiser: learned, algebra, conditions: [4], none: 9 });
    expect((await guided.detailed(x, CLEAN)).variance).toEqual(Float64Array.of(4));
  });
});

test('the figure: with w, samples are told apart better, vary less and cover less', async () => {
  // Two overlapping kinds of data, from the same noise for every weight.
  const kinds = mixture([
    { mean: [-1], std: 1 },
    { mean: [1], std: 1 },
  ]);
  const count = 64;
  const denoiser = kinds.conditional<Float64Array>();
  const starts = Float64Array.from(torchGenerator(3).normal(count));
  const told = { denoiser, algebra, conditions: [Array.from({ length: count }, () => 1)], none: Array.from({ length: count }, () => null) };
  const measured: { readonly accuracy: number; readonly variance: number; readonly recall: number }[] = [];
  let plain: Float64Array | undefined;
  for (const weight of [0, 0.5, 1, 2, 3, 5]) {
    const guided = cfg({ weight }).guide(told);
    // Heun's rule in log sigma.
    const [from, to, steps] = [Math.log(80), Math.log(0.01), 60];
    const h = (to - from) / steps;
    let x: Float64Array = starts.map((value) => 80 * value);
    for (let i = 0; i < steps; i++) {
      const slope = async (state: Float64Array, logSigma: number): Promise<Float64Array> =>
        algebra.linear([1, state], [-1, await guided(state, sigmaLevel(Math.exp(logSigma)))]);
      const first = await slope(x, from + i * h);
      const second = await slope(algebra.linear([1, x], [h, first]), from + (i + 1) * h);
      x = algebra.linear([1, x], [h / 2, first], [h / 2, second]);
    }
    const mean = x.reduce((sum, value) => sum + value / count, 0);
    plain ??= x;
    // p(1 | x) of these two is the logistic of 2 x. Recall: how many unguided samples have a guided one within 0.2.
    const covered = plain.filter((sample) => x.some((value) => Math.abs(value - sample) < 0.2));
    measured.push({
      accuracy: x.reduce((sum, value) => sum + 1 / (1 + Math.exp(-2 * value)) / count, 0),
      variance: x.reduce((sum, value) => sum + (value - mean) ** 2 / count, 0),
      recall: covered.length / count,
    });
  }
  for (let i = 1; i < measured.length; i++) {
    expect(measured[i]!.accuracy).toBeGreaterThan(measured[i - 1]!.accuracy);
    expect(measured[i]!.variance).toBeLessThan(measured[i - 1]!.variance);
    expect(measured[i]!.recall).toBeLessThanOrEqual(measured[i - 1]!.recall);
  }
  expect(measured.at(-1)!.recall).toBeLessThan(0.7 * measured[0]!.recall);
});

test('a negative prompt takes the place of none', async () => {
  const point = defineConditionalDenoiser<Float64Array, Float64Array>({ nfe: 1, denoise: (_x, _at, condition) => condition });
  const guided = cfg({ scale: 2 }).guide({ denoiser: point, algebra, conditions: [Float64Array.of(1)], none: Float64Array.of(5) });
  expect(await guided(Float64Array.of(0), CLEAN)).toEqual(Float64Array.of(-3));
  expect((await guided.detailed(Float64Array.of(0), CLEAN)).unconditional).toEqual(Float64Array.of(5));
});

describe('composed conditions', () => {
  const levels = [0.05, 0.3, 0.7, 1].map((time) => vpLinear().level(time));
  const parts = [gaussian({ mean: [1], std: 0.5 }), gaussian({ mean: [-0.5], std: 0.8 }), gaussian({ mean: [0], std: 1 })] as const;
  const three = defineConditionalDenoiser<Float64Array, number>({
    nfe: 1,
    denoise: (x, at, i) => parts[i]!.denoiser<Float64Array>()(x, at),
  });
  /** (alpha D - x) / sigma^2, and of a Gaussian (alpha m - x) / (alpha^2 s^2 + sigma^2). */
  const score = (x: number, denoised: number, { alpha, sigma }: NoiseLevel): number => (alpha * denoised - x) / sigma ** 2;
  const own = (x: number, [mean, std]: readonly [number, number], { alpha, sigma }: NoiseLevel): number =>
    (alpha * mean - x) / (alpha ** 2 * std ** 2 + sigma ** 2);

  test.each([[[1, 1]], [[0.5, 2]], [[1, -1]]])('with weights %j have the score of the product, exactly at each level', async (weights) => {
    const [against, flat] = (['none', 'flat'] as const).map((prior) =>
      composed({ weights, prior }).guide({ denoiser: three, algebra, conditions: [0, 1], none: 2 }),
    );
    for (const at of levels) {
      for (const x of [-2, 0.4, 3]) {
        const sum = weights[0]! * own(x, [1, 0.5], at) + weights[1]! * own(x, [-0.5, 0.8], at);
        const rest = (1 - weights[0]! - weights[1]!) * own(x, [0, 1], at);
        // Rounding of D comes back over alpha / sigma^2.
        expect(score(x, (await against!(Float64Array.of(x), at))[0]!, at)).toBeCloseTo(sum + rest, 9);
        expect(score(x, (await flat!(Float64Array.of(x), at))[0]!, at)).toBeCloseTo(sum, 9);
      }
      expect([against!.nfe(at), flat!.nfe(at)]).toEqual([weights[0]! + weights[1]! === 1 ? 2 : 3, 2]);
    }
  });

  test('of one condition are classifier-free guidance', async () => {
    const x = Float64Array.of(0.3);
    const one = composed({ weights: [2.5] }).guide(input);
    expect(await one(x, sigmaLevel(1))).toEqual(await cfg({ scale: 2.5 }).guide(input)(x, sigmaLevel(1)));
  });

  test('say what does not fit', async () => {
    const conditions = [0, 1];
    expect(() => composed({ weights: [1] }).guide({ denoiser: three, algebra, conditions, none: 2 })).toThrow('weights=1, conditions=2');
    expect(() => composed().guide({ denoiser: three, algebra, conditions })).toThrow('nothing stands for no condition');
    expect(() => composed({ weights: [Number.NaN] })).toThrow('[guidance/composed] weights is out of range: weights=NaN.');
    expect(() => composed({ weights: [] })).toThrow('there is no weight');
    expect(() => composed({ prior: 'round' as never })).toThrow('unknown prior: prior="round"');
    const flat = composed({ prior: 'flat' }).guide({ denoiser: three, algebra, conditions });
    await expect(flat(Float64Array.of(1), { alpha: 0, sigma: 1 })).rejects.toThrow('pure noise has no product of conditions');
  });
});

describe('scales over levels', () => {
  test('ramps go between both ends', () => {
    const middle = { alpha: 1, sigma: 1 };
    const quarter = { alpha: Math.cos(Math.PI / 8), sigma: Math.sin(Math.PI / 8) };
    for (const [curve, share] of [
      ['linear', 0.25],
      ['cosine', (1 - Math.SQRT1_2) / 2],
    ] as const) {
      const scale = rampScale({ noisy: 9, clean: 1, curve });
      expect([{ alpha: 0, sigma: 1 }, middle, CLEAN].map(scale)).toEqual([9, expect.closeTo(5, 12), 1]);
      expect(scale(quarter)).toBeCloseTo(1 + 8 * share, 12);
    }
    expect(() => rampScale({ noisy: 1, clean: 2, curve: 'round' as never })).toThrow('unknown curve: curve="round"');
  });

  test('a function that gives no number is refused with the level', async () => {
    const guided = cfg({ scale: () => Number.NaN }).guide(input);
    await expect(guided(Float64Array.of(1), CLEAN)).rejects.toThrow('[guidance/cfg] scale is out of range: scale=NaN.');
  });
});

describe.each(['epsilon', 'v', 'flow'] as const)('a network over %s', (prediction: Exclude<Prediction, 'x0' | 'score'>) => {
  const two = arrayAlgebra({ items: 2 });
  const at = { alpha: 0.8, sigma: 0.6 };
  const x = Float64Array.of(0.5, -1, 2, 0.1, 0.4, -0.7);
  const outputs = { cond: Float64Array.of(1, 0.2, -0.5, 0.3, 1.1, -0.9), none: Float64Array.of(0.5, 0.1, 0.4, -0.6, 0.2, 0.8) };
  const raw = defineConditionalDenoiser<Float64Array, 'cond' | 'none'>({ nfe: 1, denoise: (_, __, condition) => outputs[condition] });
  const { x: ofState, prediction: ofOutput } = predictionConversion({ from: prediction, to: 'x0' }, at);
  const toX0 = (output: Float64Array): Float64Array => two.linear([ofState, x], [ofOutput, output]);
  const clean = deriveConditionalDenoiser(raw, { output: (output) => toX0(output) });
  const over = { algebra: two, conditions: ['cond'], none: 'none' } as const;
  const near = (a: Float64Array, b: Float64Array): void => a.forEach((value, i) => expect(value).toBeCloseTo(b[i]!, 12));

  test('is guided the same over its own output and over x0', async () => {
    const guide = cfg({ scale: 7.5 });
    near(toX0(await guide.guide({ ...over, denoiser: raw })(x, at)), await guide.guide({ ...over, denoiser: clean })(x, at));
  });

  test('is rescaled the same where x0 is told of which prediction, and otherwise where it is not', async () => {
    const wanted = toX0(await cfg({ rescale: 0.7 }).guide({ ...over, denoiser: raw })(x, at));
    near(await cfg({ rescale: { phi: 0.7, of: prediction } }).guide({ ...over, denoiser: clean })(x, at), wanted);
    const levels = [at, at];
    near(await cfg({ rescale: { phi: 0.7, of: prediction } }).guide({ ...over, denoiser: clean })(x, levels), wanted);
    const other = await cfg({ rescale: 0.7 }).guide({ ...over, denoiser: clean })(x, at);
    expect(Math.max(...other.map((value, i) => Math.abs(value - wanted[i]!)))).toBeGreaterThan(0.01);
  });
});

test('what is no option is named', () => {
  expect(() => cfg({ scale: 'much' as never })).toThrow('[guidance/cfg] scale is neither a number nor a function');
  expect(() => cfg({ scale: Number.POSITIVE_INFINITY })).toThrow('scale=Infinity');
  expect(() => cfg({ rescale: 1.5 })).toThrow('rescale=1.5');
  expect(() => cfg({ rescale: { phi: 0.5, of: 'x0' as never } })).toThrow('rescale is of something unknown: of="x0"');
  expect(() => cfg({ asked: 'some' as never })).toThrow('unknown evaluations: asked="some"');
  expect(() => cfg().guide({ ...input, none: undefined } as never)).toThrow('[guidance/cfg] nothing stands for no condition');
  expect(() => cfg().guide({ ...input, conditions: ['cond', 'cond'] as const })).toThrow('rule follows one condition: conditions=2');
});
