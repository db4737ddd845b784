/** A matrix as rows: small, slow and easy to check. */
export type Matrix = readonly (readonly number[])[];

export function multiply(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
}

export function transpose(a: Matrix): Matrix {
  return a[0]!.map((_, j) => a.map((row) => row[j]!));
}

export function add(a: Matrix, b: Matrix): Matrix {
  return a.map((row, i) => row.map((value, j) => value + b[i]![j]!));
}

export function scale(factor: number, a: Matrix): Matrix {
  return a.map((row) => row.map((value) => factor * value));
}

/** M v */
export function apply(a: Matrix, v: readonly number[]): number[] {
  return a.map((row) => dot(row, v));
}

/** a b^T */
export function outer(a: readonly number[], b: readonly number[]): Matrix {
  return a.map((x) => b.map((y) => x * y));
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** Adds the numbers of a matrix, row by row, to those of an array from `offset` on. */
export function addInto(target: Float64Array, offset: number, values: readonly number[]): void {
  values.forEach((value, i) => (target[offset + i]! += value));
}
