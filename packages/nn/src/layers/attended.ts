import { attention as attend, broadcastTo, cast, eye, matmul, mul, softmax, type AttentionOperands, type Tensor } from '@langevin/tensor';

/** How attention is computed, beside its operands. */
export interface AttendedOptions {
  /** What logits and weights are computed in. @default 'as given' */
  readonly precision?: 'as given' | 'float32' | undefined;
  /** Sees the weights [N, heads, L, S] and says what is used for them. @default nobody does: the fused op */
  readonly weights?: ((weights: Tensor) => Tensor) | undefined;
}

/** Attention in the precision asked for; by its weights, where somebody wants to see them. */
export function attended(operands: AttentionOperands, { precision, weights }: AttendedOptions): Tensor {
  const wide = precision === 'float32' ? (t: Tensor): Tensor => cast(t, 'float32') : (t: Tensor): Tensor => t;
  const { mask } = operands;
  const [q, k, v] = [wide(operands.q), wide(operands.k), wide(operands.v)];
  if (weights === undefined) return cast(attend({ q, k, v, mask }), operands.q.dtype);
  return cast(matmul(weights(weightsOf({ q, k, mask })), v), operands.q.dtype);
}

/** The weights [N, heads, L, S] that the fused op does not give. */
function weightsOf({ q, k, mask }: Omit<AttentionOperands, 'v'>): Tensor {
  if (mask === undefined) return softmax(matmul(mul(q, 1 / Math.sqrt(q.shape[3]!)), k, { transposeB: true }));
  // With an identity for values, what each query gathers is its row of weights; and masks mean what they mean to the op.
  const [n, heads, s] = k.shape as readonly [number, number, number, number];
  return attend({ q, k, v: broadcastTo(cast(eye(s), q.dtype), [n, heads, s, s]), mask });
}
