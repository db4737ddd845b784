import { shownValue } from '../check-number.ts';
import { isFloating } from '../dtype.ts';
import { InternalError, UserError } from '../errors.ts';
import { expansionOf, type OpNode } from '../graph/node.ts';
import { postOrder } from '../graph/post-order.ts';
import { add } from '../ops/binary.ts';
import { onesLike, zerosLike } from '../ops/create.ts';
import { tensorOf } from '../ops/operands.ts';
import { readOptions } from '../read-options.ts';
import { sameShape, showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** The tensors a node's outputs are computed from: its expansion if it is a composite without a gradient rule of its own. */
function dependencies(node: OpNode): readonly Tensor[] {
  return node.definition.vjp ? node.inputs : expansionOf(node);
}

/** Nodes between `xs` and `ys`, inputs before consumers. */
function pathNodes(
  ys: readonly Tensor[],
  xs: ReadonlySet<Tensor>,
): { readonly order: readonly OpNode[]; readonly reaches: ReadonlySet<Tensor> } {
  const reaches = new Set<Tensor>(xs);
  const order = postOrder(ys, dependencies).filter((node) => {
    if (!dependencies(node).some((input) => reaches.has(input))) return false;
    for (const output of node.outputs) if (isFloating(output.dtype)) reaches.add(output);
    return true;
  });
  return { order, reaches };
}

export interface GradientsOptions {
  /** One for each y, of its shape. @default ones, for scalars only */
  readonly cotangents?: readonly Tensor[];
}

/**
 * Reverse-mode derivatives, as graph nodes: sum over ys of cotangent^T dy/dx for each x. They can be differentiated again.
 * Tensors that ys do not depend on get zeros.
 *
 * @throws UserError when a y is not a scalar and no cotangents are given, or a dtype is not a float
 * @example
 * const x = scalar(3);
 * const [dx] = gradients([mul(x, x)], [x]);
 * await item(dx!); // => 6
 */
export function gradients(ys: readonly Tensor[], xs: readonly Tensor[], options: GradientsOptions = {}): Tensor[] {
  checkTensors({ ys, xs });
  const { cotangents: seeds } = readOptions('tensor/gradients', options, ['cotangents']);
  if (seeds !== undefined) checkTensors({ cotangents: seeds });
  const cotangentOf = new Map<Tensor, Tensor>();
  const accumulate = (tensor: Tensor, g: Tensor): void => {
    if (!sameShape(tensor.shape, g.shape))
      throw new InternalError(
        `[tensor/gradients] cotangent ${showShape(g.shape)} does not have the shape of its value ${tensor.toString()}.`,
      );
    const before = cotangentOf.get(tensor);
    cotangentOf.set(tensor, before ? add(before, g) : g);
  };
  for (const x of xs)
    if (!isFloating(x.dtype))
      throw new UserError(`[tensor/gradients] cannot differentiate by an integer: x=${x.toString()}. Only floats have gradients.`);
  const { order, reaches } = pathNodes(ys, new Set(xs));
  ys.forEach((y, i) => accumulate(y, seedFor(y, seeds?.[i])));
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!;
    const cotangents = node.outputs.map((output) => cotangentOf.get(output));
    if (cotangents.every((g) => g === undefined)) continue;
    if (!node.definition.vjp) {
      node.mustExpand = true;
      expansionOf(node).forEach((inner, j) => cotangents[j] && reaches.has(inner) && accumulate(inner, cotangents[j]));
      continue;
    }
    const rules = node.definition.vjp({ inputs: node.inputs, outputs: node.outputs, params: node.params as never, cotangents });
    node.inputs.forEach((input, j) => {
      const g = reaches.has(input) ? rules[j]?.() : undefined;
      if (g) accumulate(input, g);
    });
  }
  return xs.map((x) => cotangentOf.get(x) ?? zerosLike(x));
}

function checkTensors(lists: Readonly<Record<string, readonly Tensor[]>>): void {
  for (const [name, list] of Object.entries(lists)) {
    if (!Array.isArray(list))
      throw new UserError(`[tensor/gradients] ${name} are no list: ${name}=${shownValue(list)}. Give tensors as [a, b].`);
    for (const tensor of list) tensorOf('tensor/gradients', tensor);
  }
}

function seedFor(y: Tensor, cotangent: Tensor | undefined): Tensor {
  if (cotangent) {
    if (!sameShape(cotangent.shape, y.shape) || cotangent.dtype !== y.dtype) {
      throw new UserError(
        `[tensor/gradients] cotangent does not fit: y=${y.toString()}, cotangent=${cotangent.toString()}. Shape and dtype must be `
          + 'those of y.',
      );
    }
    return cotangent;
  }
  if (y.rank !== 0 || !isFloating(y.dtype)) {
    throw new UserError(
      `[tensor/gradients] value is not a float scalar: y=${y.toString()}. Reduce it with mean() or sum(), or give cotangents.`,
    );
  }
  return onesLike(y);
}
