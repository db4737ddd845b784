import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import {
  captionScore,
  classScore,
  covariance,
  extrapolatedFrechet,
  featureSet,
  frechetDistance,
  kernelDistance,
  memorisation,
  mergeMoments,
  momentsOf,
  nearestItems,
  noMoments,
  pickItems,
  precisionRecall,
  psnr,
  ssim,
  straightness,
  unbiasedDiscrepancy,
  type FeatureSet,
  type Pictures,
} from '@langevin/metrics';
import { describe, expect, it } from 'vitest';
import { features, gaussian, info } from './harness.ts';

const engine = await onnxruntimeEngine({ device: 'cpu' });
const base = { count: 200, width: 6, phase: 0.3, shift: 0, scale: 1 };
const between = (set: FeatureSet, from: number, to: number): FeatureSet =>
  pickItems(
    set,
    Array.from({ length: to - from }, (_, i) => from + i),
  );

describe('moments', () => {
  it('are the same in whatever batches a set comes', () => {
    const set = features({ ...base, shift: 1e6 });
    const whole = momentsOf(set);
    const parts = [between(set, 0, 1), between(set, 1, 90), between(set, 90, 200)].map(momentsOf);
    const merged = parts.reduce(mergeMoments, noMoments(set.info));
    expect(merged.count).toBe(200);
    covariance(merged).forEach((value, k) => expect(value).toBeCloseTo(covariance(whole)[k]!, 7));
  });
  it('keep the digits of a small deviation around a large mean', () => {
    expect(covariance(momentsOf(featureSet(info(1), Float64Array.of(1e8, 1e8 + 1, 1e8 + 2))))[0]).toBe(1);
  });
});

describe('the Frechet distance', () => {
  it('of a set from itself is 0, also with fewer items than features', () => {
    for (const count of [200, 4]) {
      const set = momentsOf(features({ ...base, count }));
      expect(frechetDistance(set, set).value).toBeLessThan(1e-12);
    }
  });
  it('of a shifted set is the square of the shift', () => {
    const a = features(base);
    const b = featureSet(
      a.info,
      a.rows.map((value) => value + 0.5),
    );
    expect(frechetDistance(momentsOf(a), momentsOf(b)).value).toBeCloseTo(6 * 0.25, 10);
  });
  it('of a scaled set is (s - 1)^2 tr C and the mean apart', () => {
    const a = features(base);
    const scaled = featureSet(
      a.info,
      a.rows.map((value) => 3 * value),
    );
    const c = covariance(momentsOf(a));
    const trace = [0, 1, 2, 3, 4, 5].reduce((sum, j) => sum + c[7 * j]!, 0);
    expect(frechetDistance(momentsOf(a), momentsOf(scaled)).covariances).toBeCloseTo(4 * trace, 9);
  });
  it('does not change when both sets are turned', () => {
    const turn = (set: FeatureSet): FeatureSet =>
      featureSet(
        set.info,
        Float64Array.from(set.rows, (_, k) => {
          const [i, j] = [Math.floor(k / 6) * 6, k % 6];
          if (j > 1) return set.rows[i + j]!;
          return j === 0 ? 0.6 * set.rows[i]! - 0.8 * set.rows[i + 1]! : 0.8 * set.rows[i]! + 0.6 * set.rows[i + 1]!;
        }),
      );
    const [a, b] = [features(base), features({ ...base, phase: 4, scale: 1.4, shift: 0.2 })];
    const value = frechetDistance(momentsOf(a), momentsOf(b)).value;
    expect(frechetDistance(momentsOf(turn(a)), momentsOf(turn(b))).value).toBeCloseTo(value, 10);
    expect(frechetDistance(momentsOf(b), momentsOf(a)).value).toBeCloseTo(value, 10);
  });
  it('extrapolated to infinitely many samples is nearer to the truth than that of the samples', async () => {
    // Both are standard normal, so the truth is 0; the bias of 400 samples in 6 dimensions is about 6 * 7 / (4 * 400) + 6 / 400.
    const data = gaussian({ ...base, count: 20_000, phase: 11 });
    const samples = gaussian({ ...base, count: 400, phase: 5 });
    const { value, slope } = await extrapolatedFrechet(samples, data, { seed: 3 });
    expect(slope).toBeGreaterThan(0);
    expect(Math.abs(value)).toBeLessThan(frechetDistance(momentsOf(samples), momentsOf(data)).value / 2);
  });
});

