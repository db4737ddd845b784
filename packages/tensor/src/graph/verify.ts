import { InternalError } from '../errors.ts';
import { definitions } from '../ops/definitions.ts';
import { sameShape, showShape, sizeOf } from '../shape.ts';
import { isFileSlice, type Graph, type GraphNode, type ValueId, type ValueInfo } from './graph.ts';
import type { OpDefinition } from './node.ts';

function inferred({ op, inputs, params }: GraphNode, graph: Graph): readonly ValueInfo[] {
  const definition = definitions[op] as OpDefinition | undefined;
  if (!definition) throw new InternalError(`[tensor/verify] op is unknown: op=${op}.`);
  try {
    return definition.infer(
      inputs.map((id) => graph.values[id]!),
      params as never,
    );
  } catch (error) {
    throw new InternalError(`[tensor/verify] ${op} does not accept its inputs ${inputs.map((id) => `%${id}`).join(' ')}.`, {
      cause: error,
    });
  }
}

/**
 * Check that a graph is well formed: each value defined once and before its use, shapes and dtypes those that the ops' rules give.
 *
 * @throws InternalError naming the first offending value
 */
export function verifyGraph(graph: Graph): void {
  const defined = new Set<ValueId>();
  const define = (id: ValueId, by: string): void => {
    if (graph.values[id] === undefined) throw new InternalError(`[tensor/verify] ${by} defines an unknown value: %${id}.`);
    if (defined.has(id)) throw new InternalError(`[tensor/verify] value is defined twice: %${id}, again by ${by}.`);
    defined.add(id);
  };
  const use = (id: ValueId, by: string): void => {
    if (!defined.has(id)) throw new InternalError(`[tensor/verify] ${by} uses a value before its definition: %${id}.`);
  };
  graph.inputs.forEach((id) => define(id, 'input'));
  for (const { value, data } of graph.constants) {
    define(value, 'constant');
    const size = sizeOf(graph.values[value]!.shape);
    if (!isFileSlice(data) && data.length !== size)
      throw new InternalError(`[tensor/verify] constant %${value} has ${data.length} elements, its shape ${size}.`);
  }
  for (const node of graph.nodes) {
    node.inputs.forEach((id) => use(id, node.op));
    if (node.op !== 'checkpoint') {
      const expected = inferred(node, graph);
      if (node.outputs.length !== expected.length)
        throw new InternalError(`[tensor/verify] ${node.op} has ${node.outputs.length} outputs, its rule gives ${expected.length}.`);
      node.outputs.forEach((id, i) => {
        const found = graph.values[id]!;
        const wanted = expected[i];
        if (!wanted || !sameShape(wanted.shape, found.shape) || wanted.dtype !== found.dtype) {
          throw new InternalError(
            `[tensor/verify] ${node.op} gives ${wanted?.dtype}${showShape(wanted?.shape ?? [])}, but %${id} is `
              + `${found.dtype}${showShape(found.shape)}.`,
          );
        }
      });
    }
    node.outputs.forEach((id) => define(id, node.op));
  }
  graph.outputs.forEach((id) => use(id, 'return'));
}
