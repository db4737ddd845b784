import { describe, expect, test } from 'vitest';
import { cholesky, counterGenerator, determinant, errorKind, inverse, logDeterminant, solve, symmetricEigen } from '@langevin/tensor';

const random = counterGenerator({ seed: 3, stream: [1] });
const sizes = [1, 2, 3, 5, 12];
const draw = (n: number): Float64Array => random.normal64(n * n);

function product(a: ArrayLike<number>, b: ArrayLike<number>, n: number): Float64Array {
  const out = new Float64Array((a.length / n) * (b.length / n));
  const columns = b.length / n;
  for (let i = 0; i < a.length / n; i++)
    for (let j = 0; j < columns; j++) for (let k = 0; k < n; k++) out[i * columns + j]! += a[i * n + k]! * b[k * columns + j]!;
  return out;
}
const transposed = (a: ArrayLike<number>, n: number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, i) => a[(i % n) * n + Math.floor(i / n)]!);
const identity = (n: number): Float64Array => Float64Array.from({ length: n * n }, (_, i) => (i % n === Math.floor(i / n) ? 1 : 0));
const largest = (a: ArrayLike<number>): number => Math.max(...Array.from(a, Math.abs));

/** Backward-stable algorithms: errors of a few n^2 roundings, times the growth that the caller names. */
function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>, n: number, growth = 1): void {
  expect(found.length).toBe(wanted.length);
  expect(largest(Array.from(wanted, (v, i) => v - found[i]!))).toBeLessThanOrEqual(
    4 * n * n * Number.EPSILON * Math.max(1, largest(wanted)) * growth,
  );
}
/** max |A| max |A^-1| n: how much solving may magnify rounding. */
const condition = (a: ArrayLike<number>, inverted: ArrayLike<number>, n: number): number => n * largest(a) * largest(inverted);

describe.each(sizes)('identities at size %d', (n) => {
  const a = draw(n);
  const spd = product(a, transposed(a, n), n).map((v, i) => v + (i % (n + 1) === 0 ? 1 : 0));
  const inverted = inverse(a);
  const growth = condition(a, inverted, n);

  test('A A^-1 = 1 = A^-1 A', () => {
    expectClose(product(a, inverted, n), identity(n), n, growth);
    expectClose(product(inverted, a, n), identity(n), n, growth);
  });

  test('A x = b, for one and three columns', () => {
    for (const columns of [1, 3]) {
      const x = random.normal64(n * columns);
      expectClose(solve(a, product(a, x, n)), x, n, growth);
    }
  });

  test('det AB = det A det B, and its logarithm', () => {
    const b = draw(n);
    const both = determinant(product(a, b, n));
    expectClose([both], [determinant(a) * determinant(b)], n, growth * condition(b, inverse(b), n));
    const { sign, logMagnitude } = logDeterminant(a);
    expectClose([sign * Math.exp(logMagnitude)], [determinant(a)], n);
    expectClose([determinant(transposed(a, n))], [determinant(a)], n, growth);
  });

  test('L L^T = A with zeros above the diagonal', () => {
    const l = cholesky(spd);
    expectClose(product(l, transposed(l, n), n), spd, n);
    for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) expect(l[i * n + j]).toBe(0);
    expectClose(
      [2 * Array.from({ length: n }, (_, i) => Math.log(l[i * n + i]!)).reduce((s, v) => s + v, 0)],
      [logDeterminant(spd).logMagnitude],
      n,
      condition(spd, inverse(spd), n),
    );
  });

  test('A V = V diag(values), V^T V = 1, values rising, trace and determinant kept', () => {
    const symmetric = Float64Array.from(a, (v, i) => v + transposed(a, n)[i]!);
    const { values, vectors } = symmetricEigen(symmetric);
    expectClose(
      product(symmetric, vectors, n),
      Float64Array.from(vectors, (v, i) => v * values[i % n]!),
      n,
      n,
    );
    expectClose(product(transposed(vectors, n), vectors, n), identity(n), n, n);
    expect([...values]).toEqual([...values].sort((x, y) => x - y));
    expectClose(
      [values.reduce((s, v) => s + v, 0)],
      [Array.from({ length: n }, (_, i) => symmetric[i * n + i]!).reduce((s, v) => s + v, 0)],
      n,
      n * largest(values),
    );
    expectClose([values.reduce((s, v) => s * v, 1)], [determinant(symmetric)], n, condition(symmetric, inverse(symmetric), n));
  });
});

test('known values', () => {
  expect([...inverse([0, 1, 2, 0])]).toEqual([0, 0.5, 1, 0]);
  expect(determinant([0, 1, 1, 0])).toBe(-1);
  expect([...cholesky([4, 2, 2, 5])]).toEqual([2, 0, 1, 2]);
  expect([...symmetricEigen([2, 0, 0, -1]).values]).toEqual([-1, 2]);
  expect([...symmetricEigen([0, 0, 0, 0]).values]).toEqual([0, 0]);
  expect(logDeterminant(Array.from({ length: 100 * 100 }, (_, i) => (i % 101 === 0 ? 1e-10 : 0)))).toEqual({
    sign: 1,
    logMagnitude: expect.closeTo(100 * Math.log(1e-10), 8) as number,
  });
});

describe('what cannot be', () => {
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    [
      'singular inverse',
      () => inverse([1, 2, 2, 4]),
      '[tensor/inverse] matrix is singular up to rounding: size=2, pivot 1 vanishes. Add a multiple of the identity, or use '
        + 'another formula.',
    ],
    [
      'singular system',
      () => solve([0, 0, 0, 0], [1, 1]),
      '[tensor/solve] matrix is singular up to rounding: size=2, pivot 0 vanishes. Add a multiple of the identity, or use another formula.',
    ],
    ['right side', () => solve([1], []), '[tensor/solve] right side does not fit: elements=0, n=1. Give [n] or [n, m] numbers, row-major.'],
    [
      'indefinite',
      () => cholesky([1, 2, 2, 1]),
      '[tensor/cholesky] matrix is not positive definite: pivot 1 is -3. Add a small multiple of the identity.',
    ],
    [
      'unsymmetric',
      () => symmetricEigen([1, 2, 3, 4]),
      '[tensor/symmetricEigen] matrix is not symmetric: a[1, 0]=3, a[0, 1]=2. Average it with its transpose if that is rounding.',
    ],
    [
      'not square',
      () => determinant([1, 2, 3]),
      '[tensor/determinant] matrix is not square or its size is out of range: elements=3. Give n * n numbers, row-major, with n in '
        + '[1, 1024].',
    ],
    [
      'NaN',
      () => inverse([1, 0, NaN, 1]),
      '[tensor/inverse] matrix has an element that is not finite: row=1, column=0, value=NaN. Check what computed it.',
    ],
    [
      'too large',
      () => determinant(new Float64Array(1025 * 1025)),
      '[tensor/determinant] matrix is not square or its size is out of range: elements=1050625. Give n * n numbers, row-major, '
        + 'with n in [1, 1024].',
    ],
  ];
  test.each(cases)('%s', (_, body, message) => {
    try {
      body();
    } catch (error) {
      expect([errorKind(error), (error as Error).message]).toEqual(['user', message]);
      return;
    }
    throw new Error('nothing was thrown');
  });

  test('a singular matrix has determinant 0', () => {
    expect(determinant([0, 0, 0, 1])).toBe(0);
    expect(logDeterminant([0, 0, 0, 1])).toEqual({ sign: 0, logMagnitude: -Infinity });
  });
});
