import type { DType } from '@langevin/tensor';
import { isFloating, sizeOf } from '@langevin/tensor';
import { ARITHMETIC, castTo, emitTyped, FLOATS, roundToBfloat16 } from './kernels.ts';
import type { LoweringTable, Operand, Scope } from './scope.ts';
import { keepingNaN, preciseCos, preciseLog, precisePow, preciseSin } from './webgpu-math.ts';

type Elementwise =
  | 'neg'
  | 'abs'
  | 'sign'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'atan'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'logicalNot'
  | 'cast'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'pow'
  | 'maximum'
  | 'minimum'
  | 'equal'
  | 'less'
  | 'lessEqual'
  | 'logicalAnd'
  | 'logicalOr'
  | 'where';

type Rule = (scope: Scope) => string;

const typed =
  (op: string, dtypes: readonly DType[], extra: { via?: DType; result?: 'fixed' } = {}): Rule =>
  (scope) =>
    emitTyped(scope, scope.inputs, { op, dtypes, ...extra });

/** From this many elements on a slow kernel shows. */
const MANY = 1024;

/**
 * The runtime broadcasts a scalar over a tensor whose last axis is 1 (the weights of a 1 x 1 convolution) one element at a time, but
 * not if the scalar has as many axes.
 */
function withEqualRanks(scope: Scope): readonly Operand[] {
  if (scope.contrib === 'never') return scope.inputs;
  const { shape, dtype } = scope.outputs[0]!;
  if (dtype !== 'float32' || shape.at(-1) !== 1 || sizeOf(shape) < MANY) return scope.inputs;
  const ones = shape.map(() => 1);
  const isShort = (operand: Operand): boolean => sizeOf(operand.shape) === 1 && operand.shape.length < shape.length;
  return scope.inputs.map((operand) =>
    isShort(operand) ? { ...operand, name: scope.emit('Reshape', [operand, scope.ints(ones)]), shape: ones } : operand,
  );
}

const binary =
  (op: string): Rule =>
  (scope) =>
    emitTyped(scope, withEqualRanks(scope), { op, dtypes: ARITHMETIC });

const float = (op: string): Rule => typed(op, FLOATS, { via: 'float32' });
const arithmetic = (op: string): Rule => typed(op, ARITHMETIC);
const comparison = (op: string, dtypes: readonly DType[]): Rule => typed(op, dtypes, { result: 'fixed' });

/** The device's own function is rough in float32; in float16 its error is below the rounding. */
const onWebgpu =
  (precise: (scope: Scope, x: Operand) => string, otherwise: Rule): Rule =>
  (scope) =>
    scope.provider === 'webgpu' && scope.inputs[0]!.dtype === 'float32' ? precise(scope, scope.inputs[0]!) : otherwise(scope);

/** An integer is its own floor. */
const rounding =
  (op: string): Rule =>
  (scope) =>
    FLOATS.includes(scope.inputs[0]!.dtype) ? float(op)(scope) : scope.inputs[0]!.name;

export const elementwise: LoweringTable<Elementwise> = {
  neg: arithmetic('Neg'),
  abs: arithmetic('Abs'),
  sign: arithmetic('Sign'),
  exp: onWebgpu((scope, x) => keepingNaN(scope, x, 'Exp'), float('Exp')),
  log: onWebgpu(preciseLog, float('Log')),
  sqrt: onWebgpu((scope, x) => keepingNaN(scope, x, 'Sqrt'), float('Sqrt')),
  sin: onWebgpu(preciseSin, float('Sin')),
  cos: onWebgpu(preciseCos, float('Cos')),
  atan: onWebgpu((scope, x) => keepingNaN(scope, x, 'Atan'), float('Atan')),
  tanh: onWebgpu((scope, x) => keepingNaN(scope, x, 'Tanh'), float('Tanh')),
  sigmoid: onWebgpu((scope, x) => keepingNaN(scope, x, 'Sigmoid'), float('Sigmoid')),
  erf: onWebgpu((scope, x) => keepingNaN(scope, x, 'Erf'), float('Erf')),
  floor: rounding('Floor'),
  ceil: rounding('Ceil'),
  round: rounding('Round'),
  logicalNot: (scope) => scope.emit('Not', scope.inputs),
  cast: (scope, { dtype }) => {
    const x = scope.inputs[0]!;
    if (x.dtype === dtype) return x.name;
    if (dtype === 'bfloat16') return roundToBfloat16(scope, x.dtype === 'float32' ? x : castTo(scope, x, 'float32'));
    if (x.dtype === 'bfloat16' && dtype === 'float32') return x.name;
    // WebAssembly takes what is below 0 for 0, and two casts in a row for one: the byte of the integer is worked out in between.
    const isByte = dtype === 'uint8' && isFloating(x.dtype);
    const whole = isByte ? scope.emit('Mod', [castTo(scope, x, 'int32'), scope.fill('int32', 256)]) : x;
    return castTo(scope, whole, dtype);
  },

  add: binary('Add'),
  sub: binary('Sub'),
  mul: binary('Mul'),
  div: (scope) => {
    const [a, b] = scope.inputs as [(typeof scope.inputs)[0], (typeof scope.inputs)[0]];
    if (FLOATS.includes(a.dtype)) return binary('Div')(scope);
    // An integer division by zero, or of the smallest int32 by -1, is a signal that ends the process: divide wide, by 1 at zeros.
    const numerator = castTo(scope, a, 'int64');
    const wide = castTo(scope, b, 'int64');
    const isZero = scope.emit('Equal', [wide, scope.fill('int64', 0)]);
    const divisor = scope.emit('Where', [isZero, scope.fill('int64', 1), wide]);
    const quotient = scope.emit('Div', [numerator, divisor]);
    return a.dtype === 'int64' ? quotient : castTo(scope, quotient, a.dtype);
  },
  pow: onWebgpu((scope) => precisePow(scope, scope.inputs as [Operand, Operand]), arithmetic('Pow')),
  maximum: arithmetic('Max'),
  minimum: arithmetic('Min'),
  equal: comparison('Equal', [...ARITHMETIC, 'bool']),
  less: comparison('Less', ARITHMETIC),
  lessEqual: comparison('LessOrEqual', ARITHMETIC),
  logicalAnd: (scope) => scope.emit('And', scope.inputs),
  logicalOr: (scope) => scope.emit('Or', scope.inputs),
  where: (scope) => {
    const [condition, a, b] = scope.inputs;
    if (a!.dtype !== 'bool') return scope.emit('Where', [condition!, a!, b!]);
    const chosen = scope.emit('Where', [condition!, castTo(scope, a!, 'uint8'), castTo(scope, b!, 'uint8')]);
    return castTo(scope, chosen, 'bool');
  },
};
