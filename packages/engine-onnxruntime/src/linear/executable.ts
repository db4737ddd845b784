import type { EngineBuffer, Executable, Graph, RunOptions, SumStep, ValueId } from '@langevin/tensor';
import { InternalError, sizeOf, weightedSum } from '@langevin/tensor';
import { checkFits } from '../engine/fits.ts';
import { emptyTensor, HostBuffer, hostBuffer } from '../engine/host-buffer.ts';
import type { HostPool } from '../engine/host-pool.ts';
import type { Ort } from '../runtime/ort.ts';
import type { Factor, LinearPlan } from './plan.ts';

export interface LinearContext {
  readonly ort: Ort;
  readonly pool: HostPool;
}

/**
 * Linear combinations of tensors in host memory without the runtime, to the same bits: a run of a session costs as much as the arithmetic
 * of a state, writes every product to memory and copies its results.
 */
export class LinearExecutable implements Executable {
  readonly #graph: Graph;
  readonly #plan: LinearPlan;
  readonly #context: LinearContext;
  readonly #constants: ReadonlyMap<ValueId, Float32Array>;
  #disposed = false;

  constructor(graph: Graph, plan: LinearPlan, context: LinearContext) {
    this.#graph = graph;
    this.#plan = plan;
    this.#context = context;
    this.#constants = new Map(graph.constants.map(({ value, data }) => [value, data as Float32Array]));
  }

  async run(inputs: readonly EngineBuffer[], options: RunOptions = {}): Promise<readonly EngineBuffer[]> {
    if (this.#disposed) throw new InternalError('[engine-onnxruntime] executable was disposed before this run.');
    const { inputs: ids, outputs, values } = this.#graph;
    const data = new Map(this.#constants);
    ids.forEach((id, i) =>
      data.set(id, hostBuffer(checkFits(inputs[i], values[id]!, { role: 'input', index: i })).tensor.data as Float32Array),
    );
    const buffers = outputs.map((id, i) => {
      const offered = options.outputs?.[i];
      const info = values[id]!;
      return offered
        ? hostBuffer(checkFits(offered, info, { role: 'output', index: i }))
        : new HostBuffer(info, this.#context.pool.take(info) ?? emptyTensor(this.#context.ort, info), this.#context.pool);
    });
    outputs.forEach((id, i) => data.set(id, buffers[i]!.tensor.data as Float32Array));
    for (const { value, steps } of this.#plan.results) {
      this.#compute(data.get(value)!, (item) =>
        steps.map((step) => ({
          keep: numberOf(step.keep, data, item),
          factor: numberOf(step.factor, data, item),
          value: data.get(step.value)!,
        })),
      );
    }
    return buffers;
  }

  #compute(out: Float32Array, stepsOf: (item: number) => readonly SumStep[]): void {
    if (!this.#plan.byItem) return weightedSum(out, stepsOf(0));
    const items = this.#plan.shape[0]!;
    const size = sizeOf(this.#plan.shape) / items;
    for (let item = 0; item < items; item++) {
      const part = (array: Float32Array): Float32Array => array.subarray(item * size, (item + 1) * size);
      weightedSum(
        part(out),
        stepsOf(item).map((step) => ({ ...step, value: part(step.value) })),
      );
    }
  }

  dispose(): Promise<void> {
    this.#disposed = true;
    return Promise.resolve();
  }
}

function numberOf({ sign, value }: Factor, data: ReadonlyMap<ValueId, Float32Array>, item: number): number {
  if (value === undefined) return sign;
  const numbers = data.get(value)!;
  return sign * numbers[numbers.length === 1 ? 0 : item]!;
}
