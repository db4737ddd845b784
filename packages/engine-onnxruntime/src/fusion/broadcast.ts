import type { ValueId } from '@langevin/tensor';
import { broadcastShapes, sameShape } from '@langevin/tensor';
import type { Program, ProgramNode } from './program.ts';

const ELEMENTWISE: ReadonlySet<string> = new Set([
  'add',
  'sub',
  'mul',
  'div',
  'pow',
  'maximum',
  'minimum',
  'equal',
  'less',
  'lessEqual',
  'where',
]);

/** Elementwise ops broadcast by themselves: read what was broadcast, and do not write the copies. */
export function readThroughBroadcast(root: ProgramNode, program: Program): readonly ProgramNode[] | undefined {
  if (!ELEMENTWISE.has(root.op)) return undefined;
  const shape = program.shape(root.outputs[0]!);
  let inputs: readonly ValueId[] = root.inputs;
  for (const [i, value] of root.inputs.entries()) {
    const broadcast = program.producer(value, 'broadcastTo');
    if (!broadcast) continue;
    const candidate = inputs.map((input, j) => (j === i ? broadcast.inputs[0]! : input));
    const result = candidate.map((input) => program.shape(input)).reduce((a, b) => broadcastShapes('engine-onnxruntime/fusion', a, b));
    if (sameShape(result, shape)) inputs = candidate;
  }
  return inputs === root.inputs ? undefined : [{ ...root, inputs } as ProgramNode];
}