describe('the kernel distance', () => {
  it('is unbiased: its mean over pairs of samples of one distribution is 0 within three standard errors', async () => {
    const a = gaussian({ ...base, count: 600, phase: 1 });
    const b = gaussian({ ...base, count: 600, phase: 2 });
    const values: number[] = [];
    for (let s = 0; s < 20; s += 1) {
      values.push(await unbiasedDiscrepancy(between(a, 30 * s, 30 * s + 30), between(b, 30 * s, 30 * s + 30), { engine }));
    }
    const mean = values.reduce((sum, value) => sum + value, 0) / 20;
    const error = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 19 / 20);
    expect(Math.abs(mean)).toBeLessThan(3 * error);
  });
  it('of two standard normal numbers apart by m is that of the closed form', async () => {
    // E (xy + 1)^3 with x ~ N(m, 1), y ~ N(n, 1), in one dimension: 1 + 3 mn + 3 (1 + m^2)(1 + n^2) + (m^3 + 3m)(n^3 + 3n).
    const kernel = (m: number, n: number): number => 1 + 3 * m * n + 3 * (1 + m * m) * (1 + n * n) + (m ** 3 + 3 * m) * (n ** 3 + 3 * n);
    const truth = kernel(0, 0) + kernel(1, 1) - 2 * kernel(0, 1);
    const a = gaussian({ ...base, width: 1, count: 4000, phase: 1 });
    const b = gaussian({ ...base, width: 1, count: 4000, phase: 2, shift: 1 });
    const { value, standardError } = await kernelDistance(a, b, { subsets: 10, subsetSize: 500, seed: 1, engine });
    expect(Math.abs(value - truth)).toBeLessThan(6 * standardError);
  });
  it('has a spread also of sets that are smaller than the usual subset', async () => {
    const { subsetSize, std } = await kernelDistance(features({ ...base, count: 41 }), features(base), { subsets: 5, engine });
    expect(subsetSize).toBe(20);
    expect(std).toBeGreaterThan(1e-3);
    expect((await kernelDistance(features({ ...base, count: 3 }), features(base), { subsets: 2, engine })).subsetSize).toBe(2);
  });
  it('depends on the seed alone', async () => {
    const [a, b] = [features(base), features({ ...base, phase: 9 })];
    const options = { subsets: 4, subsetSize: 50, engine };
    const first = await kernelDistance(a, b, { ...options, seed: 5 });
    expect(await kernelDistance(a, b, { ...options, seed: 5 })).toEqual(first);
    expect((await kernelDistance(a, b, { ...options, seed: 6 })).value).not.toBe(first.value);
  });
});

describe('precision, recall, density and coverage', () => {
  it('of a set by itself are 1, 1, about 1 and 1, with copies in it and far from zero', async () => {
    const set = features({ ...base, count: 1500, shift: 40 });
    const doubled = pickItems(
      set,
      Array.from({ length: 1500 }, (_, i) => i % 1000),
    );
    const result = await precisionRecall(doubled, doubled, { k: 3, engine });
    expect(result).toMatchObject({ precision: 1, recall: 1, coverage: 1 });
    expect(result.density).toBeGreaterThan(1);
  });
  it('tell a model that lost half of the data from one that adds what is not there', async () => {
    const left = features({ ...base, count: 300 });
    const right = features({ ...base, count: 300, phase: 8, shift: 50 });
    const both = featureSet(left.info, Float64Array.of(...left.rows, ...right.rows));
    const dropped = await precisionRecall(features({ ...base, count: 300, phase: 3 }), both, { engine });
    expect(dropped.precision).toBeGreaterThan(0.9);
    expect(dropped.recall).toBeLessThan(0.55);
    const added = await precisionRecall(both, features({ ...base, count: 300, phase: 3 }), { engine });
    expect(added.precision).toBeLessThan(0.55);
    expect(added.recall).toBeGreaterThan(0.9);
  });
});

