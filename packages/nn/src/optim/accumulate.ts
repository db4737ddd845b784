import { add, isFloating, mapTensors, mul, UserError } from '@langevin/tensor';

/** Element by element sum of two trees of one structure: gradients of one more part of a batch. Integers stay those of the first. */
export function addGradients<P>(total: P, grads: P): P {
  return mapTensors(total, (a, [b]) => (isFloating(a.dtype) ? add(a, b!) : a), grads);
}

/**
 * The mean of the gradients of `count` equal parts of a batch: the gradient of the whole batch when the loss is a mean.
 *
 * @param parts gradients of each part, at least one
 * @throws UserError when there are no parts, or their structures differ
 */
export function meanGradients<P>(parts: readonly P[]): P {
  const [first, ...rest] = parts;
  if (first === undefined)
    throw new UserError('[nn/meanGradients] nothing to average: parts=[]. Give the gradients of at least one part of the batch.');
  const total = rest.reduce<P>((sum, part) => addGradients(sum, part), first);
  return parts.length === 1 ? total : mapTensors(total, (g) => (isFloating(g.dtype) ? mul(g, 1 / parts.length) : g));
}
