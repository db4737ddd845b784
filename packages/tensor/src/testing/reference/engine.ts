import {
  allocateHost,
  fromBfloat16Bits,
  fromFloat16Bits,
  hostFromNumbers,
  isFloating,
  numbersFromHost,
  toBfloat16Bits,
  toFloat16Bits,
  type DType,
  type HostArray,
} from '../../dtype.ts';
import type { Engine, EngineBuffer, Executable } from '../../engine/engine.ts';
import { UnsupportedError, UserError } from '../../errors.ts';
import { isFileSlice, type Graph, type GraphNode, type ValueId, type ValueInfo } from '../../graph/graph.ts';
import type { PrimitiveName } from '../../graph/primitives.ts';
import { sameShape, showShape, sizeOf } from '../../shape.ts';
import { elementwise } from './elementwise.ts';
import type { Elements, Kernel, Kernels } from './elements.ts';
import { indexing } from './indexing.ts';
import { linear } from './linear.ts';
import { reductions } from './reduce.ts';
import { shaping } from './shaping.ts';

/** One plain loop for each primitive; the type makes a missing one a compile error. */
const kernels: Kernels<PrimitiveName> = { ...elementwise, ...reductions, ...shaping, ...indexing, ...linear };

export interface ReferenceOptions {
  /**
   * `float32` rounds the result of each primitive to its dtype, as a real engine does. `float64` keeps float32 values in float64 until
   * `download`; narrower ones are rounded after each primitive, because what a float16 graph computes is mostly its rounding. `unrounded`
   * keeps those in float64 as well: what the conformance kit compares with, and takes difference quotients of. @default 'float64'
   */
  readonly precision?: Precision;
}

type Precision = 'unrounded' | 'float64' | 'float32';

/** The reference engine, with access to values that no dtype rounds. */
export interface ReferenceEngine extends Engine {
  /** The float64 values of a buffer: a copy. */
  readonly exact: (buffer: EngineBuffer) => Float64Array;
  /** A buffer that holds float64 values as they are. */
  readonly uploadExact: (values: ArrayLike<number>, info: ValueInfo) => EngineBuffer;
}

class ReferenceBuffer implements EngineBuffer {
  readonly shape: Elements['shape'];
  readonly dtype: DType;
  #values: Float64Array | undefined;

  constructor({ shape, dtype }: ValueInfo, values: Float64Array) {
    this.shape = shape;
    this.dtype = dtype;
    this.#values = values;
  }

