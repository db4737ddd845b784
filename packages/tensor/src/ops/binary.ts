import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import { Tensor, type Operand } from '../tensor.ts';
import { equal, less, lessEqual, logicalAnd, where } from './compare.ts';
import { inferBinary, literalValue, operands } from './operands.ts';
import { sumTo } from './sum.ts';
import { log, neg } from './unary.ts';

type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'maximum' | 'minimum';

/** The cotangents of a and b, before they are summed to their shapes. */
type Rules = (at: Record<'g' | 'a' | 'b' | 'y', Tensor>) => readonly [() => Tensor, () => Tensor];

function binary<Op extends Arithmetic>(op: Op, rules: Rules): OpDefinition<Op> {
  return {
    op,
    infer([a, b]) {
      if (a!.dtype === 'bool' || (op === 'pow' && !isFloating(a!.dtype))) {
        throw new UserError(`[tensor/${op}] dtype has no arithmetic: dtype=${a!.dtype}. cast(x, 'float32') first.`);
      }
      return [{ shape: inferBinary(op, a!, b!), dtype: a!.dtype }];
    },
    vjp({ inputs: [a, b], outputs: [y], cotangents: [g] }) {
      if (!isFloating(a!.dtype)) return [undefined, undefined];
      const [ruleA, ruleB] = rules({ g: g!, a: a!, b: b!, y: y! });
      return [() => sumTo(ruleA(), a!.shape), () => sumTo(ruleB(), b!.shape)];
    },
  };
}

export const addOp = binary('add', ({ g }) => [() => g, () => g]);
export const add = (a: Operand, b: Operand): Tensor => apply1(addOp, operands(a, b), {});

export const subOp = binary('sub', ({ g }) => [() => g, () => neg(g)]);
export const sub = (a: Operand, b: Operand): Tensor => apply1(subOp, operands(a, b), {});

export const mulOp = binary('mul', ({ g, a, b }) => [() => mul(g, b), () => mul(g, a)]);
export const mul = (a: Operand, b: Operand): Tensor => apply1(mulOp, operands(a, b), {});

export const divOp = binary('div', ({ g, b, y }) => [() => div(g, b), () => neg(div(mul(g, y), b))]);
export const div = (a: Operand, b: Operand): Tensor => apply1(divOp, operands(a, b), {});

export const powOp = binary('pow', ({ g, a, b, y }) => [() => mul(g, slopeInBase(a, b)), () => mul(g, mul(y, logOfBase(a, b)))]);

/** b a^(b - 1), which is 0 for b = 0 whatever a is: 0^0 and NaN^0 are 1. */
function slopeInBase(a: Tensor, b: Tensor): Tensor {
  const exponent = literalValue(b);
  if (exponent !== undefined && exponent !== 0) return mul(b, pow(a, exponent - 1));
  return mul(b, pow(a, where({ if: equal(b, 0), then: 0, else: sub(b, 1) })));
}

/** log(a), but 0 where a^b does not depend on b: at a = 0 and b >= 0, as in PyTorch. */
function logOfBase(a: Tensor, b: Tensor): Tensor {
  return log(where({ if: logicalAnd(equal(a, 0), lessEqual(0, b)), then: 1, else: a }));
}

/** a to the power b. The gradient in a is 0 where b is 0; the one in b needs a > 0, and is 0 at a = 0 for b >= 0. */
export const pow = (a: Operand, b: Operand): Tensor => (b === 2 && a instanceof Tensor ? mul(a, a) : apply1(powOp, operands(a, b), {}));

/** 0 where the condition holds, else g. NaN meets no condition, so that it does not stop a gradient. */
const stopped = (g: Tensor, condition: Tensor): Tensor => where({ if: condition, then: 0, else: g });

export const maximumOp = binary('maximum', ({ g, a, b }) => [() => stopped(g, less(a, b)), () => stopped(g, lessEqual(b, a))]);
/** Elementwise maximum, NaN where one of them is; at ties the gradient goes to `a`. */
export const maximum = (a: Operand, b: Operand): Tensor => apply1(maximumOp, operands(a, b), {});

export const minimumOp = binary('minimum', ({ g, a, b }) => [() => stopped(g, less(b, a)), () => stopped(g, lessEqual(a, b))]);
/** Elementwise minimum, NaN where one of them is; at ties the gradient goes to `a`. */
export const minimum = (a: Operand, b: Operand): Tensor => apply1(minimumOp, operands(a, b), {});

/** a + weight * (b - a). */
export const lerp = (a: Tensor, b: Tensor, weight: Operand): Tensor => add(a, mul(sub(b, a), weight));
