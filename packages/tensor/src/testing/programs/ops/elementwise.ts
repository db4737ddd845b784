import {
  abs,
  add,
  atan,
  barrier,
  cast,
  ceil,
  checkpoint,
  clamp,
  cos,
  div,
  type DType,
  equal,
  erf,
  exp,
  floor,
  gelu,
  greater,
  greaterEqual,
  isFinite,
  lerp,
  less,
  lessEqual,
  log,
  logicalAnd,
  logicalNot,
  logicalOr,
  logSigmoid,
  maximum,
  minimum,
  mul,
  neg,
  notEqual,
  type Operand,
  pow,
  reciprocal,
  relu,
  round,
  rsqrt,
  sigmoid,
  sign,
  silu,
  sin,
  softplus,
  sqrt,
  square,
  stopGradient,
  straightThrough,
  sub,
  tanh,
  type Tensor,
  where,
} from '../../../index.ts';
import type { Attributes } from '../spec.ts';
import type { ProgramOp } from './index.ts';

const unary =
  (fn: (x: Tensor) => Tensor): ProgramOp =>
  ([x]) =>
    fn(x!);

/** Two tensors, or one and the number `scalar`, which stands on the left where `side` says so. */
const binary =
  (fn: (a: Operand, b: Operand) => Tensor): ProgramOp =>
  ([a, b], { scalar, side }) => {
    if (scalar === undefined) return fn(a!, b!);
    return side === 'left' ? fn(scalar as number, a!) : fn(a!, scalar as number);
  };

const bound = (attributes: Attributes, name: 'min' | 'max'): Record<string, number> =>
  attributes[name] === undefined ? {} : { [name]: attributes[name] as number };

const choice = (attributes: Attributes, name: string, tensor: Tensor | undefined): Operand =>
  attributes[name] === undefined ? tensor! : (attributes[name] as number);

export const elementwiseOps: Readonly<Record<string, ProgramOp>> = {
  neg: unary(neg),
  abs: unary(abs),
  sign: unary(sign),
  exp: unary(exp),
  log: unary(log),
  sqrt: unary(sqrt),
  sin: unary(sin),
  cos: unary(cos),
  atan: unary(atan),
  tanh: unary(tanh),
  sigmoid: unary(sigmoid),
  erf: unary(erf),
  floor: unary(floor),
  ceil: unary(ceil),
  round: unary(round),
  square: unary(square),
  reciprocal: unary(reciprocal),
  rsqrt: unary(rsqrt),
  relu: unary(relu),
  silu: unary(silu),
  softplus: unary(softplus),
  logSigmoid: unary(logSigmoid),
  logicalNot: unary(logicalNot),
  isFinite: unary(isFinite),
  stopGradient: unary(stopGradient),
  gelu: ([x], { approximation }) => gelu(x!, { approximation: approximation as 'none' | 'tanh' }),
  clamp: ([x], attributes) => clamp(x!, { ...bound(attributes, 'min'), ...bound(attributes, 'max') }),
  cast: ([x], { dtype }) => cast(x!, dtype as DType),
  add: binary(add),
  sub: binary(sub),
  mul: binary(mul),
  div: binary(div),
  pow: binary(pow),
  maximum: binary(maximum),
  minimum: binary(minimum),
  equal: binary(equal),
  notEqual: binary(notEqual),
  less: binary(less),
  lessEqual: binary(lessEqual),
  greater: binary(greater),
  greaterEqual: binary(greaterEqual),
  logicalAnd: ([a, b]) => logicalAnd(a!, b!),
  logicalOr: ([a, b]) => logicalOr(a!, b!),
  lerp: ([a, b], { weight }) => lerp(a!, b!, weight as number),
  /** `then` or `else` may be numbers; the tensors that are left follow the condition in order. */
  where: ([condition, a, b], attributes) =>
    where({
      if: condition!,
      then: choice(attributes, 'then', a),
      else: choice(attributes, 'else', attributes['then'] === undefined ? b : a),
    }),
  barrier: ([x, token]) => barrier(x!, token!),
  straightThrough: ([x, surrogate]) => straightThrough(x!, surrogate!),
  /** Recomputed in the backward pass: tanh(x) * sin(x). */
  checkpoint: ([x]) => checkpoint((t: Tensor) => mul(tanh(t), sin(t)))(x!),
};
