import { gelu, silu } from '../../ops/activation.ts';
import { add, div, maximum, minimum, mul, pow, sub } from '../../ops/binary.ts';
import { equal, less, lessEqual, logicalAnd, logicalNot, logicalOr, where } from '../../ops/compare.ts';
import { abs, atan, cast, ceil, cos, erf, exp, floor, log, neg, round, sigmoid, sign, sin, sqrt, tanh } from '../../ops/unary.ts';
import { EMPTY, INTEGRAL, NOT_FINITE, PIECEWISE_CONSTANT, ROUNDING, rowsOf, type ConformanceRow } from '../row.ts';
import { EXACT, POINTWISE, sums } from '../tolerance.ts';

const INF = Infinity;

const unary: readonly ConformanceRow[] = [
  ...rowsOf('neg', {
    matrix: { inputs: (d) => [d.smooth([2, 3])], fn: (x) => neg(x!), shape: [2, 3], gradient: 'second', tolerance: EXACT },
    int32: { inputs: (d) => [d.of([3, -4, 0], [3], 'int32')], fn: (x) => neg(x!), shape: [3], dtype: 'int32', expected: [-3, 4, 0], gradient: INTEGRAL, tolerance: EXACT },
    empty: { inputs: (d) => [d.of([], [0, 3])], fn: (x) => neg(x!), shape: [0, 3], expected: [], gradient: EMPTY, tolerance: EXACT },
  }),
  ...rowsOf('abs', {
    matrix: { inputs: (d) => [d.nonzero([2, 3])], fn: (x) => abs(x!), shape: [2, 3], gradient: 'second', tolerance: EXACT },
    int32: { inputs: (d) => [d.of([3, -4, 0], [3], 'int32')], fn: (x) => abs(x!), shape: [3], dtype: 'int32', expected: [3, 4, 0], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('sign', {
    'both signs and zero': { inputs: (d) => [d.of([-2.5, 0, 3])], fn: (x) => sign(x!), shape: [3], expected: [-1, 0, 1], gradient: PIECEWISE_CONSTANT, tolerance: EXACT },
    int32: { inputs: (d) => [d.of([-7, 0, 9], [3], 'int32')], fn: (x) => sign(x!), shape: [3], dtype: 'int32', expected: [-1, 0, 1], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('exp', {
    vector: { inputs: (d) => [d.smooth([7])], fn: (x) => exp(x!), shape: [7], gradient: 'second', tolerance: POINTWISE },
    'overflow and underflow': { inputs: (d) => [d.of([-INF, -200, 200, INF])], fn: (x) => exp(x!), shape: [4], expected: [0, 0, INF, INF], gradient: NOT_FINITE, tolerance: EXACT },
    float16: { inputs: (d) => [d.smooth([5], 'float16')], fn: (x) => exp(x!), shape: [5], dtype: 'float16', gradient: 'first', tolerance: POINTWISE },
  }),
  ...rowsOf('log', {
    vector: { inputs: (d) => [d.positive([7])], fn: (x) => log(x!), shape: [7], gradient: 'second', tolerance: POINTWISE },
    'zero and infinity': { inputs: (d) => [d.of([0, INF])], fn: (x) => log(x!), shape: [2], expected: [-INF, INF], gradient: NOT_FINITE, tolerance: EXACT },
  }),
  ...rowsOf('sqrt', {
    vector: { inputs: (d) => [d.positive([7])], fn: (x) => sqrt(x!), shape: [7], gradient: 'second', tolerance: POINTWISE },
  }),
  ...rowsOf('sin', {
    vector: { inputs: (d) => [d.smooth([7])], fn: (x) => sin(x!), shape: [7], gradient: 'second', tolerance: POINTWISE },
    'timestep embeddings reach 1000': { inputs: (d) => [d.of([0, 1, 10, 100, 500.5, 999])], fn: (x) => sin(x!), shape: [6], gradient: 'first', tolerance: POINTWISE },
  }),
  ...rowsOf('cos', {
    vector: { inputs: (d) => [d.smooth([7])], fn: (x) => cos(x!), shape: [7], gradient: 'second', tolerance: POINTWISE },
    'timestep embeddings reach 1000': { inputs: (d) => [d.of([0, 1, 10, 100, 500.5, 999])], fn: (x) => cos(x!), shape: [6], gradient: 'first', tolerance: POINTWISE },
  }),
  ...rowsOf('atan', {
    vector: { inputs: (d) => [d.smooth([7])], fn: (x) => atan(x!), shape: [7], gradient: 'second', tolerance: POINTWISE },
  }),
  ...rowsOf('tanh', {
    vector: { inputs: (d) => [d.smooth([7])], fn: (x) => tanh(x!), shape: [7], gradient: 'second', tolerance: POINTWISE },
    saturated: { inputs: (d) => [d.of([-INF, -100, 0, 100, INF])], fn: (x) => tanh(x!), shape: [5], expected: [-1, -1, 0, 1, 1], gradient: NOT_FINITE, tolerance: EXACT },
  }),
  ...rowsOf('sigmoid', {
    vector: { inputs: (d) => [d.smooth([7])], fn: (x) => sigmoid(x!), shape: [7], gradient: 'second', tolerance: POINTWISE },
    saturated: { inputs: (d) => [d.of([-200, 0, 200])], fn: (x) => sigmoid(x!), shape: [3], expected: [0, 0.5, 1], gradient: NOT_FINITE, tolerance: POINTWISE },
  }),
  ...rowsOf('erf', {
    vector: { inputs: (d) => [d.smooth([7])], fn: (x) => erf(x!), shape: [7], gradient: 'second', tolerance: POINTWISE },
    saturated: { inputs: (d) => [d.of([-10, 0, 10])], fn: (x) => erf(x!), shape: [3], expected: [-1, 0, 1], gradient: 'first', tolerance: POINTWISE },
  }),
  ...rowsOf('floor', {
    'both signs': { inputs: (d) => [d.of([-1.5, -1, -0.25, 0.25, 1.75])], fn: (x) => floor(x!), shape: [5], expected: [-2, -1, -1, 0, 1], gradient: PIECEWISE_CONSTANT, tolerance: EXACT },
  }),
  ...rowsOf('ceil', {
    'both signs': { inputs: (d) => [d.of([-1.5, -1, 0.25, 1.75])], fn: (x) => ceil(x!), shape: [4], expected: [-1, -1, 1, 2], gradient: PIECEWISE_CONSTANT, tolerance: EXACT },
  }),
  ...rowsOf('round', {
    'half to even': { inputs: (d) => [d.of([-2.5, -1.5, 0.5, 1.5, 2.5, 2.75, 3.5])], fn: (x) => round(x!), shape: [7], expected: [-2, -2, 0, 2, 2, 3, 4], gradient: PIECEWISE_CONSTANT, tolerance: EXACT },
  }),
  ...rowsOf('logicalNot', {
    vector: { inputs: (d) => [d.of([1, 0, 1], [3], 'bool')], fn: (x) => logicalNot(x!), shape: [3], dtype: 'bool', expected: [0, 1, 0], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('cast', {
    'float32 to int32 truncates': { inputs: (d) => [d.of([-1.75, -0.5, 0.5, 2.75])], fn: (x) => cast(x!, 'int32'), shape: [4], dtype: 'int32', expected: [-1, 0, 0, 2], gradient: INTEGRAL, tolerance: EXACT },
    'float32 to bool': { inputs: (d) => [d.of([0, -0.5, 0.25, -0])], fn: (x) => cast(x!, 'bool'), shape: [4], dtype: 'bool', expected: [0, 1, 1, 0], gradient: INTEGRAL, tolerance: EXACT },
    'int32 to bool': { inputs: (d) => [d.of([0, -5, 256], [3], 'int32')], fn: (x) => cast(x!, 'bool'), shape: [3], dtype: 'bool', expected: [0, 1, 1], gradient: INTEGRAL, tolerance: EXACT },
    'float32 to uint8': { inputs: (d) => [d.of([0, 1.75, 255])], fn: (x) => cast(x!, 'uint8'), shape: [3], dtype: 'uint8', expected: [0, 1, 255], gradient: INTEGRAL, tolerance: EXACT },
    'uint8 to float32': { inputs: (d) => [d.of([0, 127, 255], [3], 'uint8')], fn: (x) => cast(x!, 'float32'), shape: [3], expected: [0, 127, 255], gradient: INTEGRAL, tolerance: EXACT },
    'bool to float32': { inputs: (d) => [d.of([0, 1], [2], 'bool')], fn: (x) => cast(x!, 'float32'), shape: [2], expected: [0, 1], gradient: INTEGRAL, tolerance: EXACT },
    'int64 to int32 and back': { inputs: (d) => [d.of([-5, 0, 1000000], [3], 'int64')], fn: (x) => cast(cast(x!, 'int32'), 'int64'), shape: [3], dtype: 'int64', expected: [-5, 0, 1000000], gradient: INTEGRAL, tolerance: EXACT },
    'int64 to float32': { inputs: (d) => [d.of([-5, 0, 1000000], [3], 'int64')], fn: (x) => cast(x!, 'float32'), shape: [3], expected: [-5, 0, 1000000], gradient: INTEGRAL, tolerance: EXACT },
    'float16 to float32': { inputs: (d) => [d.smooth([5], 'float16')], fn: (x) => cast(x!, 'float32'), shape: [5], gradient: 'first', tolerance: EXACT },
    'bfloat16 to float32': { inputs: (d) => [d.of([1, -0.5, 3.25, 256], [4], 'bfloat16')], fn: (x) => cast(x!, 'float32'), shape: [4], expected: [1, -0.5, 3.25, 256], gradient: 'first', tolerance: EXACT },
    'float32 to float16 rounds to even': { inputs: (d) => [d.of([1 + 2 ** -11, 1 + 3 * 2 ** -11, 70000, 2 ** -25])], fn: (x) => cast(cast(x!, 'float16'), 'float32'), shape: [4], expected: [1, 1 + 2 ** -9, INF, 0], gradient: ROUNDING, tolerance: EXACT },
    'float32 to bfloat16 rounds to even': { inputs: (d) => [d.of([1 + 2 ** -8, 1 + 3 * 2 ** -8])], fn: (x) => cast(cast(x!, 'bfloat16'), 'float32'), shape: [2], expected: [1, 1 + 2 ** -6], gradient: ROUNDING, tolerance: EXACT },
  }),
];

const binary: readonly ConformanceRow[] = [
  ...rowsOf('add', {
    'same shape': { inputs: (d) => [d.smooth([2, 3]), d.smooth([2, 3])], fn: (a, b) => add(a!, b!), shape: [2, 3], gradient: 'second', tolerance: POINTWISE },
    'both broadcast': { inputs: (d) => [d.smooth([4, 1, 3]), d.smooth([2, 1])], fn: (a, b) => add(a!, b!), shape: [4, 2, 3], gradient: 'second', tolerance: sums(8) },
    'scalar and number': { inputs: (d) => [d.smooth([]), d.smooth([3])], fn: (a, b) => add(add(a!, b!), 1.5), shape: [3], gradient: 'second', tolerance: sums(3) },
    'the same tensor twice': { inputs: (d) => [d.smooth([3])], fn: (a) => add(a!, a!), shape: [3], gradient: 'second', tolerance: EXACT },
    int32: { inputs: (d) => [d.of([2 ** 30, -3], [2], 'int32'), d.of([5, 4], [2], 'int32')], fn: (a, b) => add(a!, b!), shape: [2], dtype: 'int32', expected: [2 ** 30 + 5, 1], gradient: INTEGRAL, tolerance: EXACT },
    int64: { inputs: (d) => [d.of([7, -3], [2], 'int64'), d.of([5, 4], [2], 'int64')], fn: (a, b) => add(a!, b!), shape: [2], dtype: 'int64', expected: [12, 1], gradient: INTEGRAL, tolerance: EXACT },
    'empty axis broadcasts': { inputs: (d) => [d.of([], [2, 0]), d.smooth([2, 1])], fn: (a, b) => add(a!, b!), shape: [2, 0], expected: [], gradient: EMPTY, tolerance: EXACT },
    float16: { inputs: (d) => [d.smooth([3], 'float16'), d.smooth([3], 'float16')], fn: (a, b) => add(a!, b!), shape: [3], dtype: 'float16', gradient: 'first', tolerance: POINTWISE },
  }),
  ...rowsOf('sub', {
    'row and column': { inputs: (d) => [d.smooth([3, 1]), d.smooth([1, 4])], fn: (a, b) => sub(a!, b!), shape: [3, 4], gradient: 'second', tolerance: sums(4) },
    int32: { inputs: (d) => [d.of([1, -3], [2], 'int32'), d.of([5, 4], [2], 'int32')], fn: (a, b) => sub(a!, b!), shape: [2], dtype: 'int32', expected: [-4, -7], gradient: INTEGRAL, tolerance: EXACT },
    'number first': { inputs: (d) => [d.smooth([3])], fn: (a) => sub(1, a!), shape: [3], gradient: 'second', tolerance: POINTWISE },
  }),
  ...rowsOf('mul', {
    'channel scale': { inputs: (d) => [d.smooth([2, 3, 2, 2]), d.smooth([3, 1, 1])], fn: (a, b) => mul(a!, b!), shape: [2, 3, 2, 2], gradient: 'second', tolerance: sums(8) },
    'five axes': { inputs: (d) => [d.smooth([2, 1, 2, 1, 2]), d.smooth([1, 2, 1, 2, 1])], fn: (a, b) => mul(a!, b!), shape: [2, 2, 2, 2, 2], gradient: 'first', tolerance: sums(4) },
    int32: { inputs: (d) => [d.of([7, -3], [2], 'int32'), d.of([5, 4], [2], 'int32')], fn: (a, b) => mul(a!, b!), shape: [2], dtype: 'int32', expected: [35, -12], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('div', {
    broadcast: { inputs: (d) => [d.smooth([2, 3]), d.positive([3])], fn: (a, b) => div(a!, b!), shape: [2, 3], gradient: 'second', tolerance: sums(6) },
    'int32 truncates towards zero': { inputs: (d) => [d.of([7, -7, 7, -8], [4], 'int32'), d.of([2, 2, -2, 4], [4], 'int32')], fn: (a, b) => div(a!, b!), shape: [4], dtype: 'int32', expected: [3, -3, -3, -2], gradient: INTEGRAL, tolerance: EXACT },
    'by zero': { inputs: (d) => [d.of([1, -1]), d.of([0, 0])], fn: (a, b) => div(a!, b!), shape: [2], expected: [INF, -INF], gradient: NOT_FINITE, tolerance: EXACT },
  }),
  ...rowsOf('pow', {
    'positive base': { inputs: (d) => [d.positive([2, 3]), d.smooth([3])], fn: (a, b) => pow(a!, b!), shape: [2, 3], gradient: 'second', tolerance: sums(6) },
    'constant exponent, negative base': { inputs: (d) => [d.nonzero([4])], fn: (a) => pow(a!, 3), shape: [4], gradient: 'second', tolerance: POINTWISE },
    'square root': { inputs: (d) => [d.positive([4])], fn: (a) => pow(a!, 0.5), shape: [4], gradient: 'second', tolerance: POINTWISE },
  }),
  ...rowsOf('maximum', {
    broadcast: { inputs: (d) => [d.distinct([4, 3]), d.of([0.53125, -0.28125, 0.09375])], fn: (a, b) => maximum(a!, b!), shape: [4, 3], gradient: 'second', tolerance: EXACT },
    'infinities': { inputs: (d) => [d.of([-INF, INF, -INF]), d.of([1, 1, -INF])], fn: (a, b) => maximum(a!, b!), shape: [3], expected: [1, INF, -INF], gradient: NOT_FINITE, tolerance: EXACT },
    int32: { inputs: (d) => [d.of([7, -3], [2], 'int32'), d.of([5, 4], [2], 'int32')], fn: (a, b) => maximum(a!, b!), shape: [2], dtype: 'int32', expected: [7, 4], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('minimum', {
    broadcast: { inputs: (d) => [d.distinct([4, 3]), d.of([0.53125, -0.28125, 0.09375])], fn: (a, b) => minimum(a!, b!), shape: [4, 3], gradient: 'second', tolerance: EXACT },
    int32: { inputs: (d) => [d.of([7, -3], [2], 'int32'), d.of([5, 4], [2], 'int32')], fn: (a, b) => minimum(a!, b!), shape: [2], dtype: 'int32', expected: [5, -3], gradient: INTEGRAL, tolerance: EXACT },
  }),
];

const comparisons: readonly ConformanceRow[] = [
  ...rowsOf('equal', {
    'NaN is not itself': { inputs: (d) => [d.of([1, NaN, INF, 0]), d.of([1, NaN, INF, -0])], fn: (a, b) => equal(a!, b!), shape: [4], dtype: 'bool', expected: [1, 0, 1, 1], gradient: INTEGRAL, tolerance: EXACT },
    'int32 broadcast': { inputs: (d) => [d.of([0, 1, 2], [3, 1], 'int32'), d.of([0, 1], [2], 'int32')], fn: (a, b) => equal(a!, b!), shape: [3, 2], dtype: 'bool', expected: [1, 0, 0, 1, 0, 0], gradient: INTEGRAL, tolerance: EXACT },
    'uint8': { inputs: (d) => [d.of([0, 255], [2], 'uint8'), d.of([0, 254], [2], 'uint8')], fn: (a, b) => equal(a!, b!), shape: [2], dtype: 'bool', expected: [1, 0], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('less', {
    'NaN compares false': { inputs: (d) => [d.of([1, NaN, -INF, 2]), d.of([2, 1, INF, 2])], fn: (a, b) => less(a!, b!), shape: [4], dtype: 'bool', expected: [1, 0, 1, 0], gradient: INTEGRAL, tolerance: EXACT },
    int32: { inputs: (d) => [d.of([-1, 3], [2], 'int32'), d.of([1, 3], [2], 'int32')], fn: (a, b) => less(a!, b!), shape: [2], dtype: 'bool', expected: [1, 0], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('lessEqual', {
    'NaN compares false': { inputs: (d) => [d.of([1, NaN, INF, 2]), d.of([2, NaN, INF, 2])], fn: (a, b) => lessEqual(a!, b!), shape: [4], dtype: 'bool', expected: [1, 0, 1, 1], gradient: INTEGRAL, tolerance: EXACT },
    int32: { inputs: (d) => [d.of([-1, 3, 4], [3], 'int32'), d.of([1, 3, 3], [3], 'int32')], fn: (a, b) => lessEqual(a!, b!), shape: [3], dtype: 'bool', expected: [1, 1, 0], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('logicalAnd', {
    broadcast: { inputs: (d) => [d.of([0, 1], [2, 1], 'bool'), d.of([0, 1], [2], 'bool')], fn: (a, b) => logicalAnd(a!, b!), shape: [2, 2], dtype: 'bool', expected: [0, 0, 0, 1], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('logicalOr', {
    broadcast: { inputs: (d) => [d.of([0, 1], [2, 1], 'bool'), d.of([0, 1], [2], 'bool')], fn: (a, b) => logicalOr(a!, b!), shape: [2, 2], dtype: 'bool', expected: [0, 1, 1, 1], gradient: INTEGRAL, tolerance: EXACT },
  }),
  ...rowsOf('where', {
    'all broadcast': { inputs: (d) => [d.of([1, 0], [2, 1], 'bool'), d.smooth([3]), d.smooth([2, 1, 1])], fn: (c, a, b) => where({ if: c!, then: a!, else: b! }), shape: [2, 2, 3], gradient: 'second', tolerance: EXACT },
    'what is not chosen does not leak': { inputs: (d) => [d.of([1, 0, 1], [3], 'bool'), d.of([1, NaN, -INF]), d.of([INF, 2, NaN])], fn: (c, a, b) => where({ if: c!, then: a!, else: b! }), shape: [3], expected: [1, 2, -INF], gradient: NOT_FINITE, tolerance: EXACT },
    int32: { inputs: (d) => [d.of([1, 0], [2], 'bool'), d.of([7, 8], [2], 'int32')], fn: (c, a) => where({ if: c!, then: a!, else: -1 }), shape: [2], dtype: 'int32', expected: [7, -1], gradient: INTEGRAL, tolerance: EXACT },
    bool: { inputs: (d) => [d.of([1, 0], [2], 'bool'), d.of([0, 0], [2], 'bool'), d.of([1, 1], [2], 'bool')], fn: (c, a, b) => where({ if: c!, then: a!, else: b! }), shape: [2], dtype: 'bool', expected: [0, 1], gradient: INTEGRAL, tolerance: EXACT },
  }),
];

const activations: readonly ConformanceRow[] = [
  ...rowsOf('silu', {
    matrix: { inputs: (d) => [d.smooth([2, 4])], fn: (x) => silu(x!), shape: [2, 4], gradient: 'second', tolerance: POINTWISE },
    'large magnitudes': { inputs: (d) => [d.of([-200, 0, 200])], fn: (x) => silu(x!), shape: [3], expected: [0, 0, 200], gradient: 'first', tolerance: POINTWISE },
  }),
  ...rowsOf('gelu', {
    exact: { inputs: (d) => [d.smooth([2, 4])], fn: (x) => gelu(x!), shape: [2, 4], gradient: 'second', tolerance: POINTWISE },
    tanh: { inputs: (d) => [d.smooth([2, 4])], fn: (x) => gelu(x!, { approximation: 'tanh' }), shape: [2, 4], gradient: 'second', tolerance: POINTWISE },
  }),
];

export const elementwiseRows: readonly ConformanceRow[] = [...unary, ...binary, ...comparisons, ...activations];
