import { hostFromNumbers, type DType } from '../../dtype.ts';
import type { Graph, GraphConstant, GraphNode, ValueId, ValueInfo } from '../../graph/graph.ts';
import type { OpName } from '../../graph/primitives.ts';
import { sizeOf } from '../../shape.ts';
import type { Result } from '../program.ts';
import type { ReferenceEngine } from '../reference/engine.ts';
import { unitRoundoff } from '../tolerance.ts';
import { mixed } from './spec.ts';

/** Roundings of an op's result that a good implementation may be off by; ops that are not here move, compare or choose, exactly. */
const ROUNDINGS: { readonly [Op in OpName]?: number } = {
  add: 1,
  sub: 1,
  mul: 1,
  div: 1,
  sqrt: 1,
  sum: 4,
  cumsum: 4,
  matmul: 4,
  conv: 4,
  convInputGrad: 4,
  convWeightGrad: 4,
  scatterAdd: 4,
  scatterElementsAdd: 4,
  exp: 4,
  log: 4,
  sin: 4,
  cos: 4,
  atan: 4,
  tanh: 4,
  sigmoid: 4,
  erf: 4,
  pow: 4,
  softmax: 8,
  normalize: 8,
};

const FLOATS: ReadonlySet<DType> = new Set<DType>(['float32', 'float16', 'bfloat16']);

/**
 * The same graph with every result of arithmetic moved up or down by its rounding, by chance: what comes out of several of these tells
 * how much rounding matters (stochastic arithmetic, Vignes 1978). It sees cancellation inside of a graph, and jumps. The first two
 * samples move everything up and everything down, so that no jump nearby is missed. In the first one zeros have no sign: which one a sum,
 * a maximum or a choice passes on is each engine's own.
 */
export function noisyGraph(graph: Graph, sample: number): Graph {
  const sign = (output: ValueId, i: number): number => 1 - 2 * (sample < 2 ? sample : mixed(4099 * sample + output, i) % 2);
  const values: ValueInfo[] = [...graph.values];
  const constants: GraphConstant[] = [...graph.constants];
  const nodes: GraphNode[] = [];
  const renamed = new Map<ValueId, ValueId>();
  const current = (id: ValueId): ValueId => renamed.get(id) ?? id;
  /** x + 0: the sign of a zero is lost. */
  const unsigned = (id: ValueId): ValueId => {
    const zero = values.push({ shape: [], dtype: values[id]!.dtype }) - 1;
    const sum = values.push(values[id]!) - 1;
    constants.push({ value: zero, data: hostFromNumbers(values[id]!.dtype, [0]) });
    nodes.push({ op: 'add', params: {}, inputs: [id, zero], outputs: [sum] });
    return sum;
  };
  for (const node of graph.nodes) {
    nodes.push({ ...node, inputs: node.inputs.map(current) });
    const roundings = ROUNDINGS[node.op] ?? 0;
    if (roundings === 0 && sample > 0) continue;
    for (const output of node.outputs) {
      const { shape, dtype } = graph.values[output]!;
      if (!FLOATS.has(dtype)) continue;
      const step = 2 * roundings * unitRoundoff(dtype);
      const noise = Array.from({ length: sizeOf(shape) }, (_, i) => 1 + step * sign(output, i));
      const factor = values.push({ shape, dtype }) - 1;
      const moved = values.push({ shape, dtype }) - 1;
      constants.push({ value: factor, data: hostFromNumbers(dtype, noise) });
      nodes.push({ op: 'mul', params: {}, inputs: [output, factor], outputs: [moved] });
      renamed.set(output, sample === 0 ? unsigned(moved) : moved);
    }
  }
  return { ...graph, values, constants, nodes, outputs: graph.outputs.map(current), key: `${graph.key} noisy ${sample}` };
}

/** Run a graph once, with float64 in and out. */
export async function runGraph(reference: ReferenceEngine, graph: Graph, inputs: readonly Result[]): Promise<Result[]> {
  const executable = await reference.compile(graph);
  const outputs = await executable.run(inputs.map(({ values, ...info }) => reference.uploadExact(values, info)));
  await executable.dispose();
  return outputs.map((buffer) => ({ shape: buffer.shape, dtype: buffer.dtype, values: reference.exact(buffer) }));
}
