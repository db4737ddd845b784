import { UserError } from '@langevin/tensor';

const MAX_SIZE = 4096;

/**
 * The permutation p that makes the sum of cost[i, p[i]] least: shortest augmenting paths with potentials (Jonker and Volgenant 1987),
 * exact, in O(n^3).
 *
 * @param cost square, row-major [n, n], n in 0..4096, finite
 * @example
 * linearAssignment([4, 1, 3, 2, 0, 5, 3, 2, 2], 3); // => [1, 0, 2]
 */
export function linearAssignment(cost: ArrayLike<number>, n: number): number[] {
  check(cost, n);
  /** Row of each column, counted from 1; 0 is none. Column 0 stands for the row that looks for one. */
  const rowOf = new Int32Array(n + 1);
  const [rowPotential, columnPotential] = [new Float64Array(n + 1), new Float64Array(n + 1)];
  const from = new Int32Array(n + 1);
  const least = new Float64Array(n + 1);
  const seen = new Uint8Array(n + 1);
  for (let row = 1; row <= n; row++) {
    rowOf[0] = row;
    least.fill(Infinity);
    seen.fill(0);
    let column = 0;
    // Dijkstra over reduced costs from the new row to the nearest free column.
    while (rowOf[column] !== 0) {
      seen[column] = 1;
      const current = rowOf[column]!;
      let step = Infinity;
      let next = 0;
      for (let j = 1; j <= n; j++) {
        if (seen[j] === 1) continue;
        const reduced = cost[(current - 1) * n + j - 1]! - rowPotential[current]! - columnPotential[j]!;
        if (reduced < least[j]!) {
          least[j] = reduced;
          from[j] = column;
        }
        if (least[j]! < step) {
          step = least[j]!;
          next = j;
        }
      }
      for (let j = 0; j <= n; j++) {
        if (seen[j] === 1) {
          rowPotential[rowOf[j]!]! += step;
          columnPotential[j]! -= step;
        } else least[j]! -= step;
      }
      column = next;
    }
    // The path is turned over: each of its columns goes to the row before.
    while (column !== 0) {
      rowOf[column] = rowOf[from[column]!]!;
      column = from[column]!;
    }
  }
  const result = new Array<number>(n);
  for (let j = 1; j <= n; j++) result[rowOf[j]! - 1] = j - 1;
  return result;
}

function check(cost: ArrayLike<number>, n: number): void {
  const where = '[core-schedules/linear-assignment]';
  if (!Number.isInteger(n) || n < 0 || n > MAX_SIZE)
    throw new UserError(`${where} n must be an integer in [0, ${MAX_SIZE}]: n=${n}. Pair smaller batches.`);
  if (cost.length !== n * n)
    throw new UserError(`${where} the costs are no square: cost.length=${cost.length}, n=${n}. Pass n * n numbers, row by row.`);
  for (let i = 0; i < cost.length; i++) {
    if (!Number.isFinite(cost[i])) throw new UserError(`${where} a cost is not finite: cost[${i}]=${cost[i]}. Pass finite numbers.`);
  }
}
