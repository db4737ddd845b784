import { adapted, deltaOf, type WeightDelta } from '@langevin/nn';
import { numbers, setDefaultEngine, tensor, type Tensor } from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';
import { describe, expect, test } from 'vitest';

setDefaultEngine(referenceEngine());

const of = (shape: readonly number[], values: readonly number[]): Tensor => tensor(Float32Array.from(values), { shape });
const valuesOf = async (delta: WeightDelta, shape: readonly number[]): Promise<readonly number[]> => numbers(deltaOf('w', delta, shape));

describe('deltas by hand', () => {
  const w1 = of([2, 2], [1, 2, 3, 4]);

  test('a Kronecker product has blocks of the second factor', async () => {
    const w2 = of([1, 2], [5, 7]);
    expect(await valuesOf({ kind: 'kronecker', w1, w2 }, [2, 4])).toEqual([5, 7, 10, 14, 15, 21, 20, 28]);
  });

  test('a Hadamard product is element by element', async () => {
    const ones = { a: of([2, 1], [1, 2]), b: of([1, 2], [1, 10]) };
    expect(await valuesOf({ kind: 'hadamard', w1, w2: ones, scale: 2 }, [2, 2])).toEqual([2, 40, 12, 160]);
  });

  test('a part of the rows is that of one parameter among several', async () => {
    const delta = { kind: 'low-rank', up: of([4, 1], [1, 2, 3, 4]), down: of([1, 2], [1, 10]) } as const;
    expect(await valuesOf({ ...delta, rows: [{ from: 1, count: 2 }] }, [2, 2])).toEqual([2, 20, 3, 30]);
    const swapped = [
      { from: 3, count: 1 },
      { from: 0, count: 1 },
    ];
    expect(await valuesOf({ ...delta, rows: swapped }, [2, 2])).toEqual([4, 40, 1, 10]);
    expect(() => deltaOf('w', { ...delta, rows: [{ from: 3, count: 2 }] }, [2, 2])).toThrow();
  });

  test('half precision is widened before it is multiplied', async () => {
    // 2049 is no number of float16, 2048 + 1 of it is: the sum is made in float32.
    const half = (bits: number): Tensor => tensor(new Uint16Array([bits]), { dtype: 'float16', shape: [1, 1] });
    const params = { w: half(0x6800) };
    const deltas = new Map([['w', { kind: 'full', diff: half(0x3c00) } as const]]);
    const { w } = adapted(params, [{ name: 'a', deltas }]);
    expect(w.dtype).toBe('float32');
    expect(await numbers(w)).toEqual([2049]);
    expect(params.w.dtype).toBe('float16');
  });

  test('what does not multiply is named', () => {
    const wrong: readonly (readonly [WeightDelta, readonly number[]])[] = [
      [{ kind: 'kronecker', w1, w2: of([1, 3], [1, 2, 3]) }, [2, 4]],
      [{ kind: 'kronecker', w1: of([3, 1], [1, 2, 3]), w2: of([1, 2], [5, 7]) }, [2, 4]],
      [{ kind: 'hadamard', w1, w2: { a: of([2, 2], [1, 2, 3, 4]), b: of([1, 2], [1, 2]) } }, [2, 2]],
      [{ kind: 'full', diff: of([3], [1, 2, 3]) }, [2]],
      [{ kind: 'full', diff: of([2], [1, 2]), scale: Number.NaN }, [2]],
    ];
    for (const [delta, shape] of wrong) expect(() => deltaOf('w', delta, shape)).toThrow(/^\[nn\/adapters\] .*name=w/u);
    const integers = tensor(new Int32Array(2), { dtype: 'int32', shape: [2] });
    expect(() => deltaOf('w', { kind: 'full', diff: integers }, [2])).toThrow("an adapter's tensors are floats: dtype=int32");
  });
});
