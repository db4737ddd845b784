import type { ConformanceRow } from '../row.ts';
import { activationRows } from './activations.ts';
import { binaryRows } from './binary.ts';
import { comparisonRows } from './comparisons.ts';
import { edgeRows } from './edges.ts';
import { indexingRows } from './indexing.ts';
import { linearRows } from './linear.ts';
import { longSumRows } from './long-sums.ts';
import { notANumberRows } from './not-a-number.ts';
import { reduceRows } from './reduce.ts';
import { shapingRows } from './shaping.ts';
import { unaryRows } from './unary.ts';

/** Everything that is asked of an engine's ops: at least one row for each primitive and composite. */
export const conformanceRows: readonly ConformanceRow[] = [
  ...unaryRows,
  ...binaryRows,
  ...comparisonRows,
  ...activationRows,
  ...reduceRows,
  ...shapingRows,
  ...indexingRows,
  ...linearRows,
  ...edgeRows,
  ...notANumberRows,
  ...longSumRows,
];
