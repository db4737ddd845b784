import type { Shape, ValueId } from '@langevin/tensor';
import { sizeOf } from '@langevin/tensor';
import type { Program, ProgramNode } from './program.ts';

/** Whether a value holds one number for each of the channels (axis 1) of a tensor of the shape `of`: [C, 1, ...] or [1, C, 1, ...]. */
export function isPerChannel(program: Program, value: ValueId, of: Shape): boolean {
  const shape = program.shape(value);
  const channels = of[1]!;
  const axis = shape.length - (of.length - 1);
  return (axis === 0 || axis === 1) && shape[axis] === channels && sizeOf(shape) === channels && channels > 1;
}

/** A per-channel value as a vector [C]. */
export function asVector(program: Program, value: ValueId): { readonly vector: ValueId; readonly nodes: readonly ProgramNode[] } {
  const channels = sizeOf(program.shape(value));
  const vector = program.add(program.dtype(value), [channels]);
  return { vector, nodes: [{ op: 'reshape', params: { shape: [channels] }, inputs: [value], outputs: [vector] }] };
}
