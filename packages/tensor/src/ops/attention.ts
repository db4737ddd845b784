import { checkNumber } from '../check-number.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import { readOptions } from '../read-options.ts';
import { broadcastShapes, sameShape, showShape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';
import { add, mul } from './binary.ts';
import { matmul } from './matmul.ts';
import { softmax } from './normalize.ts';
import { equal, where } from './compare.ts';
import { zeros } from './create.ts';
import { shapeOf, tensorOf } from './operands.ts';
import { max } from './reduce.ts';

export const attentionOp: OpDefinition<'attention'> = {
  op: 'attention',
  infer([q, k, v, mask]) {
    const [b, h, l, d] = q!.shape;
    const s = k!.shape[2];
    const logits = [b!, h!, l!, s!];
    const fits =
      [q!, k!, v!].every((t) => t.shape.length === 4 && t.dtype === q!.dtype && t.shape[0] === b && t.shape[1] === h)
      && k!.shape[3] === d
      && v!.shape[2] === s;
    if (!fits) {
      throw new UserError(
        `[tensor/attention] shapes do not fit: q=${showShape(q!.shape)}, k=${showShape(k!.shape)}, v=${showShape(v!.shape)}. q is `
          + '[B, H, L, D], k [B, H, S, D], v [B, H, S, E], all of one dtype.',
      );
    }
    if (mask && (mask.dtype !== q!.dtype || !sameShape(broadcastShapes('tensor/attention', mask.shape, logits), logits))) {
      throw new UserError(
        `[tensor/attention] mask does not fit: mask=${mask.dtype}${showShape(mask.shape)}, logits=${showShape(logits)}. It must `
          + `broadcast to the logits, as ${q!.dtype} (added) or bool (true keeps).`,
      );
    }
    return [{ shape: [b!, h!, l!, v!.shape[3]!], dtype: q!.dtype }];
  },
  expand([q, k, v, mask], { scale }) {
    const logits = matmul(mul(q!, scale), k!, { transposeB: true });
    return [matmul(softmax(mask ? add(logits, mask) : logits), v!)];
  },
};

export interface AttentionOperands {
  /** [B, H, L, D] */
  readonly q: Tensor;
  /** [B, H, S, D] */
  readonly k: Tensor;
  /** [B, H, S, E] */
  readonly v: Tensor;
  /**
   * Added to the logits; a bool mask keeps where true. Broadcast to [B, H, L, S]. A row that is masked everywhere (false, or -infinity)
   * gives 0, with zero gradients. @default none
   */
  readonly mask?: Tensor | undefined;
  /** @default 1 / sqrt(D) */
  readonly scale?: number;
}

/**
 * Scaled dot-product attention, softmax(scale q k^T + mask) v. Vaswani et al. 2017.
 *
 * @returns [B, H, L, E]
 * @throws UserError when shapes or dtypes do not fit
 * @example
 * const x = ones([1, 2, 5, 4]);
 * attention({ q: x, k: x, v: x }).shape; // => [1, 2, 5, 4]
 */
export function attention(operands: AttentionOperands): Tensor {
  const name = 'tensor/attention';
  const {
    q,
    k,
    v,
    mask: given,
    scale = 1 / Math.sqrt(shapeOf(name, operands?.q).at(-1) ?? 1),
  } = readOptions(name, operands, ['q', 'k', 'v', 'mask', 'scale']);
  checkNumber(name, { scale });
  for (const operand of given === undefined ? [q, k, v] : [q, k, v, given]) tensorOf(name, operand);
  const mask = given?.dtype === 'bool' ? where({ if: given, then: zeros([], q.dtype), else: -Infinity }) : given;
  if (!mask) return apply1(attentionOp, [q, k, v], { scale });
  if (mask.dtype !== q.dtype) return apply1(attentionOp, [q, k, v, mask], { scale }); // refuses it
  // Softmax has no value where nothing is kept: such a row is computed without its mask, and then neither read nor differentiated.
  const isMasked = equal(mask.rank === 0 ? mask : max(mask, { axes: -1, dims: 'keep' }), -Infinity);
  const out = apply1(attentionOp, [q, k, v, where({ if: isMasked, then: 0, else: mask })], { scale });
  return where({ if: isMasked, then: 0, else: out });
}
