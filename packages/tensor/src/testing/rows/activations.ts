import { gelu, silu } from '../../ops/activation.ts';
import { rowsOf, type ConformanceRow } from '../row.ts';
import { POINTWISE } from '../tolerance.ts';

export const activationRows: readonly ConformanceRow[] = [
  ...rowsOf('silu', {
    matrix: { inputs: (d) => [d.smooth([2, 4])], fn: (x) => silu(x!), shape: [2, 4], gradient: 'second', tolerance: POINTWISE },
    'large magnitudes': {
      inputs: (d) => [d.of([-200, 0, 200])],
      fn: (x) => silu(x!),
      shape: [3],
      expected: [0, 0, 200],
      gradient: 'first',
      tolerance: POINTWISE,
    },
  }),
  ...rowsOf('gelu', {
    exact: { inputs: (d) => [d.smooth([2, 4])], fn: (x) => gelu(x!), shape: [2, 4], gradient: 'second', tolerance: POINTWISE },
    tanh: {
      inputs: (d) => [d.smooth([2, 4])],
      fn: (x) => gelu(x!, { approximation: 'tanh' }),
      shape: [2, 4],
      gradient: 'second',
      tolerance: POINTWISE,
    },
  }),
];
