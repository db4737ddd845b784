import type { Algebra } from '@langevin/core';
import { arrayAlgebra, tensorAlgebra } from '@langevin/core-schedules';
import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { tensor, type Tensor } from '@langevin/tensor';
import { describe, expect, test } from 'vitest';

const engine = await onnxruntimeEngine({ device: 'cpu', threads: 1 });
const x = [1, -2, 3, 0.5, 0.25, -4];
const y = [0.5, 2, -1, 1, 3, 2];

/** The same statements about two items of three elements, whatever holds them. */
function holds<T>(algebra: Algebra<T>, make: (values: readonly number[]) => T): void {
  const host = async (value: T): Promise<number[]> => Array.from(await algebra.toHost(value));
  const near = (got: readonly number[], expected: readonly number[]): void => {
    expect(got.length).toBe(expected.length);
    got.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
  };

  test('products, exponentials and limits are elementwise', async () => {
    near(await host(algebra.multiply(make(x), make(y))), [0.5, -4, -3, 0.5, 0.75, -8]);
    near(await host(algebra.exp(make(y))), y.map(Math.exp));
    near(await host(algebra.clamp(make(x), 1)), [1, -1, 1, 0.5, 0.25, -1]);
    near(await host(algebra.clamp(make(x), [2, 0.3])), [1, -2, 2, 0.3, 0.25, -0.3]);
  });

  test('states put together come apart, and take a coefficient for each item of each', async () => {
    const both = algebra.concat([make(x), make(y)]);
    near(await host(both), [...x, ...y]);
    const [a, b] = algebra.split(both, 2);
    near(await host(a!), x);
    near(await host(b!), y);
    near(await host(algebra.linear([[1, 2, 3, 4], both], [1, both])), [2, -4, 6, 1.5, 0.75, -12, 2, 8, -4, 5, 15, 10]);
    expect(() => algebra.concat([])).toThrow('[core-schedules/algebra] nothing to put together: states=0.');
    expect(() => algebra.split(both, 5)).toThrow('parts=5');
  });

  test('the error of an item is its root mean square against the tolerance of each element', async () => {
    const rms = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
    near(await algebra.scaledRms(make(x), { absolute: 1, relative: 0, of: [] }), [rms(x.slice(0, 3)), rms(x.slice(3))]);
    // Tolerances are max(0.5, 0.5 max(|x|, |y|)).
    near(await algebra.scaledRms(make(x), { absolute: 0.5, relative: 0.5, of: [make(x), make(y)] }), [
      rms([1 / 0.5, 2 / 1, 3 / 1.5]),
      rms([0.5 / 0.5, 0.25 / 1.5, 4 / 2]),
    ]);
  });

  test('quantiles of absolute values are linear between elements', async () => {
    near(await algebra.absQuantile(make(x), 0), [1, 0.25]);
    near(await algebra.absQuantile(make(x), 0.75), [2.5, 2.25]);
    near(await algebra.absQuantile(make(x), 1), [3, 4]);
  });
}

describe('arrays', () => holds(arrayAlgebra({ items: 2 }) as unknown as Algebra<Float64Array>, (values) => Float64Array.from(values)));
describe('tensors', () => holds<Tensor>(tensorAlgebra({ engine }), (values) => tensor(Float32Array.from(values), { shape: [2, 3] })));

describe('sums over arrays', () => {
  const length = 11;
  const values = (k: number): number[] => Array.from({ length }, (_, i) => Math.sin(1 + i + 7 * k));
  const factors = [0.5, -1.25, 3, 0.75, -2, 1.5];
  const { linear } = arrayAlgebra();

  test.each([1, 2, 3, 4, 5, 6])('of %i terms are taken in float64 and rounded once, whatever kinds of array they hold', (terms) => {
    for (const kinds of [[Float64Array], [Float32Array], [Float32Array, Float64Array], [Float64Array, Float32Array]] as const) {
      const arrays = Array.from({ length: terms }, (_, k) => kinds[k % kinds.length]!.from(values(k)));
      const result = linear(...arrays.map((array, k) => [factors[k]!, array] as const));
      const expected = Array.from({ length }, (_, i) => arrays.reduce((sum, array, k) => sum + factors[k]! * array[i]!, 0));
      expect(result).toEqual(kinds[0].from(expected));
    }
  });
});
