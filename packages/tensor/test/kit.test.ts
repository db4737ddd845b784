import { describe, expect, test } from 'vitest';
import {
  add,
  exp,
  numbers,
  sin,
  straightThrough,
  tensor,
  type Engine,
  type EngineBuffer,
  type Executable,
  type Graph,
  type Tensor,
} from '@langevin/tensor';
import {
  conformanceRows,
  engineBehaviours,
  proveGradient,
  referenceEngine,
  runConformance,
  testEngine,
  type ConformanceRow,
} from '@langevin/tensor/testing';

// A kit that nothing fails proves nothing: here are engines and rules that are wrong on purpose.

const rowsNamed = (...names: readonly string[]): ConformanceRow[] => names.map((name) => conformanceRows.find((row) => row.name === name)!);

/** An engine whose executables are replaced. */
function faulty(change: (executable: Executable, graph: Graph, inner: ReturnType<typeof referenceEngine>) => Executable['run']): Engine {
  const inner = referenceEngine({ precision: 'float32' });
  return {
    ...inner,
    compile: async (graph) => {
      const executable = await inner.compile(graph);
      return { ...executable, run: change(executable, graph, inner) };
    },
  };
}

/** The results times 1 + error. */
function scaled(error: number): Engine {
  return faulty((executable, graph, inner) => async (inputs, options) => {
    const outputs = await executable.run(inputs, options);
    return outputs.map((buffer, i) =>
      inner.uploadExact(
        inner.exact(buffer).map((v) => v * (1 + error)),
        graph.values[graph.outputs[i]!]!,
      ),
    );
  });
}

const failuresOf = async (engine: Engine, rows: readonly ConformanceRow[]): Promise<string[]> => {
  const { results } = await runConformance(engine, { rows, behaviours: [] });
  return results.filter(({ status }) => status === 'fail').map(({ check }) => check);
};

describe('the kit finds', () => {
  test('values off by 2 in a million', async () => {
    expect(await failuresOf(scaled(2e-6), rowsNamed('sin: vector', 'matmul: matrices'))).toContain('value');
    expect(await failuresOf(scaled(0), rowsNamed('sin: vector', 'matmul: matrices'))).toEqual([]);
  });

  test('gradients that are off by 1%', async () => {
    const engine = faulty((executable, graph, inner) => async (inputs, options) => {
      const outputs = await executable.run(inputs, options);
      const isGradient = graph.inputs.length > 1;
      return isGradient
        ? outputs.map((buffer, i) =>
            inner.uploadExact(
              inner.exact(buffer).map((v) => v * 1.01),
              graph.values[graph.outputs[i]!]!,
            ),
          )
        : outputs;
    });
    expect(await failuresOf(engine, rowsNamed('sin: vector'))).toEqual(['gradient', 'finite-differences', 'second-gradient']);
  });

  test('gradients that are off by a tenth, in every row, by difference quotients alone', async () => {
    // rounding at magnitude 1000 is as large; the gradient is zero
    const blind = ['max: log of a sum of large powers', 'softmax: one element'];
    const missed: string[] = [];
    for (const row of conformanceRows) {
      if (typeof row.gradient === 'object') continue;
      let valueInputs: number | undefined;
      const engine = faulty((executable, graph, inner) => {
        const isGradient = graph.inputs.length > (valueInputs ??= graph.inputs.length); // the value is compiled first
        return async (inputs, options) => {
          const outputs = await executable.run(inputs, options);
          return isGradient
            ? outputs.map((buffer, i) =>
                inner.uploadExact(
                  inner.exact(buffer).map((v) => v * 1.1),
                  graph.values[graph.outputs[i]!]!,
                ),
              )
            : outputs;
        };
      });
      const { results } = await runConformance(engine, { rows: [{ ...row, gradient: 'first' }], behaviours: [] });
      if (results.find(({ check }) => check === 'finite-differences')!.status === 'pass') missed.push(row.name);
    }
    expect(missed).toEqual(blind);
  }, 60_000);

  test("gradients that do not belong to the engine's own function", async () => {
    // The row says sin; its gradient is that of the identity. Engine and reference agree on it, difference quotients do not.
    const row: ConformanceRow = { ...rowsNamed('sin: vector')[0]!, fn: (x) => straightThrough(sin(x!), x!) };
    expect(await failuresOf(referenceEngine({ precision: 'float32' }), [row])).toEqual(['finite-differences']);
    const [first] = await proveGradient(referenceEngine({ precision: 'unrounded' }), row);
    expect(first!.problem).toMatch(/^derivative in a direction is /);
  });

  test('a second derivative that is missing', async () => {
    const row: ConformanceRow = {
      ...rowsNamed('exp: vector')[0]!,
      fn: (x) => {
        const y = exp(x!);
        return straightThrough(y, y);
      },
    };
    const [first, second] = await proveGradient(referenceEngine({ precision: 'unrounded' }), row);
    expect([first!.problem, second!.problem]).toEqual([undefined, undefined]);
    const stopped: ConformanceRow = { ...row, fn: (x) => straightThrough(exp(x!), x!) };
    expect((await proveGradient(referenceEngine({ precision: 'unrounded' }), stopped)).some(({ problem }) => problem !== undefined)).toBe(
      true,
    );
  });

  test('a wrong shape rule', async () => {
    expect(await failuresOf(referenceEngine(), [{ ...rowsNamed('sin: vector')[0]!, shape: [8] }])).toEqual(['shape']);
  });

  test('a NaN, an infinity', async () => {
    for (const value of [NaN, Infinity]) {
      const engine = faulty(
        (executable, graph, inner) => async (inputs, options) =>
          (await executable.run(inputs, options)).map((buffer, i) =>
            inner.uploadExact(inner.exact(buffer).fill(value), graph.values[graph.outputs[i]!]!),
          ),
      );
      expect(await failuresOf(engine, rowsNamed('sin: vector'))).toEqual(['value', 'gradient', 'finite-differences', 'second-gradient']);
    }
  });

  test('outputs that share storage, runs that change their inputs, downloads that are no copies', async () => {
    const inner = referenceEngine({ precision: 'float32' });
    const sharing = faulty((executable, graph) => async (inputs, options) => {
      const outputs = await executable.run(inputs, options);
      return outputs.map((buffer, i) => outputs[graph.outputs.indexOf(graph.outputs[i]!)] ?? buffer);
    });
    const careless: Engine = {
      ...inner,
      upload: async (data, info) => ({ ...info, data, dispose: () => undefined }) as EngineBuffer,
      download: async (buffer) => (buffer as unknown as { data: Float32Array }).data,
    };
    const some = engineBehaviours.filter(
      ({ name }) => name.startsWith('each output') || name.startsWith('download gives') || name.startsWith('an output'),
    );
    const failed = async (engine: Engine): Promise<string[]> =>
      (await runConformance(engine, { rows: [], behaviours: some })).results
        .filter(({ status }) => status === 'fail')
        .map(({ row }) => row);
    expect(await failed(sharing)).toEqual(['each output has storage of its own']);
    expect(await failed(careless)).toContain('download gives a copy');
  });
});

