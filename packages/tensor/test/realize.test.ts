import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  add,
  cacheCounters,
  concat,
  data,
  defaultEngine,
  deferred,
  dispose,
  errorKind,
  exp,
  float32Data,
  fromFile,
  grad,
  item,
  mul,
  numbers,
  ones,
  range,
  realize,
  scalar,
  setDefaultEngine,
  sum,
  tensor,
  type Tensor,
} from '@langevin/tensor';
import { referenceEngine } from '@langevin/tensor/testing';

afterEach(() => {
  setDefaultEngine(undefined);
  delete (globalThis as { LANGEVIN_DEBUG?: unknown }).LANGEVIN_DEBUG;
  vi.restoreAllMocks();
});

describe('the cache', () => {
  test('graphs that differ in numbers only are compiled once', async () => {
    const engine = referenceEngine();
    for (let i = 0; i < 10; i++) expect(await numbers(add(mul(tensor([1, 2]), i), scalar(i)), { engine })).toEqual([2 * i, 3 * i]);
    expect(cacheCounters(engine)).toEqual({ compilations: 1, hits: 9, entries: 1 });
    await numbers(add(mul(tensor([1, 2, 3]), 1), scalar(1)), { engine });
    expect(cacheCounters(engine).compilations).toBe(2);
  });

  test('tensors realised together share what they have in common', async () => {
    const engine = referenceEngine();
    const x = exp(tensor([0, 0]));
    const y = mul(x, 2);
    const z = add(x, y);
    await realize([y, z, y], { engine });
    expect(cacheCounters(engine).compilations).toBe(1);
    expect([await numbers(y, { engine }), await numbers(z, { engine })]).toEqual([
      [2, 2],
      [3, 3],
    ]);
    expect(cacheCounters(engine).compilations).toBe(1);
  });

  test('a failed compilation is not remembered', async () => {
    const engine = referenceEngine();
    const compile = vi.spyOn(engine, 'compile').mockRejectedValueOnce(new Error('busy'));
    await expect(numbers(add(tensor([1]), 1), { engine })).rejects.toThrow('busy');
    expect(await numbers(add(tensor([1]), 1), { engine })).toEqual([2]);
    expect(compile).toHaveBeenCalledTimes(2);
  });

  test('it forgets the least recently used beyond its capacity', async () => {
    const engine = referenceEngine();
    for (let n = 1; n <= 260; n++) await numbers(add(ones([n]), 1), { engine });
    expect(cacheCounters(engine)).toEqual({ compilations: 260, hits: 0, entries: 256 });
  });
});

describe('reading', () => {
  const engine = referenceEngine();

  test('data is a copy, also of host data', async () => {
    const host = new Float32Array([1, 2]);
    ((await data(tensor(host))) as Float32Array).fill(9);
    expect([...host]).toEqual([1, 2]);
  });

  test('item and float32Data check what they are given', async () => {
    expect(await item(scalar(3))).toBe(3);
    await expect(item(ones([2]))).rejects.toThrow(
      '[tensor/item] tensor does not have exactly one element: Tensor(float32[2], broadcastTo). Select one, or reduce it.',
    );
    await expect(float32Data(range(2))).rejects.toThrow(
      '[tensor/data] tensor is not float32: Tensor(int32[2], host). Read it with data(), or cast() it.',
    );
  });

  test('a disposed tensor says so, without an engine', async () => {
    const x = tensor([1]);
    dispose(x);
    await expect(data(x)).rejects.toThrow(
      '[tensor/realize] tensor is gone: Tensor(float32[1], gone), it was disposed. Keep the result instead.',
    );
    await expect(data(add(x, 1), { engine })).rejects.toThrow('it was disposed.');
  });

  test('deferred tensors are asked once when realised, and checked', async () => {
    let calls = 0;
    const noise = deferred({ shape: [2], dtype: 'float32' }, () => new Float32Array([++calls, 0]));
    expect(await numbers(noise, { engine })).toEqual([1, 0]);
    expect(await numbers(add(noise, 1), { engine })).toEqual([2, 1]);
    expect(calls).toBe(1);
    const wrong = deferred({ shape: [2], dtype: 'float32' }, () => new Int32Array(3));
    await expect(numbers(wrong, { engine })).rejects.toThrow(
      '[tensor/deferred] provider gave the wrong data: Int32Array of 3, expected float32[2]. Return a matching typed array.',
    );
  });

  test('what reads a deferred tensor in several awaits sees one draw: a loss, then its gradient', async () => {
    let calls = 0;
    const mask = deferred({ shape: [2], dtype: 'float32' }, () => Float32Array.of(++calls, 10 * calls));
    const x = tensor([1, 1]);
    const loss = (t: Tensor): Tensor => sum(mul(mask, t));
    const gradient = grad(loss)(x);
    expect(await item(loss(x), { engine })).toBe(11);
    expect(await numbers(gradient, { engine })).toEqual([1, 10]);
    const [a, b] = await Promise.all([numbers(mul(mask, 2), { engine }), numbers(mask, { engine: referenceEngine() })]);
    expect([a, b]).toEqual([
      [2, 20],
      [1, 10],
    ]);
    expect(calls).toBe(1);
  });

  test('a draw that failed is asked for again', async () => {
    let calls = 0;
    const noise = deferred({ shape: [1], dtype: 'float32' }, () => {
      if (++calls === 1) throw new Error('no numbers');
      return Float32Array.of(7);
    });
    await expect(numbers(mul(noise, 2), { engine })).rejects.toThrow('no numbers');
    expect(await numbers(mul(noise, 2), { engine })).toEqual([14]);
  });

  test('files are read when needed', async () => {
    const read = vi.fn(async () => new Float32Array([1, 2]));
    const slice = { path: 'w.safetensors', offset: 0, byteLength: 8, read };
    const w = fromFile(slice, { shape: [2], dtype: 'float32' });
    expect(read).not.toHaveBeenCalled();
    expect(await numbers(add(w, 1), { engine })).toEqual([2, 3]);
    expect(await numbers(mul(w, 2), { engine })).toEqual([2, 4]);
    expect(read).toHaveBeenCalledTimes(1);
    expect(() => fromFile({ ...slice, byteLength: 4 }, { shape: [2], dtype: 'float32' })).toThrow(
      'byte range does not fit the shape: path=w.safetensors, byteLength=4, expected 8 for float32[2]',
    );
  });

  test('values move between engines', async () => {
    const x = add(tensor([1, 2]), 1);
    await realize([x], { engine });
    const other = referenceEngine();
    expect(await numbers(mul(x, 2), { engine: other })).toEqual([4, 6]);
  });

  test('a graph runs where its data is', async () => {
    const x = add(tensor([1]), 1);
    await realize([x], { engine });
    expect(await numbers(concat([x, x]))).toEqual([2, 2]);
  });
});

