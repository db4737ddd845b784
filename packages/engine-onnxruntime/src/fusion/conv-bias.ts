import { sameShape } from '@langevin/tensor';
import { asVector, isPerChannel } from './channel.ts';
import { orders, type Program, type ProgramNode } from './program.ts';

/** A convolution adds its bias, and then a tensor of the result's shape, while it writes its result. */
export function fuseConvBias(root: ProgramNode, program: Program): readonly ProgramNode[] | undefined {
  const out = root.outputs[0]!;
  if (root.op !== 'add' || program.dtype(out) !== 'float32') return undefined;
  const shape = program.shape(out);
  for (const [convolved, other] of orders(root.inputs)) {
    if (!program.usedOnce(convolved) || !sameShape(program.shape(convolved), shape)) continue;
    const conv = program.producer(convolved, 'conv');
    if (conv && isPerChannel(program, other, shape)) {
      const bias = asVector(program, other);
      return [...bias.nodes, { op: 'convBias', params: conv.params, inputs: [...conv.inputs, bias.vector], outputs: [out] }];
    }
    const biased = program.producer(convolved, 'convBias');
    if (biased?.inputs.length === 3 && sameShape(program.shape(other), shape)) {
      return [{ op: 'convBias', params: biased.params, inputs: [...biased.inputs, other], outputs: [out] }];
    }
  }
  return undefined;
}
