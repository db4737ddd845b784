import { sameShape } from '@langevin/tensor';
import { orders, type Program, type ProgramNode } from './program.ts';

/**
 * The inner products of g v^T with p, row by row, are those of g with p v. Where p v was computed anyway this reads rows of a head's
 * features instead of rows of all tokens: the gradient of attention's softmax (Dao et al. 2022, appendix B.2).
 */
export function shortenDot(root: ProgramNode, program: Program): readonly ProgramNode[] | undefined {
  if (root.op !== 'dot') return undefined;
  const shape = program.shape(root.inputs[0]!);
  if (root.params.kept !== shape.length - 1) return undefined;
  for (const [product, weights] of orders(root.inputs)) {
    const left = program.producer(product, 'matmul');
    if (!left || left.params.transposeA || !left.params.transposeB) continue;
    const [g, v] = left.inputs;
    const found = program.consumers(weights).find((node) => {
      return (
        node.op === 'matmul' && !node.params.transposeA && !node.params.transposeB && node.inputs[0] === weights && node.inputs[1] === v
      );
    });
    if (!found || !sameShape(program.shape(found.outputs[0]!), program.shape(g!)) || program.shape(g!).at(-1)! >= shape.at(-1)!) continue;
    if (program.nodes.indexOf(found) > program.nodes.indexOf(root)) continue;
    return [{ ...root, inputs: [g!, found.outputs[0]!] }];
  }
  return undefined;
}
