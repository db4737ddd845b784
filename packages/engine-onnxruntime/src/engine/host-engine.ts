import type { Engine, EngineBuffer, Executable, Graph, HostArray, RunOptions, ValueInfo } from '@langevin/tensor';
import { checkIndices, InternalError } from '@langevin/tensor';
import type { OrtTensor } from '../runtime/ort.ts';
import { loweredComposites } from './composites.ts';
import { explainRuntimeError } from './errors.ts';
import { LinearExecutable } from '../linear/executable.ts';
import { linearPlan } from '../linear/plan.ts';
import { checkFits } from './fits.ts';
import { emptyTensor, HostBuffer, hostBuffer, hostFromTensor, tensorFromHost } from './host-buffer.ts';
import { HostPool } from './host-pool.ts';
import { indexInputs, type IndexInput } from './index-inputs.ts';
import { feedLargeConstants, withFedInputs } from './large-constants.ts';
import { OpenLeases, SessionLease } from './lease.ts';
import { isWorthStopping, runStopped } from './stop-output.ts';
import { createSession, type CompiledSession, type SessionContext } from './session.ts';

/** An engine whose buffers are in host memory: the CPU, and accelerators that copy at the borders of a graph. */
export function hostEngine(context: SessionContext): Engine {
  const { ort, device } = context;
  const leases = new OpenLeases();
  const pool = new HostPool();
  return {
    name: 'onnxruntime',
    device,
    composites: loweredComposites,
    async compile(whole) {
      const plan = linearPlan(whole);
      if (plan) return new LinearExecutable(whole, plan, { ort, pool });
      const { graph, fed } = await feedLargeConstants(whole, context.runtime);
      const indices = indexInputs(graph);
      const compiled = await createSession(graph, context);
      const lease = new SessionLease(compiled.session);
      const executable = new HostExecutable(graph, { compiled, lease, leases, indices, context, pool });
      leases.watch(executable, lease);
      return withFedInputs(
        executable,
        fed.map(({ info, data }) => new HostBuffer(info, tensorFromHost(ort, data, info))),
      );
    },
    upload: (data, info) => Promise.resolve(new HostBuffer(info, tensorFromHost(ort, data, info))),
    download: (buffer): Promise<HostArray> => Promise.resolve(hostFromTensor(hostBuffer(buffer).tensor.data, buffer.dtype)),
    async dispose() {
      await leases.closeAll();
      pool.clear();
    },
  };
}

interface HostExecutableParts {
  readonly compiled: CompiledSession;
  readonly lease: SessionLease;
  readonly leases: OpenLeases;
  readonly indices: readonly IndexInput[];
  readonly context: SessionContext;
  readonly pool: HostPool;
}

class HostExecutable implements Executable {
  readonly #graph: Graph;
  readonly #parts: HostExecutableParts;
  readonly #outputs: readonly ValueInfo[];
  readonly #large: boolean;

  constructor(graph: Graph, parts: HostExecutableParts) {
    this.#graph = graph;
    this.#parts = parts;
    this.#outputs = graph.outputs.map((value) => graph.values[value]!);
    this.#large = isWorthStopping(graph);
  }

  async run(inputs: readonly EngineBuffer[], options: RunOptions = {}): Promise<readonly EngineBuffer[]> {
    const { compiled, lease, indices } = this.#parts;
    const { session, inputNames, outputNames, stop } = compiled;
    if (lease.closed) throw new InternalError('[engine-onnxruntime] executable was disposed before this run.');
    const feeds: Record<string, OrtTensor> = {};
    inputNames.forEach((name, i) => {
      const info = this.#graph.values[this.#graph.inputs[i]!]!;
      feeds[name] = hostBuffer(checkFits(inputs[i], info, { role: 'input', index: i })).tensor;
    });
    for (const { position, use } of indices) checkIndices(use, feeds[inputNames[position]!]!.data as Int32Array);
    // Storage made beforehand is 1.3 times as fast as letting the session allocate; WebAssembly has its own memory and cannot use it.
    const targets = outputNames.map((_, i) => this.#target(i, options.outputs?.[i]));
    const fetches = Object.fromEntries(outputNames.map((name, i) => [name, targets[i]?.tensor ?? null]));
    let results: Readonly<Record<string, OrtTensor>> = {};
    try {
      if (stop === undefined) results = await session.run(feeds, fetches);
      else await runStopped(session, stop, { feeds, fetches });
    } catch (error) {
      throw explainRuntimeError(error, { graph: this.#graph, device: this.#parts.context.device, doing: 'running' });
    }
    return outputNames.map((name, i) => targets[i] ?? new HostBuffer(this.#outputs[i]!, results[name]!));
  }

  /** Where output i goes, if the runtime can be told. */
  #target(i: number, offered: EngineBuffer | undefined): HostBuffer | undefined {
    const info = this.#outputs[i]!;
    const buffer = offered && hostBuffer(checkFits(offered, info, { role: 'output', index: i }));
    const { context, pool } = this.#parts;
    // Small results are copied by the binding in any case: storage of ours would be memory to come by and to fill once more.
    const copied = context.device === 'cpu' && !this.#large && info.dtype === 'float32' && !buffer;
    if (context.device !== 'wasm' && !copied)
      return buffer ?? new HostBuffer(info, pool.take(info) ?? emptyTensor(context.ort, info), pool);
    buffer?.dispose();
    return undefined;
  }

  dispose(): Promise<void> {
    return this.#parts.leases.close(this.#parts.lease);
  }
}
