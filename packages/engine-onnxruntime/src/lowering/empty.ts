import { sizeOf } from '@langevin/tensor';
import type { ProgramNode } from '../fusion/program.ts';
import type { Operand, Scope } from './scope.ts';

const SUMS: ReadonlySet<string> = new Set(['sum', 'matmul', 'dot', 'scatterAdd', 'scatterElementsAdd', 'convInputGrad', 'convWeightGrad']);

const isEmpty = ({ shape }: { readonly shape: readonly number[] }): boolean => shape.includes(0);

/**
 * Results of ops on tensors without elements, which are known now: kernels need not expect them, and some do not. Undefined when the
 * op has work to do.
 */
export function lowerEmpty(scope: Scope, node: ProgramNode): readonly string[] | undefined {
  const { inputs, outputs } = scope;
  if (outputs.every(isEmpty)) return outputs.map(({ dtype, shape }) => scope.fill(dtype, 0, shape));
  if (!inputs.some(isEmpty)) return undefined;
  const filled = (value: number): readonly string[] => {
    const { dtype, shape } = outputs[0]!;
    return [scope.emit('Expand', [scope.fill(dtype, value), scope.ints(shape)])];
  };
  if (node.op === 'concat')
    return [
      joined(
        scope,
        inputs.filter((input) => !isEmpty(input)),
        node.params.axis,
      ),
    ];
  // Nothing has no mean.
  if (node.op === 'normalize') return outputs.map(({ dtype, shape }) => scope.fill(dtype, shape.includes(0) ? 0 : NaN, shape));
  if (node.op === 'pad') return filled(node.params.value);
  if (SUMS.has(node.op) && sizeOf(outputs[0]!.shape) > 0) return filled(0);
  return undefined;
}

function joined(scope: Scope, operands: readonly Operand[], axis: number): string {
  return operands.length === 1 ? operands[0]!.name : scope.emit('Concat', operands, { attributes: { axis } });
}
