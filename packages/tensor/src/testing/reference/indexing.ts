import { indexOutOfRange } from '../../engine/indices.ts';
import { flatIndex, forEachIndex, type Elements, type Kernels } from './elements.ts';

function checked(op: string, index: number, size: number): number {
  if (index >= 0 && index < size) return index;
  throw indexOutOfRange({ op, index, size });
}

/** For `gather` and its adjoint: pairs of an element of x and the element of the gathered tensor that shows it. */
function forEachGathered(
  { op, x, indices, gathered, axis }: { op: string; x: Elements; indices: Elements; gathered: Elements; axis: number },
  visit: (placeInX: number, placeInGathered: number) => void,
): void {
  const rank = indices.shape.length;
  forEachIndex(gathered.shape, (index, i) => {
    const at = indices.values[flatIndex(indices.shape, index.slice(axis, axis + rank))]!;
    visit(flatIndex(x.shape, [...index.slice(0, axis), checked(op, at, x.shape[axis]!), ...index.slice(axis + rank)]), i);
  });
}

/** The same for `gatherElements`, whose indices have the gathered tensor's shape. */
function forEachElement(
  { op, x, indices, axis }: { op: string; x: Elements; indices: Elements; axis: number },
  visit: (placeInX: number, placeInGathered: number) => void,
): void {
  forEachIndex(indices.shape, (index, i) => {
    const at = checked(op, indices.values[i]!, x.shape[axis]!);
    visit(
      flatIndex(
        x.shape,
        index.map((n, d) => (d === axis ? at : n)),
      ),
      i,
    );
  });
}

export const indexing: Kernels<'gather' | 'scatterAdd' | 'gatherElements' | 'scatterElementsAdd'> = {
  gather({ params: { axis }, inputs: [x, indices], outputs: [out] }) {
    forEachGathered({ op: 'gather', x: x!, indices: indices!, gathered: out!, axis }, (from, to) => (out!.values[to] = x!.values[from]!));
  },
  scatterAdd({ params: { axis }, inputs: [updates, indices], outputs: [out] }) {
    forEachGathered(
      { op: 'scatterAdd', x: out!, indices: indices!, gathered: updates!, axis },
      (to, from) => (out!.values[to]! += updates!.values[from]!),
    );
  },
  gatherElements({ params: { axis }, inputs: [x, indices], outputs: [out] }) {
    forEachElement({ op: 'gatherElements', x: x!, indices: indices!, axis }, (from, to) => (out!.values[to] = x!.values[from]!));
  },
  scatterElementsAdd({ params: { axis }, inputs: [updates, indices], outputs: [out] }) {
    forEachElement(
      { op: 'scatterElementsAdd', x: out!, indices: indices!, axis },
      (to, from) => (out!.values[to]! += updates!.values[from]!),
    );
  },
};
