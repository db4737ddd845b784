import { UserError } from '../errors.ts';
import type { Graph, GraphNode, ValueId } from '../graph/graph.ts';

type IndexingOp = 'gather' | 'gatherElements' | 'scatterAdd' | 'scatterElementsAdd';

const INDEXING: ReadonlySet<string> = new Set<IndexingOp>(['gather', 'gatherElements', 'scatterAdd', 'scatterElementsAdd']);

/** Ops whose results hold the elements of their first operand, all of them and no others. */
const MOVING: ReadonlySet<string> = new Set(['reshape', 'transpose', 'broadcastTo', 'flip', 'barrier']);

/** Indices that a node reads: where they come from, and how many places there are. */
export interface IndexUse {
  readonly op: string;
  readonly node: GraphNode;
  /** The graph's input, constant or computed value that holds them, before they were reshaped and the like. */
  readonly value: ValueId;
  /** They have to be in [0, size). */
  readonly size: number;
}

/** Every use of a tensor as indices in a graph; not those of which nothing is read, since there is nothing to read from or to write. */
export function indexUses(graph: Graph): readonly IndexUse[] {
  const producers = new Map<ValueId, GraphNode>(graph.nodes.flatMap((node) => node.outputs.map((id) => [id, node] as const)));
  const originOf = (id: ValueId): ValueId => {
    const node = producers.get(id);
    return node && MOVING.has(node.op) ? originOf(node.inputs[0]!) : id;
  };
  return graph.nodes.flatMap((node) => {
    const gathered = node.op.startsWith('gather') ? node.outputs[0]! : node.inputs[0]!;
    if (!INDEXING.has(node.op) || graph.values[gathered]!.shape.includes(0)) return [];
    const { axis, size } = node.params as { readonly axis: number; readonly size?: number };
    const places = size ?? graph.values[node.inputs[0]!]!.shape[axis]!;
    return [{ op: node.op, node, value: originOf(node.inputs[1]!), size: places }];
  });
}

/** What every engine says of an index that names no place; `index` where the engine knows it. */
export function indexOutOfRange({ op, size, index }: Pick<IndexUse, 'op' | 'size'> & { readonly index?: number | undefined }): UserError {
  const remedy =
    size === 0 ? 'There is nothing to take from an empty axis.' : `Give indices in [0, ${size}); negative ones do not count from the end.`;
  return new UserError(`[tensor/${op}] index is out of range: ${index === undefined ? '' : `index=${index}, `}size=${size}. ${remedy}`);
}

/** @throws UserError naming the first index outside of [0, size) */
export function checkIndices({ op, size }: Pick<IndexUse, 'op' | 'size'>, indices: ArrayLike<number>): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (!(index >= 0 && index < size)) throw indexOutOfRange({ op, index, size });
  }
}

/** The least and the greatest of some indices. */
export interface IndexRange {
  readonly low: number;
  readonly high: number;
}

export function indexRangeOf(indices: ArrayLike<number>): IndexRange | undefined {
  if (indices.length === 0) return undefined;
  let low = indices[0]!;
  let high = low;
  for (let i = 1; i < indices.length; i++) {
    if (indices[i]! < low) low = indices[i]!;
    if (indices[i]! > high) high = indices[i]!;
  }
  return { low, high };
}

/** Check the indices that a graph holds as constants: an engine calls it when it compiles. @throws UserError */
export function checkConstantIndices(graph: Graph): void {
  const constants = new Map(graph.constants.map(({ value, data }) => [value, data]));
  for (const use of indexUses(graph)) {
    const data = constants.get(use.value);
    if (data instanceof Int32Array) checkIndices(use, data);
  }
}
