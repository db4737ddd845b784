import { isFloating } from '../dtype.ts';
import { UserError } from '../errors.ts';
import { apply1, type OpDefinition } from '../graph/node.ts';
import { readOptions } from '../read-options.ts';
import { broadcastShapes } from '../shape.ts';
import type { Operand, Tensor } from '../tensor.ts';
import { inferBinary, operands } from './operands.ts';
import { sumTo } from './sum.ts';

function comparison<Op extends 'equal' | 'less' | 'lessEqual'>(op: Op): OpDefinition<Op> {
  return {
    op,
    infer: ([a, b]) => [{ shape: inferBinary(op, a!, b!), dtype: 'bool' }],
    vjp: () => [undefined, undefined],
  };
}

export const equalOp = comparison('equal');
export const equal = (a: Operand, b: Operand): Tensor => apply1(equalOp, operands(a, b), {});

export const lessOp = comparison('less');
/** a < b. */
export const less = (a: Operand, b: Operand): Tensor => apply1(lessOp, operands(a, b), {});

export const lessEqualOp = comparison('lessEqual');
/** a <= b. */
export const lessEqual = (a: Operand, b: Operand): Tensor => apply1(lessEqualOp, operands(a, b), {});

/** a > b. */
export const greater = (a: Operand, b: Operand): Tensor => less(b, a);
/** a >= b. */
export const greaterEqual = (a: Operand, b: Operand): Tensor => lessEqual(b, a);
export const notEqual = (a: Operand, b: Operand): Tensor => logicalNot(equal(a, b));

function requireBool(op: string, dtype: string): void {
  if (dtype !== 'bool') throw new UserError(`[tensor/${op}] operand is not bool: dtype=${dtype}. Compare it, or cast(x, 'bool').`);
}

function logical<Op extends 'logicalAnd' | 'logicalOr'>(op: Op): OpDefinition<Op> {
  return {
    op,
    infer([a, b]) {
      requireBool(op, a!.dtype);
      return [{ shape: inferBinary(op, a!, b!), dtype: 'bool' }];
    },
    vjp: () => [undefined, undefined],
  };
}

export const logicalAndOp = logical('logicalAnd');
export const logicalAnd = (a: Tensor, b: Tensor): Tensor => apply1(logicalAndOp, [a, b], {});

export const logicalOrOp = logical('logicalOr');
export const logicalOr = (a: Tensor, b: Tensor): Tensor => apply1(logicalOrOp, [a, b], {});

export const logicalNotOp: OpDefinition<'logicalNot'> = {
  op: 'logicalNot',
  infer([x]) {
    requireBool('logicalNot', x!.dtype);
    return [x!];
  },
  vjp: () => [undefined],
};
export const logicalNot = (x: Tensor): Tensor => apply1(logicalNotOp, [x], {});

export const whereOp: OpDefinition<'where'> = {
  op: 'where',
  infer([condition, a, b]) {
    requireBool('where', condition!.dtype);
    return [{ shape: broadcastShapes('tensor/where', condition!.shape, inferBinary('where', a!, b!)), dtype: a!.dtype }];
  },
  vjp({ inputs: [condition, a, b], cotangents: [g] }) {
    if (!isFloating(a!.dtype)) return [undefined, undefined, undefined];
    return [
      undefined,
      () => sumTo(where({ if: condition!, then: g!, else: 0 }), a!.shape),
      () => sumTo(where({ if: condition!, then: 0, else: g! }), b!.shape),
    ];
  },
};

/** Elements of `then` where the condition (bool) holds, else of `else`; all broadcast together. */
export function where(choice: { readonly if: Tensor; readonly then: Operand; readonly else: Operand }): Tensor {
  const given = readOptions('tensor/where', choice, ['if', 'then', 'else']);
  const [a, b] = operands(given.then, given.else);
  return apply1(whereOp, [given.if, a, b], {});
}

/** Whether each element is neither NaN nor infinite. */
export function isFinite(x: Tensor): Tensor {
  return logicalAnd(less(x, Infinity), less(-Infinity, x));
}