describe('the default engine', () => {
  test('the one that was set', async () => {
    const engine = referenceEngine();
    setDefaultEngine(engine);
    expect(await defaultEngine()).toBe(engine);
    expect(await item(sum(ones([3])))).toBe(3);
  });

  test('without any that works, the message says what was tried and what to install', async () => {
    const missing = (): never => {
      throw new Error('Cannot find package');
    };
    vi.doMock('@langevin/engine-onnxruntime', () => ({ onnxruntimeEngine: missing }));
    vi.doMock('@langevin/engine-tfjs', () => ({ tfjsEngine: missing }));
    const error = await defaultEngine().catch((thrown: unknown) => thrown);
    expect(errorKind(error)).toBe('user');
    const { message } = error as Error;
    expect(message).toBe(
      '[tensor/engine] no engine was found: @langevin/engine-onnxruntime: Cannot find package; @langevin/engine-tfjs: Cannot '
        + 'find package. Run `npm install @langevin/engine-onnxruntime onnxruntime-node`; a bundled program imports its engine and passes '
        + 'it to setDefaultEngine().',
    );
  });

  test('in a page the message says to import one', async () => {
    const missing = (): never => {
      throw new TypeError('Failed to resolve module specifier');
    };
    vi.doMock('@langevin/engine-onnxruntime', () => ({ onnxruntimeEngine: missing }));
    vi.doMock('@langevin/engine-tfjs', () => ({ tfjsEngine: missing }));
    // Vitest itself schedules with what is left of it.
    vi.stubGlobal('process', Object.create(process, { versions: { value: {} }, getBuiltinModule: { value: undefined } }));
    const error = (await defaultEngine().catch((thrown: unknown) => thrown)) as Error;
    vi.unstubAllGlobals();
    expect(error.message).toContain("import { onnxruntimeEngine } from '@langevin/engine-onnxruntime'; setDefaultEngine(");
    expect(error.message).not.toContain('npm install');
  });
});

describe('the debug switch', () => {
  const linesAt = async (level: number): Promise<string[]> => {
    const lines: string[] = [];
    vi.spyOn(console, 'error').mockImplementation((text: string) => void lines.push(text));
    (globalThis as { LANGEVIN_DEBUG?: unknown }).LANGEVIN_DEBUG = level;
    await numbers(add(tensor([1]), 1), { engine: referenceEngine() });
    return lines;
  };

  test('0 is silent', async () => expect(await linesAt(0)).toEqual([]));

  test('1 prints a line for each compilation', async () => {
    const lines = await linesAt(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^\[tensor\] compiled graph: 1 nodes, 2 inputs, [\d.]+ ms on reference\/float64$/);
  });

  test('2 prints the graph as well', async () => {
    expect((await linesAt(2))[1]).toBe('%0: float32[1] = input\n%1: float32[] = input\n%2: float32[1] = add %0 %1\nreturn %2');
  });
});
