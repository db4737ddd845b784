import { sizeOf } from '@langevin/tensor';
import { keptAxes } from './dot.ts';
import type { Program, ProgramNode } from './program.ts';

/** Shorter rows make more work than they save. */
const SHORTEST = 16;

/** Sum trailing axes first, so that sums over [2, 3] and over [0, 2, 3] of one tensor share the pass over it. */
export function splitSum(root: ProgramNode, program: Program): readonly ProgramNode[] | undefined {
  if (root.op !== 'sum' || program.dtype(root.outputs[0]!) !== 'float32') return undefined;
  const x = root.inputs[0]!;
  const shape = program.shape(x);
  const { axes } = root.params;
  const kept = keptAxes(shape.length, axes);
  const rest = axes.filter((axis) => axis < kept);
  if (rest.length === 0 || kept === shape.length || sizeOf(shape.slice(kept)) < SHORTEST) return undefined;
  const rows = program.add('float32', shape.slice(0, kept));
  const summed = program.add(
    'float32',
    shape.slice(0, kept).filter((_, i) => !rest.includes(i)),
  );
  return [
    { op: 'sum', params: { axes: axes.filter((axis) => axis >= kept), keepDims: false }, inputs: [x], outputs: [rows] },
    { op: 'sum', params: { axes: rest, keepDims: false }, inputs: [rows], outputs: [summed] },
    { op: 'reshape', params: { shape: program.shape(root.outputs[0]!) }, inputs: [summed], outputs: root.outputs },
  ];
}
