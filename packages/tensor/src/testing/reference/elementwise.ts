import type { PrimitiveName } from '../../graph/primitives.ts';
import { isFloating } from '../../dtype.ts';
import { broadcastStrides, dot, forEachIndex, type Elements, type Kernels } from './elements.ts';
import { logistic } from '../../host/logistic.ts';
import { erf, power, roundHalfToEven } from './special.ts';

function unary(f: (x: number) => number): (call: { readonly inputs: readonly Elements[]; readonly outputs: readonly Elements[] }) => void {
  return ({ inputs, outputs }) => inputs[0]!.values.forEach((x, i) => (outputs[0]!.values[i] = f(x)));
}

type Call = { readonly inputs: readonly Elements[]; readonly outputs: readonly Elements[] };

/** f of the operands' elements, broadcast together. */
function broadcasting(f: (operands: readonly number[], dtype: Elements['dtype']) => number): (call: Call) => void {
  return ({ inputs, outputs: [out] }) => {
    const { shape, values } = out!;
    const strides = inputs.map((x) => broadcastStrides(x.shape, shape));
    const dtype = inputs[inputs.length - 1]!.dtype;
    forEachIndex(shape, (index, i) => {
      values[i] = f(
        inputs.map((x, k) => x.values[dot(index, strides[k]!)]!),
        dtype,
      );
    });
  };
}

const binary = (f: (a: number, b: number) => number): ((call: Call) => void) => broadcasting(([a, b]) => f(a!, b!));

type Elementwise = Extract<
  PrimitiveName,
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
  | 'where'
>;

export const elementwise: Kernels<Elementwise> = {
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  atan: unary(Math.atan),
  tanh: unary(Math.tanh),
  sigmoid: unary(logistic),
  erf: unary(erf),
  floor: unary(Math.floor),
  ceil: unary(Math.ceil),
  round: unary(roundHalfToEven),
  logicalNot: unary((x) => (x === 0 ? 1 : 0)),
  cast: ({ params: { dtype }, inputs: [x], outputs: [out] }) => {
    const convert = dtype === 'bool' ? (v: number) => (v === 0 ? 0 : 1) : isFloating(dtype) ? (v: number) => v : Math.trunc;
    x!.values.forEach((v, i) => (out!.values[i] = convert(v)));
  },

  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  // The product of two int32 may need more than 53 bits before it wraps.
  mul: broadcasting(([a, b], dtype) => (dtype === 'int32' ? Math.imul(a!, b!) : a! * b!)),
  div: broadcasting(([a, b], dtype) => (isFloating(dtype) ? a! / b! : Math.trunc(a! / b!))),
  pow: binary(power),
  maximum: binary(Math.max),
  minimum: binary(Math.min),
  equal: binary((a, b) => Number(a === b)),
  less: binary((a, b) => Number(a < b)),
  lessEqual: binary((a, b) => Number(a <= b)),
  logicalAnd: binary((a, b) => Number(a !== 0 && b !== 0)),
  logicalOr: binary((a, b) => Number(a !== 0 || b !== 0)),
  where: broadcasting(([condition, a, b]) => (condition !== 0 ? a! : b!)),
};
