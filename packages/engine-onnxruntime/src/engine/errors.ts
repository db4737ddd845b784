import type { Graph, GraphNode } from '@langevin/tensor';
import { errorKind, indexOutOfRange, indexUses, InternalError, showShape, UnsupportedError } from '@langevin/tensor';

/** What the engine was at when the runtime failed. */
export interface Occasion {
  readonly graph: Graph;
  readonly device: string;
  readonly doing: 'compiling' | 'running';
}

/** Turn a failure of ONNX Runtime into one of ours that names the op of the graph, its operands and the device. */
export function explainRuntimeError(error: unknown, { graph, device, doing }: Occasion): Error {
  if (errorKind(error) !== undefined) return error as Error;
  const message = error instanceof Error ? error.message : String(error);
  const node = namedNode(message, graph);
  const where = `[engine-onnxruntime] ${doing} failed on ${device}`;
  const what = node === undefined ? `${graph.nodes.length} nodes` : describeNode(node, graph);
  const badIndex = indexError(message, graph, node);
  if (badIndex) return badIndex;
  if (/NOT_IMPLEMENTED|Could not find an implementation|not supported|no kernel/i.test(message)) {
    return new UnsupportedError(`${where}: ${what}. ONNX Runtime has no kernel for it there; cast to float32, or use device: 'cpu'.`, {
      cause: error,
    });
  }
  if (/requires f16 but the device does not support it/.test(message)) {
    return new UnsupportedError(`${where}: ${what}. This adapter has no 16-bit arithmetic (shader-f16); cast to float32.`, {
      cause: error,
    });
  }
  // WebAssembly counts bytes in 32 bits: sizes beyond overflow there.
  const isSmallMemory = device === 'wasm' && /SafeInt|Integer overflow|memory access out of bounds|Aborted/i.test(message);
  if (isSmallMemory || /bad_alloc|Failed to allocate|allocation failed|out of memory|OutOfMemory/i.test(message)) {
    const limit = device === 'wasm' ? 'WebAssembly has 4 GiB for everything. ' : '';
    return new UnsupportedError(`${where}: out of memory at ${what}. ${limit}Use a smaller batch or shape, or checkpoint().`, {
      cause: error,
    });
  }
  return new InternalError(`${where}: ${what}. ONNX Runtime says: ${message.split('\n')[0]}`, { cause: error });
}

/** What a kernel says of an index beyond its axis; those below zero come to it as the unsigned numbers of the same bits. */
function indexError(message: string, graph: Graph, node: GraphNode | undefined): Error | undefined {
  if (!/out of data bounds|Index out of range|Out of range value in index tensor/.test(message)) return undefined;
  const uses = indexUses(graph);
  const use = uses.find(({ node: reader }) => reader === node) ?? uses[0];
  if (!use) return undefined;
  const found = /idx=(\d+)/.exec(message);
  return indexOutOfRange({ ...use, index: found ? Number(found[1]) | 0 : undefined });
}

/** ONNX nodes are named `op_valueId`, with a suffix for the second and later ones of one op. */
function namedNode(message: string, graph: Graph): GraphNode | undefined {
  const found = /\b([a-zA-Z]+)_(\d+)(?:\.\d+)?\b/g;
  for (const [, op, id] of message.matchAll(found)) {
    const node = graph.nodes.find((candidate) => candidate.op === op && candidate.outputs[0] === Number(id));
    if (node) return node;
  }
  return undefined;
}

function describeNode(node: GraphNode, graph: Graph): string {
  const operands = node.inputs.map((value) => `${graph.values[value]!.dtype}${showShape(graph.values[value]!.shape)}`);
  return `op=${node.op} (value ${node.outputs[0]}), operands=${operands.join(', ')}`;
}
