import { Tensor } from '../tensor.ts';
import type { OpNode } from './node.ts';

/**
 * The ops that `targets` are computed by, inputs before consumers, each once. A stack of our own, since graphs are deeper than that of the
 * language.
 *
 * @param inputsOf what a node is computed from; a node that gives nothing ends its branch
 */
export function postOrder(targets: readonly Tensor[], inputsOf: (node: OpNode) => readonly Tensor[]): OpNode[] {
  const order: OpNode[] = [];
  const state = new Map<OpNode, 'open' | 'done'>();
  const stack: Tensor[] = [...targets];
  while (stack.length > 0) {
    const source = Tensor.source(stack[stack.length - 1]!);
    if (source.kind !== 'op' || state.get(source.node) === 'done') {
      stack.pop();
      continue;
    }
    const { node } = source;
    if (state.get(node) === undefined) {
      state.set(node, 'open');
      stack.push(...inputsOf(node));
      continue;
    }
    state.set(node, 'done');
    stack.pop();
    order.push(node);
  }
  return order;
}
