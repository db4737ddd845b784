import { lambdaOf, sigmaLevel, snrOf } from '@langevin/core';
import {
  bandProbabilities,
  betaTimes,
  cosineInterpolatedSigmas,
  cosineSigmas,
  cosmapTimes,
  discreteVp,
  drawByImportance,
  drawLevels,
  flow,
  laplaceSigmas,
  logitNormalTimes,
  logLogisticSigmas,
  logNormalSigmas,
  logUniformSigmas,
  lossHistory,
  modeTimes,
  recordLosses,
  uniformTimes,
  vpLinear,
  type LossHistory,
  type NoiseDistribution,
} from '@langevin/core-schedules';
import { counterGenerator, torchGenerator } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const continuous: NoiseDistribution[] = [
  uniformTimes({ process: vpLinear() }),
  logitNormalTimes({ process: flow() }),
  logitNormalTimes({ process: flow(), mean: 1, std: 0.5 }),
  modeTimes({ process: flow() }),
  modeTimes({ process: flow(), scale: -1 }),
  modeTimes({ process: flow(), scale: 1.6 }),
  cosmapTimes({ process: flow() }),
  betaTimes({ process: flow(), a: 2.5, b: 0.8 }),
  betaTimes({ process: vpLinear(), a: 0.6, b: 0.6 }),
  logNormalSigmas(),
  cosineSigmas(),
  cosineSigmas({ sigmaData: 0.5, sigmaMin: 0.01, sigmaMax: 30 }),
  logLogisticSigmas({ mean: -1, scale: 0.7 }),
  logLogisticSigmas({ sigmaMin: 0.1, sigmaMax: 5 }),
  logUniformSigmas(),
  laplaceSigmas(),
  laplaceSigmas({ mean: -2, scale: 1 }),
  cosineInterpolatedSigmas({ imageSize: 256 }),
  cosineInterpolatedSigmas({ imageSize: 1024, sigmaData: 0.5 }),
];
const shares = Array.from({ length: 199 }, (_, i) => (i + 1) / 200);

describe.each(continuous)('$name', ({ quantile, cdf }) => {
  test('quantile and cdf are inverses; noise grows', () => {
    let before = Infinity;
    for (const u of [1e-6, ...shares, 1 - 1e-6]) {
      const level = quantile(u);
      const lambda = lambdaOf(level);
      expect(lambda).toBeLessThanOrEqual(before);
      before = lambda;
      // Where a density is without bound, as at the ends of mode times, half the digits are lost; 1e-6 from there, ten remain.
      expect(Math.abs(cdf(level) - u)).toBeLessThan(1e-9);
    }
  });

  test('draws fall into ten equally likely bands', () => {
    const counts = new Array<number>(10).fill(0);
    for (const level of drawLevels({ name: '', quantile, cdf }, { generator: torchGenerator(3), count: 2000 }))
      counts[Math.min(9, Math.floor(cdf(level) * 10))]!++;
    // 9 degrees of freedom: above 33.7 once in ten thousand.
    expect(counts.reduce((sum, n) => sum + (n - 200) ** 2 / 200, 0)).toBeLessThan(33.7);
  });
});

test.each(continuous.filter(({ density }) => density !== undefined))(
  '$name: the density integrates to the cdf',
  ({ quantile, density }) => {
    const [low, high] = [-lambdaOf(quantile(0.05)), -lambdaOf(quantile(0.95))];
    // Simpson on a smooth stretch; Laplace's corner lies on a point of it, halfway by symmetry.
    const count = 2000;
    const h = (high - low) / count;
    let total = 0;
    for (let i = 0; i <= count; i++) total += (i === 0 || i === count ? 1 : i % 2 === 1 ? 4 : 2) * density!(low + i * h);
    expect((total * h) / 3).toBeCloseTo(0.9, 8);
  },
);

