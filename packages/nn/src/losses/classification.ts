import {
  readOptions,
  shapeOf,
  add,
  expandDims,
  gatherElements,
  isFloating,
  logSoftmax,
  mean,
  mul,
  neg,
  sameShape,
  showShape,
  softplus,
  squeeze,
  sub,
  sum,
  UserError,
  type Tensor,
} from '@langevin/tensor';
import { reduceLoss, type LossOptions } from './reduce.ts';
import { requireSameShape } from './shapes.ts';

/**
 * -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)), without overflow.
 *
 * @param logits x, any shape
 * @param target t, of the same shape and dtype, in [0, 1]
 * @throws UserError when the shapes differ
 */
export function binaryCrossEntropyWithLogits(logits: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  requireSameShape('binaryCrossEntropyWithLogits', logits, target);
  // Each half keeps the digits of a small loss, which softplus(x) - t x would lose.
  return reduceLoss(add(mul(target, softplus(neg(logits))), mul(sub(1, target), softplus(logits))), options);
}

export interface CrossEntropyOptions extends LossOptions {
  /** Share of the target that is spread evenly over all classes, in [0, 1). @default 0 */
  readonly labelSmoothing?: number;
}

/**
 * -sum over classes of target log(softmax(logits)), with classes on axis 1 as in PyTorch.
 *
 * @param logits [N, C, ...]
 * @param target class indices int32 [N, ...] in [0, C), or probabilities [N, C, ...]
 * @returns a scalar, or [N, ...] with reduction 'none'. The mean is over [N, ...].
 * @throws UserError when the shapes do not fit or labelSmoothing is out of range
 */
export function crossEntropyLoss(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { labelSmoothing = 0 } = readOptions('nn/crossEntropyLoss', options);
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    throw new UserError(`[nn/crossEntropyLoss] labelSmoothing is out of range: labelSmoothing=${labelSmoothing}. Give a number in [0, 1).`);
  const [given, shape] = [shapeOf('nn/crossEntropyLoss', target), shapeOf('nn/crossEntropyLoss', logits)];
  const soft = isFloating(target.dtype);
  const wanted = shape.filter((_, i) => soft || i !== 1);
  if (logits.rank < 2 || !sameShape(given, wanted) || (!soft && target.dtype !== 'int32')) {
    throw new UserError(
      `[nn/crossEntropyLoss] target does not fit: logits=${showShape(logits.shape)}, `
        + `target=${target.dtype}${showShape(target.shape)}. logits are [N, C, ...]; target is int32 [N, ...] or probabilities [N, C, `
        + '...].',
    );
  }
  const logProbability = logSoftmax(logits, 1);
  const hard = soft
    ? neg(sum(mul(target, logProbability), { axes: 1 }))
    : neg(squeeze(gatherElements(logProbability, expandDims(target, 1), 1), 1));
  if (labelSmoothing === 0) return reduceLoss(hard, options);
  return reduceLoss(sub(mul(hard, 1 - labelSmoothing), mul(mean(logProbability, { axes: 1 }), labelSmoothing)), options);
}
