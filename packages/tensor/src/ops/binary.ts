import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import type { ValueInfo } from '../graph/graph.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import { broadcastShapes, type Shape } from '../shape.ts';
import { Tensor, type Operand } from '../tensor.ts';
import { literal } from './create.ts';
import { less, lessEqual, where } from './compare.ts';
import { sumTo } from './reduce.ts';
import { log, neg } from './unary.ts';

type Arithmetic = 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'maximum' | 'minimum';

/** The cotangents of a and b, before they are summed to their shapes. */
type Rules = (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => readonly [() => Tensor, () => Tensor];

/** Both operands of one dtype, and the shape they broadcast to. */
export function inferBinary(op: string, a: ValueInfo, b: ValueInfo): Shape {
  if (a.dtype !== b.dtype) {
    throw new UserError(`[tensor/${op}] dtypes differ: a=${a.dtype}, b=${b.dtype}. cast() one of them.`);
  }
  return broadcastShapes(`tensor/${op}`, a.shape, b.shape);
}

/** Two operands as tensors: a number adopts the dtype of the other. */
export function operands(a: Operand, b: Operand): readonly [Tensor, Tensor] {
  const dtype = a instanceof Tensor ? a.dtype : b instanceof Tensor ? b.dtype : 'float32';
  return [literal(a, dtype), literal(b, dtype)];
}

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
      const [ruleA, ruleB] = rules(g!, a!, b!, y!);
      return [() => sumTo(ruleA(), a!.shape), () => sumTo(ruleB(), b!.shape)];
    },
  };
}

export const addOp = binary('add', (g) => [() => g, () => g]);
export const add = (a: Operand, b: Operand): Tensor => apply1(addOp, operands(a, b), {});

export const subOp = binary('sub', (g) => [() => g, () => neg(g)]);
export const sub = (a: Operand, b: Operand): Tensor => apply1(subOp, operands(a, b), {});

export const mulOp = binary('mul', (g, a, b) => [() => mul(g, b), () => mul(g, a)]);
export const mul = (a: Operand, b: Operand): Tensor => apply1(mulOp, operands(a, b), {});

export const divOp = binary('div', (g, _, b, y) => [() => div(g, b), () => neg(div(mul(g, y), b))]);
export const div = (a: Operand, b: Operand): Tensor => apply1(divOp, operands(a, b), {});

export const powOp = binary('pow', (g, a, b, y) => [() => mul(g, mul(b, pow(a, sub(b, 1)))), () => mul(g, mul(y, log(a)))]);
/** a to the power b; the gradient in b needs a > 0. */
export const pow = (a: Operand, b: Operand): Tensor => (b === 2 && a instanceof Tensor ? mul(a, a) : apply1(powOp, operands(a, b), {}));

/** g where the condition holds, else 0. */
const gated = (g: Tensor, condition: Tensor): Tensor => where({ if: condition, then: g, else: 0 });

export const maximumOp = binary('maximum', (g, a, b) => [() => gated(g, lessEqual(b, a)), () => gated(g, less(a, b))]);
/** Elementwise maximum; at ties the gradient goes to `a`. */
export const maximum = (a: Operand, b: Operand): Tensor => apply1(maximumOp, operands(a, b), {});

export const minimumOp = binary('minimum', (g, a, b) => [() => gated(g, lessEqual(a, b)), () => gated(g, less(b, a))]);
/** Elementwise minimum; at ties the gradient goes to `a`. */
export const minimum = (a: Operand, b: Operand): Tensor => apply1(minimumOp, operands(a, b), {});

/** a + weight * (b - a). */
export const lerp = (a: Tensor, b: Tensor, weight: Operand): Tensor => add(a, mul(sub(b, a), weight));
