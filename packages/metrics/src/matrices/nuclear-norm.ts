import { InternalError } from '@langevin/tensor';
import type { RowMajor } from './cross-product.ts';

/**
 * The sum of the singular values of a matrix, without singular vectors: Householder reflections from both sides leave two diagonals
 * (Golub and Kahan 1965), and the singular values of those are the positive eigenvalues of a tridiagonal matrix with zeros on its diagonal
 * (Golub and Van Loan, Matrix Computations, 4th ed., sections 5.4.8 and 8.6.1). Every value is right to some units in the last place of
 * the largest one: nothing is squared on the way, which would leave half of the digits of the small ones.
 */
export function nuclearNorm(matrix: RowMajor): number {
  const wide = matrix.rows < matrix.columns ? transposed(matrix) : matrix;
  if (wide.columns === 0) return 0;
  const beside = twoDiagonals(wide);
  const largest = beside.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return 0;
  // Numbers around 1, whose squares neither overflow nor vanish.
  const eigenvalues = eigenvaluesOfZeroDiagonal(beside.map((value) => value / largest));
  return (largest * eigenvalues.reduce((sum, value) => sum + Math.abs(value), 0)) / 2;
}

function transposed({ values, rows, columns }: RowMajor): RowMajor {
  const result = new Float64Array(values.length);
  for (let i = 0; i < rows; i += 1) for (let j = 0; j < columns; j += 1) result[j * rows + i] = values[i * columns + j]!;
  return { values: result, rows: columns, columns: rows };
}

/** Rows that are gone over together, so that what they share is read once. */
const TOGETHER = 4;

/** What is still to be taken off of a matrix: left across^T + back down^T. */
interface Pending {
  readonly left: Float64Array;
  readonly across: Float64Array;
  readonly back: Float64Array;
  readonly down: Float64Array;
}

/**
 * The diagonal and the one above it, in turn: d0, e0, d1, e1, ..., of a matrix with at least as many rows as columns. Each step goes over
 * what is left of the matrix twice: once to take off the reflections of the step before and to multiply by that of the column, and once to
 * multiply by that of the row. Rows that are done may be gone over once more, as nothing of them is read again.
 */
function twoDiagonals({ values, rows, columns }: RowMajor): Float64Array {
  const height = Math.ceil(rows / TOGETHER) * TOGETHER;
  const a = new Float64Array(height * columns);
  a.set(values);
  const result = new Float64Array(2 * columns - 1);
  let left: Float64Array = new Float64Array(height);
  let back: Float64Array = new Float64Array(height);
  let across: Float64Array = new Float64Array(columns);
  let down: Float64Array = new Float64Array(columns);
  for (let k = 0; k < columns; k += 1) {
    const column = Float64Array.from({ length: rows - k }, (_, i) => {
      const row = k + i;
      return a[row * columns + k]! - left[row]! * across[k]! - back[row]! * down[k]!;
    });
    const first = reflect(column);
    result[2 * k] = first.value;
    if (k === columns - 1) break;
    const next = new Float64Array(height);
    next.set(column, k);
    across = takeOff(a, { left, across, back, down }, { vector: next, scale: first.scale, row: k, column: k + 1 });
    left = next;
    const row = Float64Array.from({ length: columns - k - 1 }, (_, j) => a[k * columns + k + 1 + j]! - left[k]! * across[k + 1 + j]!);
    const second = reflect(row);
    result[2 * k + 1] = second.value;
    down = new Float64Array(columns);
    down.set(row, k + 1);
    let overlap = 0;
    for (let j = k + 1; j < columns; j += 1) overlap += across[j]! * down[j]!;
    back = times(a, down, { row: k + 1, column: k + 1 });
    for (let i = k + 1; i < rows; i += 1) back[i] = second.scale * (back[i]! - overlap * left[i]!);
    back.fill(0, 0, k + 1);
  }
  return result;
}

interface Reflection {
  readonly vector: Float64Array;
  readonly scale: number;
  readonly row: number;
  readonly column: number;
}

