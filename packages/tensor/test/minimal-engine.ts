import {
  isFileSlice,
  sameShape,
  UnsupportedError,
  type Engine,
  type EngineBuffer,
  type Graph,
  type GraphNode,
  type HostArray,
  type PrimitiveName,
  type ValueId,
  type ValueInfo,
} from '@langevin/tensor';

interface Buffer extends EngineBuffer {
  readonly values: Float32Array;
}

type Kernel = (inputs: readonly Buffer[], out: ValueInfo) => Float32Array;

const elementwise =
  (f: (...x: number[]) => number): Kernel =>
  (inputs, out) => {
    if (!inputs.every(({ shape }) => sameShape(shape, out.shape)))
      throw new UnsupportedError('[minimal] operands broadcast. Use another engine.');
    return inputs[0]!.values.map((_, i) => f(...inputs.map(({ values }) => values[i]!)));
  };

/** A complete engine types this `{ [Op in PrimitiveName]: Kernel<Op> }`: then a primitive that is added is a compile error here. */
const kernels: Partial<Record<PrimitiveName, Kernel>> = {
  neg: elementwise((x) => -x),
  exp: elementwise(Math.exp),
  add: elementwise((a, b) => a + b),
  mul: elementwise((a, b) => a * b),
  reshape: ([x]) => x!.values.slice(),
};

function bufferOf({ shape, dtype }: ValueInfo, values: Float32Array): Buffer {
  return { shape, dtype, values, dispose: () => undefined };
}

function toBuffer(info: ValueInfo, data: HostArray): Buffer {
  if (!(data instanceof Float32Array)) throw new UnsupportedError(`[minimal] dtype is not float32: dtype=${info.dtype}. cast() it.`);
  return bufferOf(info, data.slice());
}

function kernelOf({ op }: GraphNode): Kernel {
  const kernel = kernels[op as PrimitiveName];
  if (!kernel) throw new UnsupportedError(`[minimal] op has no kernel: op=${op}. Use another engine.`);
  return kernel;
}

/** Elementwise float32 on the host: the least that is an engine. */
export function minimalEngine(): Engine {
  return {
    name: 'minimal',
    device: 'cpu',
    composites: new Set(), // everything reaches us as primitives
    compile: async (graph: Graph) => {
      const kernel = graph.nodes.map(kernelOf); // what is missing is said now, not when running
      const data = await Promise.all(graph.constants.map(({ data }) => (isFileSlice(data) ? data.read() : data)));
      const constants = graph.constants.map(({ value }, i) => [value, toBuffer(graph.values[value]!, data[i]!)] as const);
      return {
        run: async (inputs, options) => {
          const known = new Map<ValueId, Buffer>(constants);
          graph.inputs.forEach((id, i) => known.set(id, inputs[i] as Buffer));
          graph.nodes.forEach((node, i) => {
            const info = graph.values[node.outputs[0]!]!;
            known.set(
              node.outputs[0]!,
              bufferOf(
                info,
                kernel[i]!(
                  node.inputs.map((id) => known.get(id)!),
                  info,
                ),
              ),
            );
          });
          options?.outputs?.forEach((offered) => offered?.dispose()); // we cannot write into it
          return graph.outputs.map((id) => bufferOf(graph.values[id]!, known.get(id)!.values.slice())); // storage of its own
        },
        dispose: async () => undefined,
      };
    },
    upload: async (data, info) => toBuffer(info, data),
    download: async (buffer) => (buffer as Buffer).values.slice(),
    dispose: async () => undefined,
  };
}