describe('nearest items and memorisation', () => {
  it('find a copy at distance 0, over several blocks', async () => {
    const training = features({ ...base, count: 2500, shift: 7 });
    const { items, distances } = await nearestItems(pickItems(training, [2499, 3, 1200]), training, { engine });
    expect([...items]).toEqual([2499, 3, 1200]);
    expect([...distances]).toEqual([0, 0, 0]);
  });
  it('tell copies from samples of the distribution', async () => {
    const [training, heldOut, fresh] = [1, 2, 3].map((phase) => gaussian({ ...base, count: 500, phase })) as [
      FeatureSet,
      FeatureSet,
      FeatureSet,
    ];
    const copies = featureSet(
      training.info,
      training.rows.map((value, k) => value + 1e-3 * Math.sin(k)),
    );
    expect((await memorisation({ samples: copies, training, heldOut }, { engine })).copied).toBe(1);
    // 5 of 500 are expected; 20 would be six standard deviations away.
    expect((await memorisation({ samples: fresh, training, heldOut }, { engine })).copied).toBeLessThan(0.04);
  });
});

describe('memorisation', () => {
  it('refuses held-out data that were trained on: nothing could be nearer than a copy', async () => {
    const set = features({ ...base, count: 40 });
    await expect(memorisation({ samples: set, training: set, heldOut: between(set, 0, 20) }, { engine })).rejects.toThrow(
      '[metrics/memorisation] held-out data are among the training data',
    );
  });
});

describe('scores and paths', () => {
  it('of k clear and equally frequent classes are k, and of unclear ones 1', () => {
    const clear = Float64Array.from({ length: 40 }, (_, k) => (Math.floor(k / 4) % 4 === k % 4 ? 1 : 0));
    expect(classScore({ probabilities: clear.subarray(0, 32), classes: 4 }, { splits: 2 })).toEqual({ value: 4, std: 0, splits: 2 });
    expect(classScore({ probabilities: new Float64Array(40).fill(0.25), classes: 4 }, { splits: 1 }).value).toBeCloseTo(1, 14);
  });
  it('of captions do not depend on lengths, and equal captions find nothing', () => {
    const rows = Float64Array.of(3, 4, 0, -2);
    expect(captionScore({ rows, width: 2 }, { rows: rows.map((v) => 9 * v), width: 2 }, { scale: 'hundred' })).toMatchObject({
      value: expect.closeTo(100, 10) as number,
      rPrecision: 1,
    });
    const same = { rows: Float64Array.of(1, 1, 1, 1), width: 2 };
    expect(captionScore(same, same).rPrecision).toBe(0);
  });
  it('of a quarter circle are those of its integral', () => {
    // |x1 - x0|^2 = 2 and |dx/dt| = pi / 2, so the integral of |x1 - x0 - dx/dt|^2 is (pi / 2)^2 - 2.
    const times = Array.from({ length: 2001 }, (_, i) => i / 2000);
    const states = times.map((t) => Float64Array.of(Math.cos((t * Math.PI) / 2), Math.sin((t * Math.PI) / 2)));
    expect(straightness(states, times)).toBeCloseTo(((Math.PI / 2) ** 2 - 2) / 2, 5);
    expect(straightness(states.toReversed(), times.toReversed())).toBeCloseTo(((Math.PI / 2) ** 2 - 2) / 2, 5);
  });
  it('of pictures that are equal are infinite and 1', () => {
    const picture = { data: Float64Array.from({ length: 144 }, (_, k) => Math.sin(k)), shape: [1, 1, 12, 12] as const };
    expect(psnr(picture, picture)).toEqual([Infinity]);
    expect(ssim(picture, picture)[0]).toBeCloseTo(1, 12);
  });
});

