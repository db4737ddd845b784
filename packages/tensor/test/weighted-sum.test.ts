import { weightedSum, type SumStep } from '@langevin/tensor';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { plainWeightedSum, wasmWeightedSum } from '../src/host/weighted-sum.ts';

afterEach(() => {
  vi.unstubAllGlobals();
});

const wave = (length: number, frequency: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => 100 * Math.sin(i * frequency + frequency));
const bits = (values: Float32Array): Uint32Array => new Uint32Array(values.buffer);

function steps(length: number, numbers: readonly (readonly [keep: number, factor: number])[]): readonly SumStep[] {
  return numbers.map(([keep, factor], k) => ({ keep, factor, value: wave(length, 0.37 + 0.11 * k) }));
}

const CASES = {
  'a value as it is': [[0, 1]],
  'a product': [[0, 0.3]],
  'two products': [
    [0, 0.3],
    [1, -0.7],
  ],
  'a sum that is multiplied': [
    [0, 0.3],
    [-1.7, 0.9],
  ],
  'the first value as it is': [
    [0, 1],
    [0.3, 0.9],
  ],
  'five products, two of sums': [
    [0, 0.3],
    [1, 0.9],
    [0.1, 1],
    [1, 1 / 3],
    [-1, 1e-3],
  ],
} as const;

describe('weighted sums of float32', () => {
  it.each(Object.entries(CASES))('%s: every product and sum is rounded, in order', (_, numbers) => {
    const of = steps(6, numbers);
    const out = new Float32Array(6);
    weightedSum(out, of);
    out.forEach((value, i) => {
      const sum = of.reduce((total, { keep, factor, value: next }, k) => {
        const product = Math.fround(Math.fround(factor) * next[i]!);
        return k === 0 ? product : Math.fround(Math.fround(Math.fround(keep) * total) + product);
      }, 0);
      expect(value).toBe(sum);
    });
  });

  it('are the same bits in WebAssembly, wherever an array ends', () => {
    const fast = wasmWeightedSum();
    expect(fast).toBeDefined();
    for (const length of [0, 1, 3, 4, 15, 16, 17, 4095, 4096, 4097, 9001]) {
      for (const numbers of Object.values(CASES)) {
        const [a, b] = [new Float32Array(length), new Float32Array(length)];
        fast!(a, steps(length, numbers));
        plainWeightedSum(b, steps(length, numbers));
        expect(bits(a).findIndex((word, i) => word !== bits(b)[i])).toBe(-1);
      }
    }
  });

  it('keep NaN and infinities', () => {
    const out = new Float32Array(3);
    weightedSum(out, [
      { keep: 0, factor: 0, value: Float32Array.of(Infinity, 1, 1) },
      { keep: 1, factor: 2, value: Float32Array.of(1, NaN, Infinity) },
    ]);
    expect([...out]).toEqual([NaN, NaN, Infinity]);
  });

  it('fall back to plain code where WebAssembly is missing', () => {
    vi.stubGlobal('WebAssembly', undefined);
    expect(wasmWeightedSum()).toBeUndefined();
  });
});