  get values(): Float64Array {
    if (!this.#values)
      throw new UserError(`[tensor/reference] buffer was disposed of: ${this.dtype}${showShape(this.shape)}. Keep it until its last use.`);
    return this.#values;
  }

  dispose(): void {
    this.#values = undefined;
  }
}

function asReference(buffer: EngineBuffer): ReferenceBuffer {
  if (buffer instanceof ReferenceBuffer) return buffer;
  throw new UserError(
    `[tensor/reference] buffer belongs to another engine: ${buffer.dtype}${showShape(buffer.shape)}. Download it there and upload it here.`,
  );
}

/** How results of a dtype are stored: integers wrap around, floats round when the precision asks for it. */
function storing(dtype: DType, precision: Precision): ((value: number) => number) | undefined {
  if (dtype === 'int32') return (v) => v | 0;
  if (dtype === 'uint8') return (v) => v & 255;
  if (!isFloating(dtype) || precision === 'unrounded') return undefined;
  if (dtype === 'float16') return (v) => fromFloat16Bits(toFloat16Bits(v));
  if (dtype === 'bfloat16') return (v) => fromBfloat16Bits(toBfloat16Bits(v));
  return precision === 'float32' ? Math.fround : undefined;
}

function fromHost(data: HostArray, dtype: DType): Float64Array {
  const values = Float64Array.from(numbersFromHost(dtype, data));
  if (dtype === 'int64' && values.some((v) => !Number.isSafeInteger(v))) {
    throw new UnsupportedError(
      '[tensor/reference] int64 value is beyond 2^53, which the reference engine cannot hold. Use another engine.',
    );
  }
  return values;
}

function toHost(values: Float64Array, dtype: DType): HostArray {
  if (values.length === 0) return allocateHost(dtype, 0);
  return hostFromNumbers(dtype, values);
}

interface Run {
  readonly values: readonly ValueInfo[];
  readonly known: Map<ValueId, Elements>;
  readonly precision: Precision;
}

function runNode(node: GraphNode, { values, known, precision }: Run): void {
  const kernel = kernels[node.op as PrimitiveName] as Kernel<PrimitiveName> | undefined;
  if (!kernel)
    throw new UnsupportedError(`[tensor/reference] op is not a primitive: op=${node.op}. Expand it first: the engine lists no composites.`);
  const outputs = node.outputs.map((id): Elements => ({ ...values[id]!, values: new Float64Array(sizeOf(values[id]!.shape)) }));
  kernel({ params: node.params as never, inputs: node.inputs.map((id) => known.get(id)!), outputs });
  node.outputs.forEach((id, i) => {
    const output = outputs[i]!;
    const store = storing(output.dtype, precision);
    if (store) output.values.forEach((v, j) => (output.values[j] = store(v)));
    known.set(id, output);
  });
}

async function compile(graph: Graph, precision: Precision): Promise<Executable> {
  const constants = new Map<ValueId, Elements>();
  for (const { value, data } of graph.constants) {
    const info = graph.values[value]!;
    constants.set(value, { ...info, values: fromHost(isFileSlice(data) ? await data.read() : data, info.dtype) });
  }
  return {
    run: async (inputs, options = {}) => {
      if (inputs.length !== graph.inputs.length) {
        throw new UserError(
          `[tensor/reference] wrong number of inputs: given=${inputs.length}, expected=${graph.inputs.length}. Give one buffer for `
            + 'each graph input.',
        );
      }
      const known = new Map(constants);
      graph.inputs.forEach((id, i) => {
        const info = graph.values[id]!;
        const buffer = asReference(inputs[i]!);
        if (buffer.dtype !== info.dtype || !sameShape(buffer.shape, info.shape)) {
          throw new UserError(
            `[tensor/reference] input does not fit: inputs[${i}]=${buffer.dtype}${showShape(buffer.shape)}, expected `
              + `${info.dtype}${showShape(info.shape)}. Compile for the new shape.`,
          );
        }
        known.set(id, { ...info, values: buffer.values });
      });
      for (const node of graph.nodes) runNode(node, { values: graph.values, known, precision });
      // Buffers offered for the results are not needed: give them up, as the contract allows.
      options.outputs?.forEach((buffer) => buffer?.dispose());
      return graph.outputs.map((id) => new ReferenceBuffer(graph.values[id]!, known.get(id)!.values.slice()));
    },
    dispose: async () => constants.clear(),
  };
}

/**
 * An engine that interprets every primitive by the plainest loop, in float64: what other engines are compared with. Slow; it holds
 * int64 up to 2^53 and refuses larger values.
 *
 * @example
 * const engine = referenceEngine();
 * await numbers(add(tensor([1, 2]), 1), { engine }); // => [2, 3]
 */
export function referenceEngine(options: ReferenceOptions = {}): ReferenceEngine {
  const precision = options.precision ?? 'float64';
  return {
    name: 'reference',
    device: precision,
    composites: new Set(),
    compile: (graph) => compile(graph, precision),
    upload: async (data, info) => new ReferenceBuffer(info, fromHost(data, info.dtype)),
    download: async (buffer) => toHost(asReference(buffer).values, buffer.dtype),
    exact: (buffer) => asReference(buffer).values.slice(),
    uploadExact: (values, info) => new ReferenceBuffer(info, Float64Array.from(values)),
    dispose: async () => undefined,
  };
}
