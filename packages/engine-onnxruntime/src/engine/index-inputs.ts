import type { Graph, IndexRange, IndexUse } from '@langevin/tensor';
import { checkConstantIndices, checkIndices, indexUses } from '@langevin/tensor';

/** Inputs of a graph that serve as indices in it: what the host knows of them is checked before a run. */
export interface IndexInput {
  /** Which of the graph's inputs. */
  readonly position: number;
  readonly use: IndexUse;
}

/** The inputs of a graph that are indices. @throws UserError when a constant of it has an index out of range */
export function indexInputs(graph: Graph): readonly IndexInput[] {
  checkConstantIndices(graph);
  return indexUses(graph).flatMap((use) => {
    const position = graph.inputs.indexOf(use.value);
    return position < 0 ? [] : [{ position, use }];
  });
}

/** @throws UserError when the least or the greatest of some indices is out of range */
export function checkRange(use: IndexUse, range: IndexRange | undefined): void {
  if (range) checkIndices(use, [range.low, range.high]);
}
