import { UserError } from '@langevin/tensor';

/** x with matrix x = right, by elimination with partial pivoting in float64. */
export function solve(matrix: readonly (readonly number[])[], right: readonly number[]): Float64Array {
  const n = right.length;
  const rows = matrix.map((row, i) => Float64Array.from([...row, right[i]!]));
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++) if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i;
    const top = rows[pivot]!;
    if (!(Math.abs(top[column]!) > 1e-15))
      throw new UserError(
        `[nn/ema] snapshots are too alike to combine: pivot ${column} of ${n} is ${top[column]}. Leave out some that are close in `
          + 'step and std.',
      );
    rows[pivot] = rows[column]!;
    rows[column] = top;
    for (let i = column + 1; i < n; i++) {
      const factor = rows[i]![column]! / top[column]!;
      for (let j = column; j <= n; j++) rows[i]![j]! -= factor * top[j]!;
    }
  }
  const x = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    let rest = rows[i]![n]!;
    for (let j = i + 1; j < n; j++) rest -= rows[i]![j]! * x[j]!;
    x[i] = rest / rows[i]![i]!;
  }
  return x;
}
