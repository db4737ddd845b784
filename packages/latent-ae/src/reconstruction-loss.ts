import { readOptions, shownValue, UserError, type Tensor } from '@langevin/tensor';

/** What a loss compares. */
export interface ReconstructionPair {
  /** What was encoded, [N, channels, ...]. */
  readonly target: Tensor;
  /** What the decoder gave, of the same shape. */
  readonly reconstruction: Tensor;
}

/** How far a reconstruction is from what was encoded. A frozen value of {@link defineReconstructionLoss}. */
export interface ReconstructionLoss {
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  /** The paper and the equation. */
  readonly source: string;
  /** For each item, [N], as a mean over its elements. */
  readonly apply: (pair: ReconstructionPair) => Tensor;
  /** What it is multiplied by. @default 1 */
  readonly weight?: number;
  /** What the decoder's output becomes before it is looked at as a picture in [-1, 1]: probabilities of logits, say. @default as it is */
  readonly toPicture?: (reconstruction: Tensor) => Tensor;
}

/**
 * A loss as a frozen value.
 *
 * @throws UserError when its name is not well-formed, or `apply` is no function
 * @example
 * const worst = defineReconstructionLoss({
 *   name: 'worst', summary: 'The largest difference.', source: 'Chebyshev',
 *   apply: ({ target, reconstruction }) => max(abs(sub(target, reconstruction)), { axes: [1, 2, 3] }),
 * });
 * worst.name; // => 'worst'
 */
export function defineReconstructionLoss(loss: ReconstructionLoss): ReconstructionLoss {
  const where = 'latent-ae/loss';
  const { name, apply } = readOptions(where, loss);
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,63}$/.test(name))
    throw new UserError(`[${where}] name is not well-formed: name=${shownValue(name)}. Use lower-case letters, digits and hyphens.`);
  if (typeof apply !== 'function')
    throw new UserError(`[${where}] there is nothing to apply: apply=${shownValue(apply)}. Pass a function from two tensors to one.`);
  return Object.freeze({ ...loss });
}
