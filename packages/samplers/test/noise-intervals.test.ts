import {
  type Denoiser,
  isLevelList,
  type NoiseInterval,
  type NoiseLevel,
  type NoiseSource,
  relativeSigma,
  type Sampler,
  sigmaLevel,
} from '@langevin/core';
import { arrayAlgebra, edm, uniformLambda } from '@langevin/core-schedules';
import { gaussian } from '@langevin/core-schedules/testing';
import {
  brownianTreeNoise,
  dpmAdaptive,
  eulerAncestral,
  eulerMaruyama,
  gottaGoFast,
  heun,
  repaint,
  restart,
  sample,
} from '@langevin/samplers';
import { describe, expect, test } from 'vitest';

const normal = gaussian({ mean: [0.7], std: 0.3 });
/** At alpha = 1 the noise of the reverse SDE is a Brownian path over sigma^2. */
const squared = ({ alpha, sigma }: NoiseLevel): number => (sigma / alpha) ** 2;
const pathNoise = (seed: number | readonly number[]): NoiseSource =>
  brownianTreeNoise({ seed, sigmaMin: 1e-4, sigmaMax: 9, time: squared });

interface Asked {
  readonly interval: NoiseInterval;
  readonly drawn: Float64Array;
}

/** A source that tells what it was asked for. */
function recorded(source: NoiseSource, asked: Asked[]): NoiseSource {
  return {
    ...source,
    draw: async (request) => {
      const drawn = await source.draw(request);
      asked.push({ interval: request.interval!, drawn: Float64Array.from(drawn as Float64Array) });
      return drawn;
    },
  };
}

const sigmaOf = (at: NoiseInterval['from'], item = 0): number => relativeSigma(isLevelList(at) ? at[item]! : at);

describe('increments of a Brownian path', () => {
  const request = { algebra: arrayAlgebra({ items: 2 }), like: new Float32Array(8), step: 0, draw: 0 } as const;

  test('of intervals side by side add up to that of both together, images with intervals of their own too', async () => {
    const source = brownianTreeNoise({ seed: [3, 4], sigmaMin: 0.1, sigmaMax: 10 });
    const at = [
      [9, 8.5],
      [4, 2.25],
      [0.3, 0.125],
    ] as const;
    const increment = async (a: number, b: number): Promise<number[]> => {
      const [from, to] = [at[a]!.map(sigmaLevel), at[b]!.map(sigmaLevel)];
      const z = await source.draw({ ...request, interval: { from, to } });
      return Array.from(z, (value, i) => value * Math.sqrt(at[a]![i >> 2]! - at[b]![i >> 2]!));
    };
    const [first, second, both] = [await increment(0, 1), await increment(1, 2), await increment(0, 2)];
    // Draws are float32, of size 3 at most.
    both.forEach((value, i) => expect(Math.abs(first[i]! + second[i]! - value)).toBeLessThan(3e-6));
  });

  test.each([
    ['a seed for each image', [3, 4]],
    ['one seed', 3],
  ] as const)('of an image are those of its own interval: %s', async (_, seed) => {
    const source = brownianTreeNoise({ seed, sigmaMin: 0.1, sigmaMax: 10 });
    const [a, b] = [
      { from: sigmaLevel(9), to: sigmaLevel(4) },
      { from: sigmaLevel(2), to: sigmaLevel(1) },
    ];
    const [whole, other] = [await source.draw({ ...request, interval: a }), await source.draw({ ...request, interval: b })];
    const mixed = await source.draw({ ...request, interval: { from: [a.from, b.from], to: [a.to, b.to] } });
    expect(mixed).toEqual(Float32Array.of(...whole.slice(0, 4), ...other.slice(4)));
    // One that waits has none.
    const waiting = await source.draw({ ...request, interval: { from: [a.from, b.from], to: [a.to, b.from] } });
    expect(waiting).toEqual(Float32Array.of(...whole.slice(0, 4), 0, 0, 0, 0));
  });

  test('of another pass are of another path, the same again whatever was drawn in between', async () => {
    const source = brownianTreeNoise({ seed: 3, sigmaMin: 0.1, sigmaMax: 10 });
    const like = new Float32Array(4096);
    const draw = (pass?: readonly number[]): Promise<Float32Array> =>
      source.draw<Float32Array>({
        algebra: arrayAlgebra(),
        like,
        step: 0,
        draw: 0,
        interval: { from: sigmaLevel(9), to: sigmaLevel(4), ...(pass === undefined ? {} : { pass }) },
      });
    const passes = [await draw(), await draw([0]), await draw([1]), await draw([0, 1])];
    for (const [i, a] of passes.entries()) {
      for (const b of passes.slice(i + 1)) {
        const product = a.reduce((sum, value, k) => sum + value * b[k]!, 0) / like.length;
        expect(Math.abs(product)).toBeLessThan(4 / Math.sqrt(like.length));
      }
    }
    for (let k = 0; k < 8; k++) await draw([7, k]);
    expect(await draw()).toEqual(passes[0]);
    expect(await draw([1])).toEqual(passes[2]);
  });

  test('have no unit variance where a step leads nowhere', () => {
    const source = brownianTreeNoise({ seed: 3, sigmaMin: 0.1, sigmaMax: 10 });
    expect(() => source.draw({ ...request, interval: { from: sigmaLevel(2), to: sigmaLevel(2) } })).toThrow(
      '[samplers/noise] a Brownian path has no increment where a step leads nowhere: from=2, to=2. Take imageNoise()',
    );
  });
});

