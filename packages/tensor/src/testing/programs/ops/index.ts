import type { Tensor } from '../../../tensor.ts';
import type { Attributes } from '../spec.ts';
import { elementwiseOps } from './elementwise.ts';
import { linearOps } from './linear.ts';
import { reduceOps } from './reduce.ts';
import { shapeOps } from './shape.ts';

export type ProgramOp = (inputs: readonly Tensor[], attributes: Attributes) => Tensor;

/** What programs can do, by the name of the public function that it is: each op of the package that is not host code. */
export const programOps: Readonly<Record<string, ProgramOp>> = { ...elementwiseOps, ...reduceOps, ...shapeOps, ...linearOps };
