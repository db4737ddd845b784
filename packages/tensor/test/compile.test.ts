import { describe, expect, test } from 'vitest';
import {
  add,
  compile,
  concat,
  data,
  deferred,
  exp,
  full,
  grad,
  matmul,
  mul,
  numbers,
  ones,
  realize,
  scalar,
  sum,
  tensor,
  type Tensor,
} from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';

const engine = referenceEngine();
const read = (x: Tensor): Promise<number[]> => numbers(x, { engine });

describe('tracing', () => {
  test('one trace serves calls with changing numbers and values', async () => {
    let runs = 0;
    const axpy = compile(
      (a: Tensor, x: Tensor, y: Tensor) => {
        runs++;
        return add(mul(a, x), y);
      },
      { engine },
    );
    for (let i = 0; i < 100; i++) expect(await read(await axpy(i, full([2], i), ones([2])))).toEqual([i * i + 1, i * i + 1]);
    expect(axpy.counters()).toEqual({ calls: 100, traces: 1 });
    expect(runs).toBe(1);
  });

  test('another shape, dtype or static value compiles anew, and is remembered', async () => {
    const fn = compile((x: Tensor, mode: string) => (mode === 'double' ? mul(x, 2) : x), { engine });
    await fn(ones([2]), 'double');
    await fn(ones([3]), 'double');
    await fn(ones([2], 'int32'), 'double');
    await fn(ones([2]), 'same');
    await fn(ones([2]), 'double');
    expect(fn.counters()).toEqual({ calls: 5, traces: 4 });
  });

  test('warm compiles without running', async () => {
    let asked = 0;
    const fn = compile(
      (x: Tensor) =>
        add(
          x,
          deferred({ shape: [2], dtype: 'float32' }, () => {
            asked++;
            return new Float32Array(2);
          }),
        ),
      { engine },
    );
    await fn.warm(ones([2]));
    expect([fn.counters(), asked]).toEqual([{ calls: 0, traces: 1 }, 0]);
    await fn(ones([2]));
    expect([fn.counters(), asked]).toEqual([{ calls: 1, traces: 1 }, 1]);
  });

  test('concurrent first calls share one trace', async () => {
    const fn = compile((x: Tensor) => exp(x), { engine });
    const results = await Promise.all([fn(ones([1])), fn(ones([1])), fn(ones([1]))]);
    expect(await Promise.all(results.map(read))).toEqual([[Math.fround(Math.E)], [Math.fround(Math.E)], [Math.fround(Math.E)]]);
    expect(fn.counters().traces).toBe(1);
  });

  test('after an error the next call traces again', async () => {
    let broken = true;
    const fn = compile(
      (x: Tensor) => {
        if (broken) throw new Error('not yet');
        return add(x, 1);
      },
      { engine },
    );
    await expect(fn(ones([1]))).rejects.toThrow('not yet');
    broken = false;
    expect(await read(await fn(ones([1])))).toEqual([2]);
  });

  test('an asynchronous function is refused', async () => {
    const fn = compile(async (x: Tensor) => Promise.resolve(x), { engine, name: 'step' });
    await expect(fn(ones([1]))).rejects.toThrow(
      '[tensor/compile] function is asynchronous: name=step. It only builds a graph: remove async and await.',
    );
  });

  test('reading a value inside is refused', async () => {
    let inner: Promise<unknown> = Promise.resolve();
    const fn = compile(
      (x: Tensor) => {
        inner = data(mul(x, 2), { engine }).catch((error: unknown) => error);
        return x;
      },
      { engine, name: 'step' },
    );
    await fn(ones([1]));
    expect(String(await inner)).toContain('tensor has no value while a function is being traced: argument 0 of step.');
  });
});

describe('results', () => {
  test('trees, static leaves, arguments passed through, the same tensor twice', async () => {
    const fn = compile(
      (state: { x: Tensor; label: string }, s: Tensor) => {
        const y = mul(state.x, s);
        return { list: [y, y], same: state.x, label: state.label, none: null, n: 3, s };
      },
      { engine },
    );
    const x = ones([2]);
    const result = await fn({ x, label: 'cat' }, 2);
    expect(result.same).toBe(x);
    expect([result.label, result.none, result.n]).toEqual(['cat', null, 3]);
    expect(result.list[0]).toBe(result.list[1]);
    expect(await read(result.list[0]!)).toEqual([2, 2]);
    expect(await read(result.s)).toEqual([2]);
  });

  test('a function of arguments passed through only', async () => {
    const x = ones([2]);
    expect(await compile((a: Tensor) => a, { engine })(x)).toBe(x);
  });

  test('an argument given twice', async () => {
    const x = tensor([3]);
    expect(await read(await compile((a: Tensor, b: Tensor) => mul(a, b), { engine })(x, x))).toEqual([9]);
  });
});