/** Takes off what is pending from a row and a column on, and gives scale a^T vector of the result. */
function takeOff(a: Float64Array, { left, across, back, down }: Pending, { vector, scale, row, column }: Reflection): Float64Array {
  const columns = across.length;
  const sum = new Float64Array(columns);
  for (let i = row - (row % TOGETHER); i < vector.length; i += TOGETHER) {
    const [at0, at1, at2, at3] = [i * columns, (i + 1) * columns, (i + 2) * columns, (i + 3) * columns];
    const [l0, l1, l2, l3] = [left[i]!, left[i + 1]!, left[i + 2]!, left[i + 3]!];
    const [b0, b1, b2, b3] = [back[i]!, back[i + 1]!, back[i + 2]!, back[i + 3]!];
    const [w0, w1, w2, w3] = [scale * vector[i]!, scale * vector[i + 1]!, scale * vector[i + 2]!, scale * vector[i + 3]!];
    for (let j = column; j < columns; j += 1) {
      const x = across[j]!;
      const y = down[j]!;
      const v0 = a[at0 + j]! - l0 * x - b0 * y;
      const v1 = a[at1 + j]! - l1 * x - b1 * y;
      const v2 = a[at2 + j]! - l2 * x - b2 * y;
      const v3 = a[at3 + j]! - l3 * x - b3 * y;
      a[at0 + j] = v0;
      a[at1 + j] = v1;
      a[at2 + j] = v2;
      a[at3 + j] = v3;
      sum[j]! += w0 * v0 + w1 * v1 + (w2 * v2 + w3 * v3);
    }
  }
  return sum;
}

/** a vector, from a row and a column on; what it gives of rows before is of no use. */
function times(a: Float64Array, vector: Float64Array, { row, column }: Pick<Reflection, 'row' | 'column'>): Float64Array {
  const columns = vector.length;
  const result = new Float64Array(a.length / columns);
  for (let i = row - (row % TOGETHER); i < result.length; i += TOGETHER) {
    const [at0, at1, at2, at3] = [i * columns, (i + 1) * columns, (i + 2) * columns, (i + 3) * columns];
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let j = column; j < columns; j += 1) {
      const v = vector[j]!;
      s0 += a[at0 + j]! * v;
      s1 += a[at1 + j]! * v;
      s2 += a[at2 + j]! * v;
      s3 += a[at3 + j]! * v;
    }
    result[i] = s0;
    result[i + 1] = s1;
    result[i + 2] = s2;
    result[i + 3] = s3;
  }
  return result;
}

/**
 * Turns x into the v of the reflection 1 - scale v v^T that leaves nothing of x but its first number.
 *
 * @returns that number, and the scale
 */
function reflect(x: Float64Array): { readonly value: number; readonly scale: number } {
  let largest = 0;
  for (const value of x) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return { value: 0, scale: 0 };
  let squares = 0;
  for (const value of x) squares += (value / largest) ** 2;
  // Away from the first number, so that nothing cancels.
  const value = (x[0]! > 0 ? -1 : 1) * largest * Math.sqrt(squares);
  const head = x[0]! - value;
  x[0] = head;
  for (let i = 0; i < x.length; i += 1) x[i]! /= head;
  return { value, scale: -head / value };
}

/** Steps for one eigenvalue: two or three are usual. */
const MOST_STEPS = 60;

/**
 * Eigenvalues of the symmetric tridiagonal matrix with zeros on its diagonal and `beside` next to it, by implicit QL steps with Wilkinson's
 * shift (Golub and Van Loan, section 8.3.5).
 */
function eigenvaluesOfZeroDiagonal(beside: Float64Array): Float64Array {
  const size = beside.length + 1;
  const d = new Float64Array(size);
  const e = new Float64Array(size);
  e.set(beside);
  const norm = beside.reduce((most, value, i) => Math.max(most, Math.abs(value) + Math.abs(beside[i - 1] ?? 0)), 0);
  const negligible = Number.EPSILON * norm;
  for (let l = 0; l < size; l += 1) {
    for (let step = 0; ; step += 1) {
      let m = l;
      while (m < size - 1 && Math.abs(e[m]!) > negligible) m += 1;
      if (m === l) break;
      if (step === MOST_STEPS) throw new InternalError(`[metrics/nuclear-norm] QL steps do not converge: size=${size}, place=${l}.`);
      qlStep(d, e, [l, m]);
    }
  }
  return d;
}

/** One step on the block from l to m. */
function qlStep(d: Float64Array, e: Float64Array, [l, m]: readonly [number, number]): void {
  const half = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  let g = d[m]! - d[l]! + e[l]! / (half + (half < 0 ? -1 : 1) * Math.hypot(half, 1));
  let [sine, cosine, moved] = [1, 1, 0];
  for (let i = m - 1; i >= l; i -= 1) {
    const f = sine * e[i]!;
    const b = cosine * e[i]!;
    const r = Math.sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1]! -= moved;
      e[m] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = d[i + 1]! - moved;
    const s = (d[i]! - g) * sine + 2 * cosine * b;
    moved = sine * s;
    d[i + 1] = g + moved;
    g = cosine * s - b;
  }
  d[l]! -= moved;
  e[l] = g;
  e[m] = 0;
}
