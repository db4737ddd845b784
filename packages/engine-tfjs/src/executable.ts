import {
  checkConstantIndices,
  checkIndices,
  errorKind,
  indexUses,
  InternalError,
  isFileSlice,
  sameShape,
  showShape,
  UnsupportedError,
  UserError,
} from '@langevin/tensor';
import type { EngineBuffer, Executable, Graph, HostArray, IndexUse, RunOptions, ValueId, ValueInfo } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { onBackend } from './backend-scope.ts';
import { TfjsBuffer, asTfjsBuffer } from './buffer.ts';
import { runOnEmpty } from './kernels/empty.ts';
import { missingKernel, prepare } from './program.ts';
import type { Step } from './program.ts';
import { storageOf, toStorage } from './storage.ts';

/** A tensor that no enclosing tidy scope of the caller can free. */
export function makeTensor(data: HostArray, { shape, dtype }: ValueInfo): Tensor {
  return tf.keep(tf.tensor(toStorage(dtype, data), [...shape], storageOf(dtype, 'upload')));
}

/** Constants of executables that nobody disposed of: compiled functions that were dropped. */
const forgotten = new FinalizationRegistry<Map<ValueId, Tensor>>(free);

function free(constants: Map<ValueId, Tensor>): void {
  constants.forEach((tensor) => tensor.dispose());
  constants.clear();
}

/** Compile a graph into a list of steps over one backend. */
export async function compileGraph(graph: Graph, backend: string): Promise<Executable> {
  checkConstantIndices(graph);
  const steps = prepare(graph, backend);
  const indices = indexUses(graph);
  const data = await Promise.all(graph.constants.map(({ data }) => (isFileSlice(data) ? data.read() : data)));
  const constants = onBackend(
    backend,
    () => new Map(graph.constants.map(({ value }, i): [ValueId, Tensor] => [value, makeTensor(data[i]!, graph.values[value]!)])),
  );
  let disposed = false;
  const executable: Executable = {
    // Everything runs before the first await, so that two runs never interleave on TensorFlow.js' global state.
    run: async (inputs, options) => {
      if (disposed) throw new UserError(`[engine-tfjs/run] executable was disposed of: graph=${graph.key}. Compile the graph again.`);
      const buffers = checkedInputs(graph, inputs, backend);
      checkUploaded(graph, indices, buffers);
      const tensors = buffers.map(({ tensor }) => tensor);
      const results = onBackend(backend, () => execute(graph, steps, { constants, inputs: tensors }));
      releaseOffered(options);
      return results.map((tensor, i) => new TfjsBuffer(tensor, graph.values[graph.outputs[i]!]!, { backend }));
    },
    dispose: async () => {
      disposed = true;
      forgotten.unregister(executable);
      free(constants);
    },
  };
  forgotten.register(executable, constants, executable);
  return executable;
}

/** Indices that came from the host: what is computed is checked by the kernels, where that costs nothing. */
function checkUploaded(graph: Graph, uses: readonly IndexUse[], inputs: readonly TfjsBuffer[]): void {
  for (const use of uses) {
    const range = inputs[graph.inputs.indexOf(use.value)]?.range;
    if (range) checkIndices(use, [range.low, range.high]);
  }
}

/** TensorFlow.js cannot write into a tensor, so buffers offered for the results are given up. */
function releaseOffered(options: RunOptions | undefined): void {
  options?.outputs?.forEach((buffer) => buffer?.dispose());
}

