import type { HostArray } from '../dtype.ts';
import type { OpNode } from '../graph/node.ts';
import { hostResults, runHostOp } from '../ops/host-op.ts';
import { Tensor } from '../tensor.ts';
import type { Engine, EngineBuffer } from './engine.ts';
import type { Plan } from './stages.ts';

/** Runs the graph of `outputs`, in which tensors of `known` are inputs. */
export type RunGraph = (outputs: readonly Tensor[], known: ReadonlyMap<Tensor, EngineBuffer>) => Promise<readonly EngineBuffer[]>;

export interface StagedRun {
  readonly engine: Engine;
  readonly targets: readonly Tensor[];
  readonly run: RunGraph;
  /** The elements of a tensor that no op computes. */
  readonly read: (leaf: Tensor) => Promise<HostArray>;
  readonly signal: AbortSignal | undefined;
}

/** Realise `targets` stage by stage. Only they let go of their history; results of host ops stay with their nodes. */
export async function runStages(plan: Plan, { engine, targets, run, read, signal }: StagedRun): Promise<void> {
  const known = new Map<Tensor, EngineBuffer>();
  const given = new Map<Tensor, HostArray>();
  const settle = async (node: OpNode, results: readonly HostArray[]): Promise<void> => {
    for (const [i, tensor] of node.outputs.entries()) {
      given.set(tensor, results[i]!);
      if (plan.fed.has(tensor)) known.set(tensor, await engine.upload(results[i]!, tensor));
    }
  };
  const elements = async (tensor: Tensor): Promise<HostArray> => {
    const buffer = known.get(tensor);
    return given.get(tensor)?.slice() ?? (buffer ? engine.download(buffer) : read(tensor));
  };
  try {
    for (const node of plan.settled) await settle(node, hostResults(node)!);
    for (const { outputs, calls } of plan.stages) {
      signal?.throwIfAborted();
      const buffers = outputs.length > 0 ? await run(outputs, known) : [];
      outputs.forEach((tensor, i) => known.set(tensor, buffers[i]!));
      for (const node of calls) {
        signal?.throwIfAborted();
        await settle(node, await runHostOp(node, () => Promise.all(node.inputs.map(elements)), signal));
      }
    }
    for (const tensor of targets) {
      const data = given.get(tensor);
      const buffer = known.get(tensor);
      known.delete(tensor);
      if (!data) Tensor.setSource(tensor, { kind: 'buffer', engine, buffer: buffer! });
      else Tensor.setSource(tensor, { kind: 'host', data, ...(buffer ? { uploaded: { engine, buffer } } : {}) });
    }
  } finally {
    for (const buffer of known.values()) buffer.dispose();
  }
}
