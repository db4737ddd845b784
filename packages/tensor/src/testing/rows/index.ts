import type { ConformanceRow } from '../row.ts';
import { elementwiseRows } from './elementwise.ts';
import { indexingRows } from './indexing.ts';
import { linearRows } from './linear.ts';
import { reduceRows } from './reduce.ts';
import { shapingRows } from './shaping.ts';

/** Everything that is asked of an engine's ops: at least one row for each primitive and composite. */
export const conformanceRows: readonly ConformanceRow[] = [
  ...elementwiseRows,
  ...reduceRows,
  ...shapingRows,
  ...indexingRows,
  ...linearRows,
];
