import { InternalError } from '../errors.ts';
import { definitions } from '../ops/definitions.ts';
import { sameShape, showShape, sizeOf } from '../shape.ts';
import { isFileSlice, type Graph, type ValueId } from './graph.ts';
import type { OpDefinition } from './node.ts';

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
    if (!isFileSlice(data) && data.length !== size) throw new InternalError(`[tensor/verify] constant %${value} has ${data.length} elements, its shape ${size}.`);
  }
  for (const node of graph.nodes) {
    node.inputs.forEach((id) => use(id, node.op));
    if (node.op !== 'checkpoint') {
      const definition = definitions[node.op] as OpDefinition;
      const expected = definition.infer(node.inputs.map((id) => graph.values[id]!), node.params as never);
      node.outputs.forEach((id, i) => {
        const found = graph.values[id]!;
        const wanted = expected[i];
        if (!wanted || !sameShape(wanted.shape, found.shape) || wanted.dtype !== found.dtype) {
          throw new InternalError(`[tensor/verify] ${node.op} gives ${wanted?.dtype}${showShape(wanted?.shape ?? [])}, but %${id} is ${found.dtype}${showShape(found.shape)}.`);
        }
      });
    }
    node.outputs.forEach((id) => define(id, node.op));
  }
  graph.outputs.forEach((id) => use(id, 'return'));
}