describe('adaptive steps on a Brownian path', () => {
  const [from, to] = [sigmaLevel(2), sigmaLevel(0.1)];
  const x = Float64Array.from({ length: 256 }, (_, i) => (i - 127.5) / 48);
  const denoise: Denoiser<Float64Array> = normal.denoiser();
  const apart = (a: Float64Array, b: Float64Array): number =>
    Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0) / a.length);

  test('gotta-go-fast asks for each attempt by itself: from where the last one was accepted, or again with a shorter one', async () => {
    const asked: Asked[] = [];
    await sample({
      sampler: gottaGoFast({ rtol: 0.02, atol: 0.01, firstStep: 2 }),
      denoise,
      x,
      levels: [from, to],
      noise: recorded(pathNoise(4), asked),
    });
    let rejected = 0;
    for (const [k, { interval }] of asked.entries()) {
      const last = asked[k - 1]?.interval;
      if (last === undefined) expect(sigmaOf(interval.from)).toBe(2);
      else if (sigmaOf(interval.from) === sigmaOf(last.to)) continue;
      else {
        rejected++;
        expect(sigmaOf(interval.from)).toBe(sigmaOf(last.from));
        expect(sigmaOf(interval.to)).toBeGreaterThan(sigmaOf(last.to));
      }
    }
    expect(rejected).toBeGreaterThan(0);
    expect(sigmaOf(asked.at(-1)!.interval.to)).toBe(0.1);
  });

  test.each([0.01, 2])('and so ends where the path leads, whatever was rejected: first step %d', async (firstStep) => {
    const fine = await sample({
      sampler: eulerMaruyama(),
      denoise,
      x,
      levels: uniformLambda({ sigmaMin: 0.1, sigmaMax: 2 }).levels(edm(), { steps: 1024, end: 'floor' }),
      noise: pathNoise(4),
    });
    const end = (tolerance: number): Promise<Float64Array> =>
      sample({
        sampler: gottaGoFast({ rtol: tolerance, atol: tolerance, firstStep }),
        denoise,
        x,
        levels: [from, to],
        noise: pathNoise(4),
      });
    const [loose, tight] = [apart(await end(0.1), fine), apart(await end(0.01), fine)];
    // The spread of the ends is 0.3: two paths that have nothing in common are 0.4 apart.
    expect(tight).toBeLessThan(0.03);
    expect(tight).toBeLessThan(loose / 2);
  });

  test.each([
    ['gotta-go-fast', gottaGoFast()],
    ['dpm-adaptive', dpmAdaptive({ eta: 1 })],
  ] as readonly (readonly [string, Sampler])[])('%s: an image does not depend on its batch', async (_, sampler) => {
    const levels = [from, to];
    const both = await sample({
      sampler,
      denoise,
      x: Float64Array.of(3, -2, 1, 0),
      levels,
      noise: pathNoise([5, 6]),
      algebra: arrayAlgebra({ items: 2 }),
    });
    const alone = await sample({ sampler, denoise, x: Float64Array.of(1, 0), levels, noise: pathNoise([6]) });
    both.slice(2).forEach((value, i) => expect(Math.abs(value - alone[i]!)).toBeLessThan(1e-12));
  });
});

describe('levels that a run goes over again', () => {
  const levels = uniformLambda({ sigmaMin: 0.1, sigmaMax: 2 }).levels(edm(), { steps: 6, end: 'floor' });
  const intervals = [
    { sigmaMin: levels[4]!.sigma, sigmaMax: levels[1]!.sigma, repeats: 3 },
    { sigmaMin: levels[4]!.sigma, sigmaMax: levels[2]!.sigma, repeats: 1, steps: 2 },
  ];

  test.each([
    ['restart', restart({ intervals, base: eulerAncestral() })],
    ['restart with churn', restart({ intervals, base: heun({ sChurn: 2 }) })],
    ['repaint', repaint({ jumpLength: 2, jumpSamples: 3 })],
    ['churn', heun({ sChurn: 40 })],
  ] as readonly (readonly [string, Sampler])[])('%s draws anew each time', async (_, sampler) => {
    const asked: Asked[] = [];
    await sample({
      sampler,
      denoise: normal.denoiser<Float64Array>(),
      x: new Float64Array(256),
      levels,
      noise: recorded(pathNoise(4), asked),
    });
    const names = asked.map(({ interval }) => JSON.stringify([sigmaOf(interval.from), sigmaOf(interval.to), interval.pass]));
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(4);
    for (const [i, a] of asked.entries()) {
      // Steps of one pass are side by side, and those of two have nothing in common.
      for (const b of asked.slice(i + 1))
        expect(Math.abs(a.drawn.reduce((sum, value, k) => sum + value * b.drawn[k]!, 0) / 256)).toBeLessThan(5 / 16);
    }
  });
});
