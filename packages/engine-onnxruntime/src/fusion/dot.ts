import { sameShape, sizeOf, type ValueId } from '@langevin/tensor';
import type { Program, ProgramNode } from './program.ts';

/** Shorter rows are not worth a product of matrices each. */
const SHORTEST = 32;

/** The sum of a product over trailing axes is a batch of inner products: no product is written to memory. */
export function fuseDot(root: ProgramNode, program: Program): readonly ProgramNode[] | undefined {
  if (root.op !== 'sum' || program.dtype(root.outputs[0]!) !== 'float32') return undefined;
  const product = program.producer(root.inputs[0]!, 'mul');
  if (!product) return undefined;
  const [a, b] = product.inputs as readonly [ValueId, ValueId];
  const shape = program.shape(product.outputs[0]!);
  if (!sameShape(program.shape(a), shape) || !sameShape(program.shape(b), shape)) return undefined;
  const kept = keptAxes(shape.length, root.params.axes);
  if (kept === 0 || kept === shape.length || sizeOf(shape.slice(kept)) < SHORTEST) return undefined;
  const rows = program.add('float32', shape.slice(0, kept));
  return [{ op: 'dot', params: { kept }, inputs: [a, b], outputs: [rows] }, ...remainingSum(root, program, { rows, kept })];
}

/** How many leading axes remain when the longest run of trailing axes is summed. */
export function keptAxes(rank: number, axes: readonly number[]): number {
  let kept = rank;
  while (kept > 0 && axes.includes(kept - 1)) kept--;
  return kept;
}

/** A tensor whose trailing axes are summed, and how many are left. */
interface SummedRows {
  readonly rows: ValueId;
  readonly kept: number;
}

type Sum = Extract<ProgramNode, { op: 'sum' }>;

/** What is left to do of a sum once its trailing axes are summed. */
function remainingSum(root: Sum, program: Program, { rows, kept }: SummedRows): readonly ProgramNode[] {
  const axes = root.params.axes.filter((axis) => axis < kept);
  const shape = program.shape(root.outputs[0]!);
  const flat = program.shape(rows).filter((_, i) => !axes.includes(i));
  const summed = axes.length === 0 ? rows : program.add('float32', flat);
  const sum: ProgramNode[] = axes.length === 0 ? [] : [{ op: 'sum', params: { axes, keepDims: false }, inputs: [rows], outputs: [summed] }];
  return [...sum, { op: 'reshape', params: { shape }, inputs: [summed], outputs: root.outputs }];
}