function checkedInputs(graph: Graph, inputs: readonly EngineBuffer[], backend: string): readonly TfjsBuffer[] {
  if (inputs.length !== graph.inputs.length) {
    throw new UserError(
      `[engine-tfjs/run] wrong number of inputs: given=${inputs.length}, expected=${graph.inputs.length}. Give one buffer per graph input.`,
    );
  }
  return inputs.map((buffer, i) => {
    const expected = graph.values[graph.inputs[i]!]!;
    if (buffer.dtype !== expected.dtype || !sameShape(buffer.shape, expected.shape)) {
      throw new UserError(
        `[engine-tfjs/run] input does not fit the graph: inputs[${i}]=${buffer.dtype} ${showShape(buffer.shape)}, expected `
          + `${expected.dtype} ${showShape(expected.shape)}. Compile for the new shape.`,
      );
    }
    return asTfjsBuffer(buffer, backend);
  });
}

/** What the nodes of a graph begin with. */
interface Operands {
  readonly constants: ReadonlyMap<ValueId, Tensor>;
  readonly inputs: readonly Tensor[];
}

/** Run all steps, freeing each value after its last use; results belong to the caller. */
function execute(graph: Graph, steps: readonly Step[], { constants, inputs }: Operands): Tensor[] {
  const live = new Map<ValueId, Tensor>(constants);
  graph.inputs.forEach((value, i) => live.set(value, inputs[i]!));
  const owned = new Set<Tensor>();
  try {
    for (const step of steps) {
      const results = runStep(
        step,
        step.inputs.map((value) => live.get(value)!),
      );
      step.outputs.forEach((value, i) => {
        live.set(value, results[i]!);
        owned.add(results[i]!);
      });
      for (const value of step.dead) {
        const tensor = live.get(value)!;
        owned.delete(tensor);
        tensor.dispose();
        live.delete(value);
      }
    }
    // A clone shares the data: an output may also be an input, a constant, or named twice.
    return graph.outputs.map((value) => tf.keep(tf.clone(live.get(value)!)));
  } finally {
    owned.forEach((tensor) => tensor.dispose());
  }
}

function runStep(step: Step, inputs: readonly Tensor[]): readonly Tensor[] {
  try {
    const scoped = tf.tidy(() => {
      const results = runOnEmpty(step, inputs) ?? step.run(inputs);
      const list = Array.isArray(results) ? (results as readonly Tensor[]) : [results as Tensor];
      return list.map((tensor) => tf.keep(inputs.includes(tensor) ? tf.clone(tensor) : tensor));
    });
    scoped.forEach((tensor, i) => checkResult(step, tensor, step.outputInfo[i]!));
    return scoped;
  } catch (error) {
    throw errorKind(error) ? error : translate(step, error);
  }
}

function checkResult(step: Step, tensor: Tensor, { shape, dtype }: ValueInfo): void {
  if (sameShape(tensor.shape, shape) && tensor.dtype === storageOf(dtype, 'run')) return;
  throw new InternalError(
    `[engine-tfjs/run] kernel returned another type: op="${step.op}", result=${tensor.dtype} ${showShape(tensor.shape)}, expected `
      + `${dtype} ${showShape(shape)}.`,
  );
}

function translate(step: Step, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  const missing = /Kernel '([^']+)' not registered for backend '([^']+)'/.exec(message);
  if (missing) return missingKernel(step.op, [missing[1]!], missing[2]!);
  // Native TensorFlow's UNIMPLEMENTED: a kernel is there, but not for this geometry or type.
  if (message.includes('TF_Status: 12')) {
    return new UnsupportedError(
      `[engine-tfjs/run] TensorFlow cannot do this: op="${step.op}", ${message}. Use tfjsEngine with backend "wasm", or `
        + '@langevin/engine-onnxruntime.',
      { cause: error },
    );
  }
  if (/Aborted|memory access out of bounds|allocation failed|out of memory/i.test(message)) {
    return new UnsupportedError(
      `[engine-tfjs/run] out of memory: op="${step.op}". WebAssembly has 4 GiB for everything, a GPU what it has. Use a smaller batch or `
        + 'shape, or @langevin/engine-onnxruntime in Node.',
      { cause: error },
    );
  }
  return new InternalError(`[engine-tfjs/run] kernel failed: op="${step.op}", ${message}.`, { cause: error });
}
