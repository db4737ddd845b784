import type { Graph, GraphConstant, HostArray } from '@langevin/tensor';
import { isFileSlice } from '@langevin/tensor';
import { widened } from './engine/constants.ts';
import { lowerGraph } from './lowering/lower-graph.ts';
import type { Contrib } from './lowering/scope.ts';
import { encodeModel } from './onnx/proto.ts';
import { bytesOf } from './runtime/runtime.ts';

export interface GraphToOnnxOptions {
  /** `allow` lets `com.microsoft` ops in, which only ONNX Runtime knows. @default 'never' */
  readonly contrib?: Contrib;
  /** One name for each graph input. @default input_<value> */
  readonly inputNames?: readonly string[];
  /** One name for each graph output. @default the name of the node that computes it */
  readonly outputNames?: readonly string[];
}

/**
 * A graph as an ONNX file (opset 21): inputs, outputs and order are those of the graph, and all constants are inside.
 * bfloat16 values appear as float32.
 *
 * @example
 * import { writeFile } from 'node:fs/promises';
 * const graph = traceGraph((x) => exp(x!), [{ shape: [1, 2], dtype: 'float32' }]);
 * await writeFile('model.onnx', await graphToOnnx(graph, { inputNames: ['x'], outputNames: ['y'] }));
 */
export async function graphToOnnx(graph: Graph, options: GraphToOnnxOptions = {}): Promise<Uint8Array> {
  const { contrib = 'never', ...names } = options;
  const contents = new Map<GraphConstant, HostArray>();
  for (const constant of graph.constants) {
    const data = isFileSlice(constant.data) ? await constant.data.read() : constant.data;
    contents.set(constant, graph.values[constant.value]!.dtype === 'bfloat16' ? widened(data) : data);
  }
  const { model } = lowerGraph(graph, { contrib, place: (constant) => bytesOf(contents.get(constant)!), ...names });
  return encodeModel(model);
}
