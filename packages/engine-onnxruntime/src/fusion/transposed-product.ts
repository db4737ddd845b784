import type { ValueId } from '@langevin/tensor';
import type { Program, ProgramNode } from './program.ts';

/** A product reads an operand with its last axes exchanged as it is: what was transposed for it alone is not written. */
export function fuseTransposedProduct(root: ProgramNode, program: Program): readonly ProgramNode[] | undefined {
  if (root.op !== 'matmul') return undefined;
  const [a, b] = root.inputs as readonly [ValueId, ValueId];
  const [plainA, plainB] = [beforeTranspose(a, program), beforeTranspose(b, program)];
  if (plainA === undefined && plainB === undefined) return undefined;
  const { transposeA, transposeB } = root.params;
  const params = { transposeA: transposeA !== (plainA !== undefined), transposeB: transposeB !== (plainB !== undefined) };
  return [{ ...root, params, inputs: [plainA ?? a, plainB ?? b] }];
}

/** What was transposed to make a value, if that exchanged the last two axes and nobody else reads it. */
function beforeTranspose(value: ValueId, program: Program): ValueId | undefined {
  const node = program.producer(value, 'transpose');
  if (!node || !program.usedOnce(value)) return undefined;
  const { permutation } = node.params;
  const rank = permutation.length;
  const isExchange = rank >= 2 && permutation.every((axis, i) => axis === (i < rank - 2 ? i : 2 * rank - 3 - i));
  return isExchange ? node.inputs[0]! : undefined;
}
