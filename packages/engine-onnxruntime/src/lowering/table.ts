import type { PrimitiveName } from '@langevin/tensor';
import type { FusedName } from '../fusion/program.ts';
import { alongAxes } from './along-axes.ts';
import { composites } from './composites.ts';
import { convolution } from './convolution.ts';
import { elementwise } from './elementwise.ts';
import { fused } from './fused.ts';
import { indexing } from './indexing.ts';
import { linearAlgebra } from './linear-algebra.ts';
import type { LoweredComposite, LoweringTable } from './scope.ts';
import { shapeOps } from './shape-ops.ts';

/** How every op becomes ONNX nodes; a primitive without an entry is a compile error. */
export const loweringTable: LoweringTable<PrimitiveName | LoweredComposite | FusedName> = {
  ...elementwise,
  ...alongAxes,
  ...shapeOps,
  ...indexing,
  ...linearAlgebra,
  ...convolution,
  ...composites,
  ...fused,
};