describe('captured tensors', () => {
  test('small ones, large ones, realised ones and unrealised ones', async () => {
    const small = tensor([1, 2]);
    const large = tensor(new Float32Array(5000).fill(1));
    const realised = add(small, 1);
    await realize([realised], { engine });
    const lazy = mul(small, 10);
    const fn = compile((x: Tensor) => add(add(add(mul(x, small), realised), lazy), sum(large)), { engine });
    expect(await read(await fn(tensor([1, 1])))).toEqual([1 + 2 + 10 + 5000, 2 + 3 + 20 + 5000]);
    expect(await read(await fn(tensor([2, 2])))).toEqual([2 + 2 + 10 + 5000, 4 + 3 + 20 + 5000]);
  });

  test('deferred ones are asked for once a call', async () => {
    let next = 0;
    const noise = deferred({ shape: [1], dtype: 'float32' }, () => new Float32Array([++next]));
    const fn = compile((x: Tensor) => concat([add(x, noise), mul(noise, 10)]), { engine });
    expect(await read(await fn(tensor([0])))).toEqual([1, 10]);
    expect(await read(await fn(tensor([0])))).toEqual([2, 20]);
  });
});

describe('freeze', () => {
  test('specialises for each tensor, not for its value', async () => {
    const fn = compile((p: { w: Tensor }, x: Tensor) => matmul(x, p.w), { freeze: [0], engine });
    const first = { w: tensor([[1], [2]]) };
    const second = { w: mul(first.w, 2) };
    for (let i = 1; i <= 3; i++) expect(await read(await fn(first, tensor([[i, i]])))).toEqual([3 * i]);
    expect(await read(await fn(second, tensor([[1, 1]])))).toEqual([6]);
    expect(await read(await fn(first, tensor([[1, 1]])))).toEqual([3]);
    expect(fn.counters()).toEqual({ calls: 5, traces: 2 });
  });

  test('frozen numbers are part of the graph', async () => {
    const fn = compile((n: number, x: Tensor) => mul(x, n), { freeze: [0], engine });
    expect(await read(await fn(2, ones([1])))).toEqual([2]);
    expect(await read(await fn(3, ones([1])))).toEqual([3]);
    expect(fn.counters().traces).toBe(2);
  });
});

describe('donate', () => {
  test('donated tensors are gone, and the message says to whom', async () => {
    const step = compile((w: Tensor, g: Tensor) => add(w, g), { donate: [0], engine, name: 'update' });
    const w = add(ones([2]), 0);
    await realize([w], { engine });
    const next = await step(w, ones([2]));
    expect(await read(next)).toEqual([2, 2]);
    await expect(read(w)).rejects.toThrow(
      '[tensor/realize] tensor is gone: Tensor(float32[2], gone), it was donated to update. Keep the result instead.',
    );
    await expect(read(add(w, 1))).rejects.toThrow('it was donated to update.');
    await expect(step(w, ones([2]))).rejects.toThrow('it was donated to update.');
  });

  test('the same tensor donated twice, and storage that fits no result', async () => {
    const step = compile((state: { a: Tensor; b: Tensor; c: Tensor }) => ({ a: add(state.a, state.b), b: sum(state.c) }), {
      donate: [0],
      engine,
    });
    const a = mul(ones([2]), 3);
    const c = mul(ones([4]), 2);
    await realize([a, c], { engine });
    const result = await step({ a, b: a, c });
    expect([await read(result.a), await read(result.b)]).toEqual([[6, 6], [8]]);
    await expect(read(c)).rejects.toThrow('gone');
  });

  test('an argument that is passed through stays', async () => {
    const fn = compile((x: Tensor, y: Tensor) => ({ x, y: add(y, x) }), { donate: [0, 1], engine });
    const x = add(ones([1]), 1);
    const result = await fn(x, ones([1]));
    expect([await read(result.x), await read(result.y)]).toEqual([[2], [3]]);
  });

  test("the caller's arrays are never written to", async () => {
    const host = new Float32Array([1, 2]);
    const step = compile((w: Tensor) => mul(w, 2), { donate: [0], engine });
    let w: Tensor = tensor(host);
    for (let i = 0; i < 4; i++) w = await step(w);
    expect([...host]).toEqual([1, 2]);
    expect(await read(w)).toEqual([16, 32]);
  });

  test('a training loop that donates its state', async () => {
    const loss = (w: Tensor, x: Tensor): Tensor => sum(mul(mul(w, w), x));
    const step = compile((w: Tensor, x: Tensor, rate: Tensor) => ({ w: add(w, mul(mul(grad(loss)(w, x), rate), -1)) }), {
      donate: [0],
      engine,
    });
    let w = tensor([1, -2]);
    for (let i = 0; i < 3; i++) w = (await step(w, ones([2]), 0.25)).w;
    expect(await read(w)).toEqual([0.125, -0.25]);
    expect(step.counters().traces).toBe(1);
  });
});

test('a disposed function compiles anew', async () => {
  const fn = compile((x: Tensor) => add(x, scalar(1)), { engine });
  await fn(ones([1]));
  await fn.dispose();
  expect(await read(await fn(ones([1])))).toEqual([2]);
  expect(fn.counters().traces).toBe(2);
});

test('a call that is under way when its function is disposed of comes to its end', async () => {
  const fn = compile((x: Tensor) => add(x, scalar(1)), { engine });
  await fn(ones([1]));
  const [, calls] = await Promise.all([fn.dispose(), Promise.all([fn(ones([1])), fn(ones([2]))])]);
  expect(await Promise.all(calls.map(read))).toEqual([[2], [2, 2]]);
  const [again] = await Promise.all([fn(ones([1])), fn.dispose()]);
  expect(await read(again)).toEqual([2]);
});
