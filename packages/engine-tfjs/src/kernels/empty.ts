import { sizeOf } from '@langevin/tensor';
import type { PrimitiveName, ValueInfo } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { storageOf } from '../storage.ts';

/** Ops that are linear in an operand: all zeros when it has no elements. */
const ZERO_ON_EMPTY: ReadonlySet<PrimitiveName> = new Set<PrimitiveName>([
  'sum',
  'matmul',
  'scatterAdd',
  'scatterElementsAdd',
  'conv',
  'convInputGrad',
  'convWeightGrad',
]);

/** Kernels need not know of tensors without elements: the result of a node that has one, or undefined when none has. */
export function runOnEmpty(
  { op, outputInfo }: { readonly op: PrimitiveName; readonly outputInfo: readonly ValueInfo[] },
  inputs: readonly Tensor[],
): readonly Tensor[] | undefined {
  const emptyOutputs = outputInfo.every(({ shape }) => sizeOf(shape) === 0);
  const zeros = emptyOutputs || (ZERO_ON_EMPTY.has(op) && inputs.some((x) => x.size === 0));
  return zeros ? outputInfo.map(({ shape, dtype }) => tf.zeros([...shape], storageOf(dtype, 'run'))) : undefined;
}
