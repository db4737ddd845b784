import { describe, expect, it } from 'vitest';
import { brownianTree, philoxGenerator, seedSequence, torchGenerator, type Generator } from '../../src/random/index.ts';
import { meanOf, readGolden } from './helpers.ts';

type Draw = 'normal' | 'normal64' | 'uniform' | 'uniform64';
interface Sampled {
  readonly seed: string;
  readonly count: number;
  readonly stride: number;
  readonly values: readonly number[];
  readonly tail: readonly number[];
  readonly sum: number;
  readonly absSum: number;
}
interface TorchGolden extends Readonly<Record<Draw, readonly Sampled[]>> {
  readonly integers: readonly { readonly seed: string; readonly low: number; readonly high: number; readonly values: readonly number[] }[];
  readonly permutation: readonly { readonly seed: string; readonly values: readonly number[] }[];
  readonly mixed: readonly (readonly [Draw | 'permutation', number, readonly number[]])[];
}
interface SeedCase {
  readonly entropy: string | readonly string[];
  readonly spawnKey: readonly string[];
  readonly poolSize: number;
  readonly words: readonly number[];
}
interface BrownianCase {
  readonly seed: string;
  readonly t0: number;
  readonly t1: number;
  readonly count: number;
  readonly stride: number;
  readonly steps: readonly { readonly from: number; readonly to: number; readonly values: readonly number[] }[];
}

/** PyTorch's vector logarithm, sine and cosine in float32 differ from exact ones by about 1e-6; the contract is 2e-6. */
const NORMAL_32 = 2e-6;
/** log, sqrt, cos and two products, each within an ulp (2.2e-16) of the C library's. */
const NORMAL_64_RELATIVE = 1e-15;

function closest(draw: Draw | 'permutation', actual: number, expected: number): boolean {
  if (draw === 'normal') return Math.abs(actual - expected) <= NORMAL_32;
  if (draw === 'normal64') return Math.abs(actual - expected) <= NORMAL_64_RELATIVE * Math.abs(expected);
  return actual === expected;
}

function expectClose(draw: Draw | 'permutation', actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  const wrong = expected.flatMap((value, i) => (closest(draw, actual[i]!, value) ? [] : [{ i, actual: actual[i], expected: value }]));
  expect(wrong).toEqual([]);
}

const torch = readGolden<TorchGolden>('torch');

describe.each(['normal', 'normal64', 'uniform', 'uniform64'] as const)('PyTorch CPU %s', (draw) => {
  it('covers enough cases', () => expect(torch[draw].length).toBeGreaterThanOrEqual(12));
  it.each(torch[draw])('seed $seed, $count values', ({ seed, count, stride, values, tail, sum, absSum }) => {
    const actual = torchGenerator(BigInt(seed))[draw](count);
    expectClose(
      draw,
      actual.filter((_, i) => i % stride === 0),
      values,
    );
    expectClose(draw, actual.slice(-tail.length), tail);
    // Every element takes part in the sums: a mean deviation of the element tolerance at most.
    const slack = (draw === 'normal' ? NORMAL_32 : 1e-14) * count;
    expect(Math.abs(meanOf(actual) * count - sum)).toBeLessThanOrEqual(slack);
    expect(Math.abs(meanOf(actual, Math.abs) * count - absSum)).toBeLessThanOrEqual(slack);
  });
});

describe('PyTorch CPU', () => {
  it.each(torch.integers)('randint, seed $seed, $low .. $high', ({ seed, low, high, values }) => {
    expect([...torchGenerator(BigInt(seed)).integers(values.length, { low, high })]).toEqual(values);
  });

  it.each(torch.permutation)('randperm, seed $seed', ({ seed, values }) => {
    expect([...torchGenerator(BigInt(seed)).permutation(values.length)]).toEqual(values);
  });

  it('consumes what PyTorch consumes when kinds of draw alternate', () => {
    const generator: Generator = torchGenerator(7);
    for (const [draw, count, values] of torch.mixed) expectClose(draw, generator[draw](count).slice(-values.length), values);
  });

  it("reads only the low 32 bits of a seed, negative ones as two's complement", () => {
    expect(torchGenerator(2 ** 32 + 7).state()).toEqual(torchGenerator(7).state());
    expect(torchGenerator(-1).state()).toEqual(torchGenerator(2n ** 64n - 1n).state());
  });
});

describe('Philox', () => {
  it('gives the published CUDA vector of seed 0', () => {
    const expected = [-0.92466259, -0.42534415, -2.6438457, 0.14518388];
    philoxGenerator(0)
      .normal(4)
      .forEach((value, i) => expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6));
  });

  it('uses all 64 bits of the seed and a new counter for each draw', () => {
    expect(philoxGenerator(2 ** 32).normal(4)).not.toEqual(philoxGenerator(0).normal(4));
    const generator = philoxGenerator(0);
    expect(generator.normal(4)).not.toEqual(generator.normal(4));
  });
});

describe('numpy SeedSequence', () => {
  const { cases } = readGolden<{ cases: readonly SeedCase[] }>('seed-sequence');
  it.each(cases)('entropy $entropy, spawn key $spawnKey, pool $poolSize', ({ entropy, spawnKey, poolSize, words }) => {
    const value = typeof entropy === 'string' ? BigInt(entropy) : entropy.map(BigInt);
    expect([...seedSequence(value, { spawnKey: spawnKey.map(BigInt), poolSize, words: words.length })]).toEqual(words);
  });
});

describe('torchsde BrownianTree', () => {
  const { cases } = readGolden<{ cases: readonly BrownianCase[] }>('brownian');
  it.each(cases)('seed $seed on $t0 .. $t1', ({ seed, t0, t1, count, stride, steps }) => {
    const tree = brownianTree({ seed: BigInt(seed), t0, t1, count });
    for (const { from, to, values } of steps) {
      const actual = tree.noise(from, to).filter((_, i) => i % stride === 0);
      expect(actual.length).toBe(values.length);
      values.forEach((value, i) => expect(Math.abs(actual[i]! - value)).toBeLessThan(1e-5));
    }
  });
});
