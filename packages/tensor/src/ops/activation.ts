import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import { checkChoice, readOptions } from '../read-options.ts';
import type { Tensor } from '../tensor.ts';
import { add, maximum, minimum, mul, sub } from './binary.ts';
import { stopGradient } from './schedule.ts';
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
  // s + x s (1 - s), with y = x s at hand. The sigmoid is computed again, which costs less than keeping it until here.
  vjp({ inputs: [x], outputs: [y], cotangents: [g] }) {
    return [
      () => {
        const s = sigmoid(x!);
        return mul(g!, add(s, mul(y!, sub(1, s))));
      },
    ];
  },
};

/** x * sigmoid(x), also called swish. */
export const silu = (x: Tensor): Tensor => apply1(siluOp, [x], {});

/** gelu's tanh approximation is x (1 + tanh(scale (x + cube x^3))) / 2. */
const TANH_SCALE = Math.sqrt(2 / Math.PI);
const TANH_CUBE = 0.044715;

export const geluOp: OpDefinition<'gelu'> = {
  op: 'gelu',
  infer([x]) {
    floatOnly('gelu', x!.dtype);
    return [x!];
  },
  expand([x], { approximation }) {
    const inner =
      approximation === 'none' ? erf(mul(x!, Math.SQRT1_2)) : tanh(mul(add(x!, mul(mul(mul(x!, x!), x!), TANH_CUBE)), TANH_SCALE));
    return [mul(mul(x!, 0.5), add(inner, 1))];
  },
  vjp({ inputs: [x], outputs: [y], params: { approximation }, cotangents: [g] }) {
    if (approximation === 'none') {
      // Phi(x) + x phi(x)
      return [
        () => {
          const density = mul(exp(mul(mul(x!, x!), -0.5)), x!);
          return mul(g!, add(add(mul(erf(mul(x!, Math.SQRT1_2)), 0.5), 0.5), mul(density, 1 / Math.sqrt(2 * Math.PI))));
        },
      ];
    }
    // (1 + tanh(u)) / 2 = sigmoid(2u), so that y = x s and dy/dx = s + y (1 - s) 2 du/dx, for u = k (x + c x^3).
    return [
      () => {
        const square = mul(x!, x!);
        const s = sigmoid(mul(add(mul(square, 2 * TANH_SCALE * TANH_CUBE), 2 * TANH_SCALE), x!));
        const slope = add(mul(square, 6 * TANH_SCALE * TANH_CUBE), 2 * TANH_SCALE);
        return mul(g!, add(s, mul(mul(y!, sub(1, s)), slope)));
      },
    ];
  },
};

/** x * Phi(x), or its tanh approximation. Hendrycks and Gimpel 2016. */
export function gelu(x: Tensor, options: { readonly approximation?: 'none' | 'tanh' } = {}): Tensor {
  const { approximation = 'none' } = readOptions('tensor/gelu', options, ['approximation']);
  checkChoice('tensor/gelu', { approximation }, ['none', 'tanh']);
  return apply1(geluOp, [x], { approximation });
}

/**
 * log(1 + exp(x)) without overflow, and without losing the digits of a small one. -|x| is written as a minimum, so that the gradients of
 * the two halves at 0, where ties go to the first operand, sum to sigmoid(0).
 */
export function softplus(x: Tensor): Tensor {
  const small = exp(minimum(x, neg(x)));
  const above = add(small, 1);
  // log(1 + e) is log of the rounded sum, and to first order what rounding took off.
  const lost = stopGradient(sub(small, sub(above, 1)));
  return add(maximum(0, x), add(log(above), lost));
}

/** log(sigmoid(x)) without overflow. */
export const logSigmoid = (x: Tensor): Tensor => sub(0, softplus(neg(x)));
