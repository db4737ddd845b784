import type { ValueId } from '@langevin/tensor';
import { orders, type Program, type ProgramNode } from './program.ts';

/**
 * g * s + (g * z) * (s * (1 - s)) -> g * (s + h * (1 - s)) with h = z * s, which the forward pass has: four passes instead of six.
 */
export function fuseSiluGrad(root: ProgramNode, program: Program): readonly ProgramNode[] | undefined {
  if (root.op !== 'add' || program.dtype(root.outputs[0]!) !== 'float32') return undefined;
  for (const [plain, curved] of orders(root.inputs)) {
    const first = program.producer(plain, 'mul');
    const second = program.producer(curved, 'mul');
    if (!first || !second) continue;
    for (const [g, s] of orders(first.inputs)) {
      const sigmoid = program.producer(s, 'sigmoid');
      if (!sigmoid) continue;
      const z = sigmoid.inputs[0]!;
      const h = productOf(program, z, s);
      if (h === undefined || !isCurved(program, second.inputs, { g, z, s })) continue;
      return [{ op: 'siluGrad', params: {}, inputs: [g, s, h], outputs: root.outputs }];
    }
  }
  return undefined;
}

/** Whether two factors are g * z and s * (1 - s). */
function isCurved(program: Program, factors: readonly ValueId[], { g, z, s }: Readonly<Record<'g' | 'z' | 's', ValueId>>): boolean {
  return orders(factors).some(([left, right]) => {
    if (!isProduct(program, left, g, z)) return false;
    const slope = program.producer(right, 'mul');
    return !!slope && orders(slope.inputs).some(([a, b]) => a === s && isOneMinus(program, b, s));
  });
}

function isOneMinus(program: Program, value: ValueId, s: ValueId): boolean {
  const node = program.producer(value, 'sub');
  return !!node && node.inputs[1] === s && program.number(node.inputs[0]!) === 1;
}

function isProduct(program: Program, value: ValueId, a: ValueId, b: ValueId): boolean {
  const node = program.producer(value, 'mul');
  return !!node && orders(node.inputs).some(([x, y]) => x === a && y === b);
}

function productOf(program: Program, a: ValueId, b: ValueId): ValueId | undefined {
  return program.consumers(a).find((node) => node.op === 'mul' && isProduct(program, node.outputs[0]!, a, b))?.outputs[0];
}
