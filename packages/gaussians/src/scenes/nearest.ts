import type { FloatArray } from '../gaussians.ts';

/** Points in a box that is halved again and again: who is near whom in O(log n). */
interface KdTree {
  readonly positions: FloatArray;
  /** Rows, ordered so that the middle of each range divides it. */
  readonly order: Int32Array;
  /** Axis of division at each place of `order`. */
  readonly axes: Uint8Array;
}

/**
 * Mean of the squared distances to the `k` nearest other points, [count]: the size that a point's Gaussian starts with. Points that
 * coincide count as neighbours at distance 0. With fewer than `k` others, the mean of those there are; 0 for a lone point.
 *
 * @param positions [count, 3]
 * @param k @default 3, as all trainers since Kerbl et al. 2023
 */
export function meanSquaredDistances(positions: FloatArray, k = 3): Float64Array {
  const count = positions.length / 3;
  const tree = buildTree(positions);
  const out = new Float64Array(count);
  const best = new Float64Array(k);
  for (let i = 0; i < count; i++) {
    best.fill(Infinity);
    visit(tree, { low: 0, high: count, row: i, best });
    let sum = 0;
    let found = 0;
    for (let j = 0; j < k && best[j]! < Infinity; j++) {
      sum += best[j]!;
      found++;
    }
    out[i] = found === 0 ? 0 : sum / found;
  }
  return out;
}

function buildTree(positions: FloatArray): KdTree {
  const count = positions.length / 3;
  const order = Int32Array.from({ length: count }, (_, i) => i);
  const axes = new Uint8Array(count);
  const stack: [number, number][] = [[0, count]];
  for (let range = stack.pop(); range !== undefined; range = stack.pop()) {
    const [low, high] = range;
    if (high - low < 2) continue;
    const axis = widestAxis(positions, order, range);
    const middle = (low + high) >> 1;
    order.subarray(low, high).sort((a, b) => positions[3 * a + axis]! - positions[3 * b + axis]! || a - b);
    axes[middle] = axis;
    stack.push([low, middle], [middle + 1, high]);
  }
  return { positions, order, axes };
}

function widestAxis(positions: FloatArray, order: Int32Array, [low, high]: readonly [number, number]): number {
  let widest = 0;
  let width = -1;
  for (let axis = 0; axis < 3; axis++) {
    let least = Infinity;
    let most = -Infinity;
    for (let i = low; i < high; i++) {
      const value = positions[3 * order[i]! + axis]!;
      if (value < least) least = value;
      if (value > most) most = value;
    }
    if (most - least > width) {
      width = most - least;
      widest = axis;
    }
  }
  return widest;
}

function visit(
  tree: KdTree,
  search: { readonly low: number; readonly high: number; readonly row: number; readonly best: Float64Array },
): void {
  const { low, high, row, best } = search;
  if (low >= high) return;
  const { positions, order, axes } = tree;
  const middle = (low + high) >> 1;
  const other = order[middle]!;
  const dx = positions[3 * row]! - positions[3 * other]!;
  const dy = positions[3 * row + 1]! - positions[3 * other + 1]!;
  const dz = positions[3 * row + 2]! - positions[3 * other + 2]!;
  if (other !== row) insert(best, dx * dx + dy * dy + dz * dz);
  const away = [dx, dy, dz][axes[middle]!]!;
  const left = { ...search, high: middle };
  const right = { ...search, low: middle + 1 };
  visit(tree, away < 0 ? left : right);
  if (away * away <= best[best.length - 1]!) visit(tree, away < 0 ? right : left);
}

function insert(best: Float64Array, distance: number): void {
  let at = best.length - 1;
  if (distance >= best[at]!) return;
  for (; at > 0 && best[at - 1]! > distance; at--) best[at] = best[at - 1]!;
  best[at] = distance;
}
