import { showShape } from '../shape.ts';
import { isFileSlice, type Graph, type ValueId } from './graph.ts';

/**
 * A graph as readable text, one line a value: `%3: float32[2, 4] = matmul %0 %1 {transposeB: true}`.
 */
export function printGraph(graph: Graph): string {
  const typed = (id: ValueId): string => `%${id}: ${graph.values[id]!.dtype}${showShape(graph.values[id]!.shape)}`;
  const lines = [
    ...graph.inputs.map((id) => `${typed(id)} = input`),
    ...graph.constants.map(({ value, data }) => `${typed(value)} = constant ${isFileSlice(data) ? data.path : preview(data)}`),
    ...graph.nodes.map(({ op, params, inputs, outputs }) => {
      const settings = Object.entries(params).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
      const braces = settings.length === 0 ? '' : ` {${settings.join(', ')}}`;
      return `${outputs.map(typed).join(', ')} = ${op} ${inputs.map((id) => `%${id}`).join(' ')}${braces}`;
    }),
    `return ${graph.outputs.map((id) => `%${id}`).join(' ')}`,
  ];
  return lines.join('\n');
}

function preview(data: ArrayLike<number | bigint>): string {
  const shown = Array.from({ length: Math.min(data.length, 4) }, (_, i) => String(data[i]));
  return `[${shown.join(', ')}${data.length > 4 ? `, ... ${data.length} elements` : ''}]`;
}
