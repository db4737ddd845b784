import type { Graph, GraphConstant, HostArray } from '@langevin/tensor';
import { InternalError, isFileSlice, itemSize, sizeOf } from '@langevin/tensor';
import { widened } from './engine/constants.ts';
import { lowerGraph } from './lowering/lower-graph.ts';
import type { Contrib } from './lowering/scope.ts';
import type { OnnxTensor } from './onnx/model.ts';
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

export interface OnnxFiles {
  /** The model, which names the file of its data. */
  readonly model: Uint8Array;
  /** What goes into that file, constant by constant; of weights that lie in files one is in memory at a time. */
  readonly data: () => AsyncGenerator<Uint8Array, void>;
}

/** Constants up to this many bytes stay in the model. */
const EMBEDDED_BYTES = 1024;
/** Where runtimes map a file, its tensors begin at whole cache lines. */
const ALIGNMENT = 64;

/**
 * A graph as an ONNX file and a file of its constants beside it, as models of more than 2 GB have to be: protobuf ends there.
 *
 * @param location the name of the file of constants, as the model is to call it
 * @example
 * import { writeFile } from 'node:fs/promises';
 * const graph = traceGraph((x) => matmul(x!, ones([64, 64])), [{ shape: [1, 64], dtype: 'float32' }]);
 * const { model, data } = await graphToOnnxFiles(graph, { location: 'model.onnx_data' });
 * await writeFile('model.onnx', model);
 * await writeFile('model.onnx_data', data());
 */
export async function graphToOnnxFiles(graph: Graph, options: GraphToOnnxOptions & { readonly location: string }): Promise<OnnxFiles> {
  const { contrib = 'never', location, ...names } = options;
  const contentOf = async ({ value, data }: GraphConstant): Promise<Uint8Array> => {
    const content = isFileSlice(data) ? await data.read() : data;
    return bytesOf(graph.values[value]!.dtype === 'bfloat16' ? widened(content) : content);
  };
  const places = new Map<GraphConstant, OnnxTensor['data']>();
  const beside: { readonly constant: GraphConstant; readonly offset: number; readonly byteLength: number }[] = [];
  let end = 0;
  for (const constant of graph.constants) {
    const { dtype, shape } = graph.values[constant.value]!;
    const byteLength = sizeOf(shape) * (dtype === 'bfloat16' ? 4 : itemSize(dtype));
    if (byteLength <= EMBEDDED_BYTES) {
      places.set(constant, await contentOf(constant));
      continue;
    }
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    beside.push({ constant, offset, byteLength });
    places.set(constant, { location, offset, byteLength });
    end = offset + byteLength;
  }
  const { model } = lowerGraph(graph, { contrib, place: (constant) => places.get(constant)!, ...names });
  return {
    model: encodeModel(model),
    data: async function* () {
      let at = 0;
      for (const { constant, offset, byteLength } of beside) {
        if (offset > at) yield new Uint8Array(offset - at);
        const bytes = await contentOf(constant);
        if (bytes.byteLength !== byteLength)
          throw new InternalError(
            `[engine-onnxruntime/export] constant has another size: bytes=${bytes.byteLength}, wanted ${byteLength}.`,
          );
        yield bytes;
        at = offset + byteLength;
      }
    },
  };
}
