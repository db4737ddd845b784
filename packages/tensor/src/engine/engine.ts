import { shownValue } from '../check-number.ts';
import type { HostArray } from '../dtype.ts';
import { UserError } from '../errors.ts';
import type { Graph, ValueInfo } from '../graph/graph.ts';
import type { CompositeName } from '../graph/primitives.ts';

/** A tensor's storage on an engine. Opaque to everyone else; freed by `dispose` or when it is garbage. */
export interface EngineBuffer extends ValueInfo {
  dispose(): void;
}

export interface RunOptions {
  /**
   * For each output, a buffer of the same shape and dtype to write into, or undefined to allocate one. A buffer given here must
   * not be an input of the same run. An engine that cannot write into it returns a fresh one and disposes of this one.
   */
  readonly outputs?: readonly (EngineBuffer | undefined)[];
}

/** A compiled graph. */
export interface Executable {
  /** Run once; inputs in the order of `graph.inputs`, results in the order of `graph.outputs`. Inputs are not changed. */
  run(inputs: readonly EngineBuffer[], options?: RunOptions): Promise<readonly EngineBuffer[]>;
  dispose(): Promise<void>;
}

/**
 * What runs graphs. `docs/adding-an-engine.md` shows how to write one; `@langevin/tensor/testing` proves it.
 */
export interface Engine {
  /** 'onnxruntime', 'tfjs', ... */
  readonly name: string;
  /** 'cpu', 'webgpu', 'cuda', 'wasm', 'tensorflow', ... */
  readonly device: string;
  /** Composites this engine runs as one kernel; the others reach it expanded. */
  readonly composites: ReadonlySet<CompositeName>;
  /** @throws UnsupportedError naming the op, the device and the remedy when a kernel or dtype is missing. */
  compile(graph: Graph): Promise<Executable>;
  /** The engine may keep a reference to `data`; the caller does not write to it afterwards. */
  upload(data: HostArray, info: ValueInfo): Promise<EngineBuffer>;
  /** A copy that the caller owns. */
  download(buffer: EngineBuffer): Promise<HostArray>;
  dispose(): Promise<void>;
}

/**
 * Refuses what is no engine, a promise of one above all: engines are made asynchronously, and an `await` is easily forgotten.
 *
 * @param where "package/part", as errors begin
 */
export function requireEngine(where: string, engine: unknown): asserts engine is Engine {
  const found = engine as Partial<Engine> | null | undefined;
  if (typeof found?.compile === 'function' && typeof found.upload === 'function' && typeof found.download === 'function') return;
  const advice =
    engine instanceof Promise
      ? 'It is the promise of one: await it, as in { engine: await onnxruntimeEngine() }.'
      : typeof engine === 'function'
        ? 'It is a function: call and await it, as in { engine: await onnxruntimeEngine() }.'
        : 'Pass what onnxruntimeEngine() or tfjsEngine() resolves to.';
  throw new UserError(`[${where}] engine is none: engine=${engine instanceof Promise ? 'a promise' : shownValue(engine)}. ${advice}`);
}