describe('what each is', () => {
  test('mode and cosmap times are those of the paper', () => {
    for (const u of shares) {
      const s = 1.29;
      // The paper's u runs the other way.
      expect(modeTimes({ process: flow() }).quantile(1 - u).sigma).toBeCloseTo(1 - u - s * (Math.cos((Math.PI / 2) * u) ** 2 - 1 + u), 12);
      expect(cosmapTimes({ process: flow() }).quantile(u).sigma).toBeCloseTo(1 - 1 / (Math.tan((Math.PI / 2) * u) + 1), 12);
      // The same log SNR as the cosine schedule.
      expect(lambdaOf(cosmapTimes({ process: flow() }).quantile(u))).toBeCloseTo(lambdaOf(cosineSigmas().quantile(u)), 10);
    }
  });

  test('cut distributions stay within their range and keep their shape', () => {
    const cut = logLogisticSigmas({ sigmaMin: 0.1, sigmaMax: 5 });
    expect(cut.quantile(1e-12).sigma).toBeCloseTo(0.1, 8);
    expect(cut.quantile(1 - 1e-12).sigma).toBeCloseTo(5, 8);
    const whole = logLogisticSigmas();
    const [a, b] = [0.3, 2].map((sigma) => cut.density!(Math.log(sigma)) / whole.density!(Math.log(sigma)));
    expect(a).toBeCloseTo(b!, 12);
    expect([cut.density!(-3), cosineSigmas({ sigmaMax: 1 }).density!(0.1)]).toEqual([0, 0]);
  });

  test('interpolated cosine: no shift is the cosine schedule; ends stay, the middle moves with the size', () => {
    const plain = cosineInterpolatedSigmas({ imageSize: 32 });
    for (const u of shares)
      expect(plain.quantile(u).sigma).toBeCloseTo(Math.tan(Math.atan(1e-3) + u * (Math.atan(1e3) - Math.atan(1e-3))), 9);
    const large = cosineInterpolatedSigmas({ imageSize: 256 });
    expect(large.quantile(0.5).sigma).toBeGreaterThan(plain.quantile(0.5).sigma);
    expect(large.quantile(1e-15).sigma).toBeCloseTo(1e-3, 10);
    // At the middle: the mean of a shift of log 8 in log sigma and of none, up to the ends of the range.
    expect(Math.log(large.quantile(0.5).sigma)).toBeCloseTo(Math.log(8) / 2, 1);
  });

  test('the chain rises at its steps', () => {
    const process = discreteVp({ steps: 5, betaEnd: 0.3 });
    const { cdf } = uniformTimes({ process });
    expect([0, 1, 2, 3, 4].map((step) => cdf(process.level(process.timeOfStep(step))))).toEqual([0.2, 0.4, 0.6, 0.8, 1]);
    expect([cdf(sigmaLevel(1e-6)), cdf(sigmaLevel(1e6))]).toEqual([0, 1]);
  });

  test('laplace: log SNR is even about its mean', () => {
    const { quantile } = laplaceSigmas({ mean: 1, scale: 0.5 });
    for (const u of shares) expect(Math.log(snrOf(quantile(u))) + Math.log(snrOf(quantile(1 - u)))).toBeCloseTo(2, 10);
  });
});

describe('spreads', () => {
  const even = uniformTimes({ process: flow(), min: 0, max: 1 });
  const times = (spread: 'stratified' | 'low-discrepancy' | 'antithetic', count: number) =>
    drawLevels(even, { generator: counterGenerator({ seed: 5, stream: [] }), count, spread }).map(({ sigma }) => sigma);

  test.each(['stratified', 'low-discrepancy'] as const)('%s: one in each band', (spread) => {
    expect(
      times(spread, 32)
        .map((t) => Math.floor(t * 32))
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 32 }, (_, i) => i));
  });

  test('antithetic pairs add to 1; an odd one stands alone', () => {
    const drawn = times('antithetic', 7);
    for (const i of [0, 2, 4]) expect(drawn[i]! + drawn[i + 1]!).toBeCloseTo(1, 14);
    expect(new Set(drawn).size).toBe(7);
  });

  test('unknown spreads are refused', () => {
    expect(() => times('even' as never, 2)).toThrow(
      'unknown spread: spread="even". Known: independent, stratified, low-discrepancy, antithetic.',
    );
  });
});

