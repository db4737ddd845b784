import { sizeOf } from '@langevin/tensor';
import type { Program, ProgramNode } from './program.ts';

/** A border of zeros around the spatial axes is the convolution's own padding. (Of a pooling it is not: there borders are -infinity.) */
export function fuseConvPad(root: ProgramNode, program: Program): readonly ProgramNode[] | undefined {
  if (root.op !== 'conv') return undefined;
  const [padded, w] = root.inputs as [number, number];
  const border = program.producer(padded, 'pad');
  if (!border || border.params.value !== 0 || !program.usedOnce(padded) || sizeOf(program.shape(border.inputs[0]!)) === 0) return undefined;
  const [batch, channels, ...spatial] = border.params.padding;
  if ([batch, channels].some((sides) => sides?.some((n) => n !== 0))) return undefined;
  const padding = root.params.padding.map(([before, after], i) => [before + spatial[i]![0], after + spatial[i]![1]] as const);
  return [{ ...root, params: { ...root.params, padding }, inputs: [border.inputs[0]!, w] }];
}