describe('what is refused', () => {
  const set = features(base);
  it.each([
    ['features of different kinds', () => frechetDistance(momentsOf(set), momentsOf(features({ ...base, width: 5 }))), 'width=6 and 5'],
    ['numbers that are not finite', () => featureSet(info(2), Float64Array.of(1, 2, 3, NaN)), 'item=1, column=1'],
    ['half a row', () => featureSet(info(2), Float64Array.of(1, 2, 3)), 'length=3, width=2'],
    ['a covariance of one item', () => covariance(momentsOf(between(set, 0, 1))), 'count=1'],
    ['an item that is not there', () => pickItems(set, [200]), 'item=200, count=200'],
    ['logits', () => classScore({ probabilities: Float64Array.of(3, -1), classes: 2 }, { splits: 1 }), 'item=0'],
    [
      'an embedding of nothing',
      () => captionScore({ rows: new Float64Array(2), width: 2 }, { rows: new Float64Array(2), width: 2 }),
      'picture=0',
    ],
    ['a path that stands still', () => straightness([Float64Array.of(1), Float64Array.of(1)], [0, 1]), 'distance=0'],
    [
      'pictures of different sizes',
      () => psnr({ data: new Float64Array(4), shape: [1, 1, 2, 2] }, { data: new Float64Array(6), shape: [1, 1, 2, 3] }),
      'differ in shape',
    ],
  ])('%s', (_, run, says) => {
    expect(run).toThrow(says);
    expect(run).toThrow(/^\[metrics\//);
  });
  it('subsets that are larger than the set, and a k that it does not have', async () => {
    await expect(kernelDistance(set, set, { subsetSize: 201, engine })).rejects.toThrow('subsetSize=201. Pass an integer in 2..200');
    await expect(precisionRecall(set, set, { k: 200, engine })).rejects.toThrow('count=200, needed=201');
  });
});

describe('what is no set of features', () => {
  const set = features({ ...base, count: 40 });
  const nothing = undefined as unknown as FeatureSet;
  it('is refused by the name of its argument, with the call that makes one', async () => {
    const plain = set as unknown as ReturnType<typeof momentsOf>;
    expect(() => frechetDistance(momentsOf(set), plain)).toThrow(
      /^\[metrics\/frechet\] not what momentsOf\(\) gives: b=.*\. Pass momentsOf\(featureSet\(info, rows\)\)\.$/u,
    );
    expect(() => momentsOf(nothing)).toThrow('[metrics/moments] not what featureSet() gives: set=undefined. Pass featureSet(info, rows).');
    expect(() => mergeMoments(plain, momentsOf(set))).toThrow('[metrics/moments] not what momentsOf() gives: a=');
    await expect(extrapolatedFrechet(set, nothing)).rejects.toThrow('[metrics/extrapolate] not what featureSet() gives: data=undefined.');
    await expect(kernelDistance(set, nothing)).rejects.toThrow('[metrics/kernel] not what featureSet() gives: b=undefined.');
    await expect(nearestItems(nothing, set)).rejects.toThrow('[metrics/nearest] not what featureSet() gives: a=undefined.');
    await expect(precisionRecall(set, nothing)).rejects.toThrow('[metrics/precision-recall] not what featureSet() gives: data=undefined.');
    await expect(memorisation({ samples: set, training: set, heldOut: nothing })).rejects.toThrow(
      '[metrics/memorisation] not what featureSet() gives: heldOut=undefined.',
    );
  });
  it('and what are no pictures', () => {
    const grey = { data: new Float64Array(121), shape: [1, 1, 11, 11] as const };
    const image = { width: 11, height: 11, channels: 1, data: new Uint8Array(121) } as unknown as typeof grey;
    for (const metric of [psnr, ssim]) expect(() => metric(grey, image)).toThrow(/not pictures: b=.* Pass \{ data, shape: \[count,/u);
  });
  it.each([
    ['bytes', Float64Array.from({ length: 121 }, (_, i) => i), 'data[2]=2.'],
    ['what a network gives before it is clamped', new Float32Array(121).fill(1.01), 'data[0]=1.0099'],
    ['NaN, which would be a mean of NaN', Float64Array.from({ length: 121 }, (_, i) => (i === 7 ? NaN : 0)), 'data[7]=NaN.'],
  ])('and %s', (_, data, says) => {
    const [good, bad] = [new Float64Array(121), data].map((each) => ({ data: each, shape: [1, 1, 11, 11] as const })) as [
      Pictures,
      Pictures,
    ];
    for (const metric of [psnr, ssim]) {
      expect(() => metric(good, bad)).toThrow(`a number is not in -1..1: b.${says}`);
      expect(() => metric(bad, good)).toThrow(`a number is not in -1..1: a.${says}`);
    }
    // Rounding at the ends is none of it.
    expect(psnr({ ...good, data: new Float32Array(121).fill(1 + 2 ** -23) }, good)[0]).toBeCloseTo(10 * Math.log10(4), 5);
  });
});
