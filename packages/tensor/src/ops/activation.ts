import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import type { Tensor } from '../tensor.ts';
import { add, maximum, minimum, mul, sub } from './binary.ts';
import { erf, exp, log, neg, sigmoid, tanh } from './unary.ts';

function floatOnly(op: string, dtype: Tensor['dtype']): void {
  if (!isFloating(dtype)) throw new UserError(`[tensor/${op}] dtype is not a float: dtype=${dtype}. cast(x, 'float32') first.`);
}

export const siluOp: OpDefinition<'silu'> = {
  op: 'silu',
  infer([x]) {
    floatOnly('silu', x!.dtype);
    return [x!];
  },
  expand: ([x]) => [mul(x!, sigmoid(x!))],
};

/** x * sigmoid(x), also called swish. */
export const silu = (x: Tensor): Tensor => apply1(siluOp, [x], {});

export const geluOp: OpDefinition<'gelu'> = {
  op: 'gelu',
  infer([x]) {
    floatOnly('gelu', x!.dtype);
    return [x!];
  },
  expand([x], { approximation }) {
    const inner =
      approximation === 'none'
        ? erf(mul(x!, Math.SQRT1_2))
        : tanh(mul(add(x!, mul(mul(mul(x!, x!), x!), 0.044715)), Math.sqrt(2 / Math.PI)));
    return [mul(mul(x!, 0.5), add(inner, 1))];
  },
};

/** x * Phi(x), or its tanh approximation. Hendrycks and Gimpel 2016. */
export function gelu(x: Tensor, options: { readonly approximation?: 'none' | 'tanh' } = {}): Tensor {
  return apply1(geluOp, [x], { approximation: options.approximation ?? 'none' });
}

/**
 * log(1 + exp(x)) without overflow. -|x| is written as a minimum, so that the gradients of the two halves at 0, where ties go to the
 * first operand, sum to sigmoid(0).
 */
export const softplus = (x: Tensor): Tensor => add(maximum(0, x), log(add(exp(minimum(x, neg(x))), 1)));

/** log(sigmoid(x)) without overflow. */
export const logSigmoid = (x: Tensor): Tensor => sub(0, softplus(neg(x)));
