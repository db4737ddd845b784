import type { Engine } from '@langevin/tensor';
import { beforeAll, describe, expect, test } from 'vitest';
import { tfjsEngine } from '@langevin/engine-tfjs';
import { backends } from './backends.ts';
import { apply, evaluate, f32, flags, i32, single, wave } from './graphs.ts';
import type { HostTensor } from './graphs.ts';

const count = (n: number) => Array.from({ length: n }, (_, i) => i);

// Each of these once gave silent nonsense on some backend: see storage.ts and the comments in kernels/.
describe.each(backends)('what TensorFlow.js gets wrong by itself, on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await tfjsEngine({ backend });
  });

  describe('int32 is exact beyond 2^24', () => {
    const big = 2 ** 24 + 1;
    const a = i32([3], [big, -big, 2 ** 31 - 3]);
    const b = i32([3], [big - 1, -big - 2, 2]);
    const rows = {
      add: [2 * big - 1, -2 * big - 2, 2 ** 31 - 1],
      sub: [1, 2, 2 ** 31 - 5],
      maximum: [big, -big, 2 ** 31 - 3],
      minimum: [big - 1, -big - 2, 2],
    } as const;
    test.each(Object.entries(rows))('%s', async (op, expected) => {
      const output = { shape: [3], dtype: 'int32' } as const;
      expect(await apply(engine, op as keyof typeof rows, { params: {}, inputs: [a, b], output })).toEqual(expected);
    });
    test.each([
      ['equal', [0, 0, 0]],
      ['less', [0, 0, 0]],
      ['lessEqual', [0, 0, 0]],
    ] as const)('%s', async (op, expected) => {
      expect(await apply(engine, op, { params: {}, inputs: [a, b], output: { shape: [3], dtype: 'bool' } })).toEqual(expected);
    });
    test('neg, abs', async () => {
      const output = { shape: [3], dtype: 'int32' } as const;
      expect(await apply(engine, 'neg', { params: {}, inputs: [a], output })).toEqual([-big, big, 3 - 2 ** 31]);
      expect(await apply(engine, 'abs', { params: {}, inputs: [b], output })).toEqual([big - 1, big + 2, 2]);
    });
    test('sum, max, cumsum, argMax', async () => {
      const x = i32([3], [big, 1, big + 1]);
      const scalar = { shape: [], dtype: 'int32' } as const;
      expect(await apply(engine, 'sum', { params: { axes: [0], keepDims: false }, inputs: [x], output: scalar })).toEqual([2 * big + 2]);
      expect(await apply(engine, 'max', { params: { axes: [0], keepDims: false }, inputs: [x], output: scalar })).toEqual([big + 1]);
      expect(await apply(engine, 'argMax', { params: { axis: 0 }, inputs: [x], output: scalar })).toEqual([2]);
      const running = await apply(engine, 'cumsum', {
        params: { axis: 0, direction: 'forward' },
        inputs: [x],
        output: { shape: [3], dtype: 'int32' },
      });
      expect(running).toEqual([big, big + 1, 2 * big + 2]);
    });
    test('smallest of the extremes', async () => {
      const x = i32([4], [-(2 ** 31), 5, 2 ** 31 - 1, -(2 ** 31)]);
      const params = { axis: 0, k: 4, order: 'smallest' } as const;
      expect(await apply(engine, 'topKIndices', { params, inputs: [x], output: { shape: [4], dtype: 'int32' } })).toEqual([0, 3, 1, 2]);
    });
  });

  test('integer division truncates towards zero, exactly', async () => {
    const values = [1, -1, 2, -2, 3, 7, -7, 10, -10, 255, 65537, -65537, 2 ** 24 + 1, 123456789, -987654321, 2 ** 31 - 1, -(2 ** 31) + 1];
    const pairs = [0, ...values].flatMap((a) => values.map((b) => [a, b] as const));
    const inputs = [
      i32(
        [pairs.length],
        pairs.map(([a]) => a),
      ),
      i32(
        [pairs.length],
        pairs.map(([, b]) => b),
      ),
    ];
    const quotients = await apply(engine, 'div', { params: {}, inputs, output: { shape: [pairs.length], dtype: 'int32' } });
    expect(quotients).toEqual(pairs.map(([a, b]) => Math.trunc(a / b) + 0));
  });

  test('cast to bool asks != 0', async () => {
    const x = f32([6], [0, 0.25, -0.5, 256, NaN, -0]);
    expect(await apply(engine, 'cast', { params: { dtype: 'bool' }, inputs: [x], output: { shape: [6], dtype: 'bool' } })).toEqual([
      0, 1, 1, 1, 1, 0,
    ]);
    const n = i32([4], [0, 256, -65536, 1]);
    expect(await apply(engine, 'cast', { params: { dtype: 'bool' }, inputs: [n], output: { shape: [4], dtype: 'bool' } })).toEqual([
      0, 1, 1, 1,
    ]);
  });

  test('uint8 arithmetic is modulo 256', async () => {
    const bytes = (data: number[]): HostTensor => ({ shape: [data.length], dtype: 'uint8', data: Uint8Array.from(data) });
    const inputs = [bytes([250, 3, 16]), bytes([10, 5, 16])];
    const output = { shape: [3], dtype: 'uint8' } as const;
    expect(await apply(engine, 'add', { params: {}, inputs, output })).toEqual([4, 8, 32]);
    expect(await apply(engine, 'sub', { params: {}, inputs, output })).toEqual([240, 254, 0]);
    expect(await apply(engine, 'mul', { params: {}, inputs, output })).toEqual([196, 15, 0]);
    expect(await apply(engine, 'cast', { params: { dtype: 'uint8' }, inputs: [i32([3], [-1, 256, 300])], output })).toEqual([255, 0, 44]);
  });

  test.each([
    ['int32', i32([2, 6], count(12))],
    ['float32', f32([2, 6], count(12))],
  ] as const)('strided slice keeps %s', async (dtype, x) => {
    const params = { starts: [0, 1], sizes: [2, 2], steps: [1, 3] };
    expect(await apply(engine, 'slice', { params, inputs: [x], output: { shape: [2, 2], dtype } })).toEqual([1, 4, 7, 10]);
  });

  test('bool moves as it should', async () => {
    const x = flags([2, 3], [1, 0, 1, 0, 1, 1]);
    const run = <Op extends 'flip' | 'slice' | 'pad' | 'transpose' | 'broadcastTo'>(
      op: Op,
      params: Parameters<typeof apply<Op>>[2]['params'],
      shape: number[],
      input = x,
    ) => apply(engine, op, { params, inputs: [input], output: { shape, dtype: 'bool' } });
    expect(await run('flip', { axes: [1] }, [2, 3])).toEqual([1, 0, 1, 1, 1, 0]);
    expect(await run('slice', { starts: [0, 0], sizes: [2, 2], steps: [1, 2] }, [2, 2])).toEqual([1, 1, 0, 1]);
    expect(
      await run(
        'pad',
        {
          padding: [
            [1, 0],
            [0, 1],
          ],
          value: 1,
        },
        [3, 4],
      ),
    ).toEqual([1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1]);
    expect(await run('transpose', { permutation: [1, 0] }, [3, 2])).toEqual([1, 0, 0, 1, 1, 1]);
    expect(await run('broadcastTo', { shape: [2, 2] }, [2, 2], flags([2, 1], [1, 0]))).toEqual([1, 1, 0, 0]);
    expect(await apply(engine, 'logicalNot', { params: {}, inputs: [x], output: { shape: [2, 3], dtype: 'bool' } })).toEqual([
      0, 1, 0, 1, 0, 0,
    ]);
    const both = { params: {}, inputs: [x, flags([3], [1, 1, 0])], output: { shape: [2, 3], dtype: 'bool' } } as const;
    expect(await apply(engine, 'logicalAnd', both)).toEqual([1, 0, 0, 0, 1, 0]);
    expect(await apply(engine, 'logicalOr', both)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  describe('seven axes', () => {
    const shape = [2, 1, 2, 3, 1, 2, 2];
    const x = wave(shape, 1);
    const values = x.data as Float32Array;

    test('add broadcasts', async () => {
      const wide = [2, 2, 2, 3, 2, 2, 2];
      const sum = await apply(engine, 'add', { params: {}, inputs: [x, wave(wide, 2)], output: { shape: wide } });
      const y = wave(wide, 2).data as Float32Array;
      const at = (i: number) => {
        const [a, , c, d, , f, g] = [96, 48, 24, 8, 4, 2, 1].map((s, axis) => Math.floor(i / s) % wide[axis]!) as [
          number,
          number,
          number,
          number,
          number,
          number,
          number,
        ];
        return (((a * 2 + c) * 3 + d) * 2 + f) * 2 + g;
      };
      expect(sum).toEqual(Array.from(y, (v, i) => Math.fround(v + values[at(i)]!)));
    });
    test('pad', async () => {
      const padding = [
        [0, 1],
        [0, 0],
        [0, 0],
        [1, 0],
        [0, 0],
        [0, 0],
        [0, 2],
      ] as const;
      const out = [3, 1, 2, 4, 1, 2, 4];
      const padded = await apply(engine, 'pad', { params: { padding, value: 9 }, inputs: [x], output: { shape: out } });
      expect(padded.filter((v) => v === 9)).toHaveLength(3 * 2 * 4 * 2 * 4 - 48);
      expect(padded.filter((v) => v !== 9)).toEqual(Array.from(values));
    });
  });

  describe('no elements', () => {
    test('sum, matmul, pad, concat', async () => {
      const none = f32([0, 3], []);
      expect(await apply(engine, 'sum', { params: { axes: [0], keepDims: false }, inputs: [none], output: { shape: [3] } })).toEqual([
        0, 0, 0,
      ]);
      const product = { params: { transposeA: true, transposeB: false }, inputs: [f32([0, 2], []), none], output: { shape: [2, 3] } };
      expect(await apply(engine, 'matmul', product)).toEqual([0, 0, 0, 0, 0, 0]);
      const bordered = {
        params: {
          padding: [
            [1, 0],
            [0, 0],
          ] as const,
          value: 4,
        },
        inputs: [none],
        output: { shape: [1, 3] },
      };
      expect(await apply(engine, 'pad', bordered)).toEqual([4, 4, 4]);
      expect(
        await apply(engine, 'concat', { params: { axis: 0 }, inputs: [none, f32([1, 3], [1, 2, 3])], output: { shape: [1, 3] } }),
      ).toEqual([1, 2, 3]);
      expect(await apply(engine, 'exp', { params: {}, inputs: [none], output: { shape: [0, 3] } })).toEqual([]);
    });
  });

  test('matmul broadcasts leading axes both ways', async () => {
    const a = wave([2, 1, 2, 3], 1);
    const b = wave([3, 3, 2], 2);
    const [x, y] = [a.data as Float32Array, b.data as Float32Array];
    const expected = count(24).map((i) => {
      const [p, q, r, c] = [Math.floor(i / 12), Math.floor(i / 4) % 3, Math.floor(i / 2) % 2, i % 2];
      return count(3).reduce((sum, k) => sum + x[p * 6 + r * 3 + k]! * y[q * 6 + k * 2 + c]!, 0);
    });
    const out = await apply(engine, 'matmul', {
      params: { transposeA: false, transposeB: false },
      inputs: [a, b],
      output: { shape: [2, 3, 2, 2] },
    });
    out.forEach((v, i) => expect(v).toBeCloseTo(expected[i]!, 5));
  });

  // wasm runs small and large products on different code, and transposed ones on neither: see kernels/matmul.ts.
  test.each([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ])('large matmul, transposeA=%s, transposeB=%s', async (transposeA, transposeB) => {
    const [m, k, n] = [40, 48, 36];
    const a = wave(transposeA ? [2, k, m] : [2, m, k], 1);
    const b = wave(transposeB ? [2, n, k] : [2, k, n], 2);
    const [x, y] = [a.data as Float32Array, b.data as Float32Array];
    const expected = count(2 * m * n).map((i) => {
      const [p, r, c] = [Math.floor(i / (m * n)), Math.floor(i / n) % m, i % n];
      const left = (j: number) => x[p * m * k + (transposeA ? j * m + r : r * k + j)]!;
      const right = (j: number) => y[p * k * n + (transposeB ? c * k + j : j * n + c)]!;
      return count(k).reduce((sum, j) => sum + left(j) * right(j), 0);
    });
    const out = await apply(engine, 'matmul', { params: { transposeA, transposeB }, inputs: [a, b], output: { shape: [2, m, n] } });
    const worst = Math.max(...out.map((v, i) => Math.abs(v - expected[i]!)));
    // 48 products below 1, each rounded to 24 bits.
    expect(worst).toBeLessThan(48 * 2 ** -23);
  });

  test('int64 passes through, and refuses what does not fit', async () => {
    const wide = (data: bigint[]): HostTensor => ({ shape: [data.length], dtype: 'int64', data: BigInt64Array.from(data) });
    const info = { shape: [2], dtype: 'int64' } as const;
    const [sum] = await evaluate(engine, single('add', {}, [info, info], [info]), [wide([5n, -7n]), wide([1n, 2n])]);
    expect(sum).toEqual(BigInt64Array.from([6n, -5n]));
    await expect(engine.upload(BigInt64Array.from([1n, 2n ** 31n]), info)).rejects.toThrow(/data\[1\]=2147483648/);
  });
});