describe('reports', () => {
  test('what an engine refuses is unsupported, and what is skipped says why', async () => {
    const inner = referenceEngine();
    const { UnsupportedError } = await import('@langevin/tensor');
    const refusing: Engine = {
      ...inner,
      compile: async () => {
        throw new UnsupportedError('[x] no kernel.');
      },
    };
    const seen: string[] = [];
    const report = await runConformance(refusing, {
      rows: rowsNamed('round: half to even', 'flip: int32'),
      behaviours: engineBehaviours.slice(0, 1),
      skip: { 'flip: int32': 'not yet' },
      onRow: ({ row, status }) => seen.push(`${row}, ${status}`),
    });
    expect(seen).toEqual([
      'round: half to even, pass',
      'round: half to even, unsupported',
      'flip: int32, skipped',
      'flip: int32, skipped',
      'upload and download keep every bit: float32, pass',
    ]);
    expect(report).toMatchObject({ engine: 'reference', device: 'float64', passed: 2, failed: 0, unsupported: 1, skipped: 2 });
    expect(report.results[2]!.error).toBe('not yet');
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({ engine: 'reference' });
  });

  test('a skip that names no row is refused', async () => {
    await expect(testEngine(async () => referenceEngine(), { skip: { 'no such row': 'x' } })).rejects.toThrow(
      '[tensor/testing] skip names no row: name="no such row".',
    );
  });
});

describe('the reference engine', () => {
  const engine = referenceEngine();
  test('keeps float64', async () => {
    const buffer = engine.uploadExact([Math.PI], { shape: [1], dtype: 'float32' });
    expect(engine.exact(buffer)).toEqual(Float64Array.of(Math.PI));
    expect([...(await engine.download(buffer))]).toEqual([Math.fround(Math.PI)]);
  });

  test('rounds float16 and bfloat16 after every op, unless told not to', async () => {
    const add3 = (a: Tensor, b: Tensor): Tensor => add(add(add(a, b), b), b);
    const half = (): Tensor => add3(tensor([2048], { dtype: 'float16' }), tensor([1], { dtype: 'float16' }));
    const brain = (): Tensor => add3(tensor([256], { dtype: 'bfloat16' }), tensor([1], { dtype: 'bfloat16' }));
    // 2049 and 257 lie between two numbers each, and are rounded to the even one every time.
    expect(await numbers(half(), { engine })).toEqual([2048]);
    expect(await numbers(brain(), { engine })).toEqual([256]);
    expect(await numbers(half(), { engine: referenceEngine({ precision: 'float32' }) })).toEqual([2048]);
    expect(await numbers(half(), { engine: referenceEngine({ precision: 'unrounded' }) })).toEqual([2052]);
  });

  test('refuses what it cannot hold, foreign buffers and disposed ones', async () => {
    await expect(engine.upload(BigInt64Array.of(2n ** 60n), { shape: [1], dtype: 'int64' })).rejects.toThrow('beyond 2^53');
    await expect(engine.download({ shape: [1], dtype: 'float32', dispose: () => undefined })).rejects.toThrow(
      'buffer belongs to another engine',
    );
    const buffer = engine.uploadExact([1], { shape: [1], dtype: 'float32' });
    buffer.dispose();
    await expect(engine.download(buffer)).rejects.toThrow('buffer was disposed of');
  });
});
