import { sameShape, type ValueId } from '@langevin/tensor';
import { asVector, isPerChannel } from './channel.ts';
import { orders, type Program, type ProgramNode } from './program.ts';

/**
 * x * scale + bias by channel, in one pass instead of two, where x was normalised: group norm, as it is differentiated through. Elsewhere
 * it would change what an infinite scale means, since the kernel computes 0 * scale on the way.
 */
export function fuseChannelAffine(root: ProgramNode, program: Program): readonly ProgramNode[] | undefined {
  const out = root.outputs[0]!;
  const shape = program.shape(out);
  if (root.op !== 'add' || program.dtype(out) !== 'float32' || shape.length < 3) return undefined;
  for (const [scaled, bias] of orders(root.inputs)) {
    const product = program.producer(scaled, 'mul');
    if (!product || !program.usedOnce(scaled) || !isPerChannel(program, bias, shape)) continue;
    for (const [x, scale] of orders(product.inputs)) {
      if (!isNormalised(program, x) || !sameShape(program.shape(x), shape) || !isPerChannel(program, scale, shape)) continue;
      const a = asVector(program, scale);
      const b = asVector(program, bias);
      return [...a.nodes, ...b.nodes, { op: 'channelAffine', params: {}, inputs: [x, a.vector, b.vector], outputs: [out] }];
    }
  }
  return undefined;
}

function isNormalised(program: Program, x: ValueId): boolean {
  const origin = program.producer(x, 'reshape')?.inputs[0] ?? x;
  return program.producer(origin, 'normalize')?.outputs[0] === origin;
}
