import { checkDType, isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import type { PrimitiveName } from '../graph/primitives.ts';
import { readOptions } from '../read-options.ts';
import type { Tensor } from '../tensor.ts';
import { tensorOf } from './operands.ts';
import { add, div, maximum, minimum, mul, sub } from './binary.ts';

type Elementwise =
  'neg' | 'abs' | 'sign' | 'exp' | 'log' | 'sqrt' | 'sin' | 'cos' | 'atan' | 'tanh' | 'sigmoid' | 'erf' | 'floor' | 'ceil' | 'round';

/** The cotangent of x from the cotangent g of y = f(x). */
type Rule = (g: Tensor, x: Tensor, y: Tensor) => Tensor;

const SIGNED: readonly PrimitiveName[] = ['neg', 'abs', 'sign'];

function unary<Op extends Elementwise>(op: Op, rule: Rule | undefined): OpDefinition<Op> {
  return {
    op,
    infer([x]) {
      const integers = SIGNED.includes(op) && (x!.dtype === 'int32' || x!.dtype === 'int64');
      if (!isFloating(x!.dtype) && !integers)
        throw new UserError(`[tensor/${op}] dtype is not a float: dtype=${x!.dtype}. cast(x, 'float32') first.`);
      return [{ shape: x!.shape, dtype: x!.dtype }];
    },
    vjp: ({ inputs: [x], outputs: [y], cotangents: [g] }) => [rule && (() => rule(g!, x!, y!))],
  };
}

// A few adjacent lines an op: the definition with its derivative, then the function that callers use.

export const negOp = unary('neg', (g) => neg(g));
export const neg = (x: Tensor): Tensor => apply1(negOp, [x], {});

export const absOp = unary('abs', (g, x) => mul(g, sign(x)));
export const abs = (x: Tensor): Tensor => apply1(absOp, [x], {});

export const signOp = unary('sign', undefined);
export const sign = (x: Tensor): Tensor => apply1(signOp, [x], {});

export const expOp = unary('exp', (g, _, y) => mul(g, y));
export const exp = (x: Tensor): Tensor => apply1(expOp, [x], {});

export const logOp = unary('log', (g, x) => div(g, x));
/** Natural logarithm. */
export const log = (x: Tensor): Tensor => apply1(logOp, [x], {});

export const sqrtOp = unary('sqrt', (g, _, y) => div(mul(g, 0.5), y));
export const sqrt = (x: Tensor): Tensor => apply1(sqrtOp, [x], {});

export const sinOp = unary('sin', (g, x) => mul(g, cos(x)));
export const sin = (x: Tensor): Tensor => apply1(sinOp, [x], {});

export const cosOp = unary('cos', (g, x) => neg(mul(g, sin(x))));
export const cos = (x: Tensor): Tensor => apply1(cosOp, [x], {});

export const atanOp = unary('atan', (g, x) => div(g, add(mul(x, x), 1)));
export const atan = (x: Tensor): Tensor => apply1(atanOp, [x], {});

export const tanhOp = unary('tanh', (g, _, y) => mul(g, sub(1, mul(y, y))));
export const tanh = (x: Tensor): Tensor => apply1(tanhOp, [x], {});

export const sigmoidOp = unary('sigmoid', (g, _, y) => mul(g, mul(y, sub(1, y))));
/** 1 / (1 + exp(-x)). */
export const sigmoid = (x: Tensor): Tensor => apply1(sigmoidOp, [x], {});

export const erfOp = unary('erf', (g, x) => mul(g, mul(exp(neg(mul(x, x))), 2 / Math.sqrt(Math.PI))));
/** The error function. */
export const erf = (x: Tensor): Tensor => apply1(erfOp, [x], {});

export const floorOp = unary('floor', undefined);
export const floor = (x: Tensor): Tensor => apply1(floorOp, [x], {});

export const ceilOp = unary('ceil', undefined);
export const ceil = (x: Tensor): Tensor => apply1(ceilOp, [x], {});

export const roundOp = unary('round', undefined);
/** Round half to even. */
export const round = (x: Tensor): Tensor => apply1(roundOp, [x], {});

/** x * x. */
export const square = (x: Tensor): Tensor => mul(tensorOf('tensor/square', x), x);

/** 1 / x. */
export const reciprocal = (x: Tensor): Tensor => div(1, x);

/** 1 / sqrt(x). */
export const rsqrt = (x: Tensor): Tensor => div(1, sqrt(x));

/** max(0, x); the gradient at 0 goes to the constant, so it is 0 there, as in PyTorch. */
export const relu = (x: Tensor): Tensor => maximum(0, x);

/** Limit to [min, max]; no gradient flows outside of it. */
export function clamp(x: Tensor, range: { readonly min?: number; readonly max?: number }): Tensor {
  const { min, max } = readOptions('tensor/clamp', range, ['min', 'max']);
  const raised = min === undefined ? tensorOf('tensor/clamp', x) : maximum(tensorOf('tensor/clamp', x), min);
  return max === undefined ? raised : minimum(raised, max);
}

export const castOp: OpDefinition<'cast'> = {
  op: 'cast',
  infer: ([x], { dtype }) => [{ shape: x!.shape, dtype }],
  vjp: ({ inputs: [x], outputs: [y], cotangents: [g] }) => [
    isFloating(x!.dtype) && isFloating(y!.dtype) ? () => cast(g!, x!.dtype) : undefined,
  ],
};

/** To another dtype: float to integer truncates towards zero, anything to bool is `!= 0`. */
export function cast(x: Tensor, dtype: Tensor['dtype']): Tensor {
  checkDType('tensor/cast', dtype);
  return tensorOf('tensor/cast', x).dtype === dtype ? x : apply1(castOp, [x], { dtype });
}
