import { hostFromNumbers, isFloating, numbersFromHost } from '../dtype.ts';
import { gradients } from '../autodiff/gradients.ts';
import type { Engine, EngineBuffer } from '../engine/engine.ts';
import type { Graph, ValueInfo } from '../graph/graph.ts';
import { traceGraph } from '../graph/trace.ts';
import { verifyGraph } from '../graph/verify.ts';
import type { Tensor } from '../tensor.ts';
import type { RowFunction } from './row.ts';
import type { ReferenceEngine } from './reference/engine.ts';

/** A result on the host, as plain numbers. */
export interface Result extends ValueInfo {
  readonly values: ArrayLike<number>;
}

/** A function compiled on one engine. */
export interface Program {
  readonly run: (inputs: readonly Result[]) => Promise<Result[]>;
  readonly dispose: () => Promise<void>;
}

type Transfer = {
  readonly up: (input: Result) => Promise<EngineBuffer>;
  readonly down: (buffer: EngineBuffer) => Promise<ArrayLike<number>>;
};

async function makeProgram(engine: Engine, graph: Graph, transfer: Transfer): Promise<Program> {
  verifyGraph(graph);
  const executable = await engine.compile(graph);
  return {
    run: async (values) => {
      const buffers = await Promise.all(values.map(transfer.up));
      const outputs = await executable.run(buffers);
      const results = await Promise.all(
        outputs.map(async (buffer) => ({ shape: buffer.shape, dtype: buffer.dtype, values: await transfer.down(buffer) })),
      );
      [...buffers, ...outputs].forEach((buffer) => buffer.dispose());
      return results;
    },
    dispose: () => executable.dispose(),
  };
}

/** Compile on an engine under test; numbers are rounded to their dtypes on the way in. */
function programOn(engine: Engine, graph: Graph): Promise<Program> {
  return makeProgram(engine, graph, {
    up: ({ shape, dtype, values }) => engine.upload(hostFromNumbers(dtype, values), { shape, dtype }),
    down: async (buffer) => numbersFromHost(buffer.dtype, await engine.download(buffer)),
  });
}

/** Programs on an engine under test that live together. */
export interface ProgramPool {
  readonly engine: Engine;
  readonly program: (fn: RowFunction, inputs: readonly ValueInfo[]) => Promise<Program>;
  readonly dispose: () => Promise<void>;
}

/** Checks that need the same graph share one compilation, which is what takes the time on an emulated GPU. */
export function programPool(engine: Engine): ProgramPool {
  const made = new Map<string, Promise<Program>>();
  return {
    engine,
    program: (fn, inputs) => {
      const graph = traceGraph(fn, inputs, { composites: engine.composites });
      const known = made.get(graph.key) ?? programOn(engine, graph);
      made.set(graph.key, known);
      return known;
    },
    dispose: async () => {
      const programs = await Promise.allSettled(made.values());
      await Promise.all(programs.map((settled) => (settled.status === 'fulfilled' ? settled.value.dispose() : undefined)));
    },
  };
}

/** Compile on the reference engine, with float64 in and out. */
export function programOnReference(engine: ReferenceEngine, fn: RowFunction, inputs: readonly ValueInfo[]): Promise<Program> {
  return makeProgram(engine, traceGraph(fn, inputs, { composites: engine.composites }), {
    up: async ({ shape, dtype, values }) => engine.uploadExact(values, { shape, dtype }),
    down: async (buffer) => engine.exact(buffer),
  });
}

const listOf = (result: Tensor | readonly Tensor[]): readonly Tensor[] =>
  'shape' in result ? [result as Tensor] : (result as readonly Tensor[]);

/** Only those results of a function that have gradients. */
export function floatResults(fn: RowFunction): RowFunction {
  return (...inputs) => listOf(fn(...inputs)).filter((y) => isFloating(y.dtype));
}

/** (inputs, cotangents of the float results) -> cotangents of the float inputs. */
export function gradientOf(fn: RowFunction, count: number): RowFunction {
  return (...all) => {
    const inputs = all.slice(0, count);
    const ys = listOf(floatResults(fn)(...inputs));
    return gradients(
      ys,
      inputs.filter((x) => isFloating(x.dtype)),
      { cotangents: all.slice(count) },
    );
  };
}