describe('importance by the loss', () => {
  const process = discreteVp({ steps: 4, betaEnd: 0.3 });
  const losses = [0.1, 3, 0.5, 2];
  const full = (): LossHistory => {
    let history = lossHistory({ bands: 4, length: 3 });
    for (let i = 0; i < 3; i++) history = recordLosses(history, { bands: [0, 1, 2, 3], losses });
    return history;
  };

  test('is uniform until every band is full', () => {
    let history = lossHistory({ bands: 4, length: 3 });
    for (let i = 0; i < 12; i++) {
      expect(Array.from(bandProbabilities(history))).toEqual([0.25, 0.25, 0.25, 0.25]);
      history = recordLosses(history, { bands: [i % 4], losses: [losses[i % 4]!] });
    }
    expect(bandProbabilities(history)[1]).toBeGreaterThan(0.5);
  });

  test('is the root of the second moment, with a little of the uniform', () => {
    const probabilities = bandProbabilities(recordLosses(full(), { bands: [0], losses: [1] }));
    const roots = [Math.sqrt((2 * 0.01 + 1) / 3), 3, 0.5, 2];
    const total = roots.reduce((a, b) => a + b);
    roots.forEach((root, i) => expect(probabilities[i]).toBeCloseTo((0.999 * root) / total + 0.001 / 4, 14));
  });

  test('weights make it unbiased: over all outcomes, the mean is that of uniform draws', () => {
    const probabilities = bandProbabilities(full());
    let mean = 0;
    probabilities.forEach((p, band) => (mean += p * (losses[band]! / (4 * p))));
    expect(mean).toBeCloseTo(losses.reduce((a, b) => a + b) / 4, 14);
    // The draws have those probabilities and those weights, and the levels of their bands.
    const { levels, importance, bands } = drawByImportance(uniformTimes({ process }), {
      history: full(),
      generator: torchGenerator(2),
      count: 800,
      spread: 'low-discrepancy',
    });
    const counts = [0, 0, 0, 0];
    bands.forEach((band, i) => {
      counts[band]!++;
      expect(importance[i]).toBe(1 / (4 * probabilities[band]!));
      expect(levels[i]).toEqual(process.level(process.timeOfStep(band)));
    });
    counts.forEach((n, band) => expect(Math.abs(n - 800 * probabilities[band]!)).toBeLessThanOrEqual(1.001));
  });

  test('over continuous levels too', () => {
    const even = uniformTimes({ process: flow(), min: 0, max: 1 });
    const drawn = drawByImportance(even, { history: full(), generator: torchGenerator(2), count: 1000, spread: 'low-discrepancy' });
    drawn.levels.forEach(({ sigma }, i) => expect(Math.floor(sigma * 4)).toBe(drawn.bands[i]));
    // The importance-weighted mean of a function of time is its plain mean.
    const mean = drawn.levels.reduce((total, { sigma }, i) => total + drawn.importance[i]! * sigma ** 2, 0) / 1000;
    expect(mean).toBeCloseTo(1 / 3, 2);
  });

  test('history is plain data, so a run resumes; old losses are forgotten', () => {
    const history = recordLosses(full(), { bands: [2, 2], losses: [7, 8] });
    expect(history.losses[2]).toEqual([0.5, 7, 8]);
    expect(full().losses[2]).toEqual([0.5, 0.5, 0.5]);
    expect(JSON.parse(JSON.stringify(history))).toEqual(history);
    expect(structuredClone(history)).toEqual(history);
  });

  test('what cannot be is refused', () => {
    expect(() => recordLosses(full(), { bands: [4], losses: [1] })).toThrow('bands[0] is out of range: bands[0]=4.');
    expect(() => recordLosses(full(), { bands: [0], losses: [Number.NaN] })).toThrow('losses[0]=NaN');
    expect(() => recordLosses(full(), { bands: [0, 1], losses: [1] })).toThrow('bands=2, losses=1');
    expect(() => lossHistory({ bands: 0 })).toThrow('bands=0');
  });
});

test('options out of range are refused', () => {
  expect(() => modeTimes({ process: flow(), scale: 2 })).toThrow('scale=2');
  expect(() => cosineSigmas({ sigmaMin: 2, sigmaMax: 1 })).toThrow('sigmaMax must be above sigmaMin: sigmaMin=2, sigmaMax=1.');
  expect(() => cosineInterpolatedSigmas({} as never)).toThrow('imageSize=undefined');
  expect(() => cosineInterpolatedSigmas({ imageSize: 64, noiseSizeHigh: 16 })).toThrow('noiseSizeHigh=16');
  expect(() => logUniformSigmas({ sigmaMin: 0 })).toThrow('sigmaMin=0');
  expect(() => laplaceSigmas({ scale: 0 })).toThrow('scale=0');
});
