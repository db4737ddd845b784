import { sameShape } from '@langevin/tensor';
import type { PrimitiveName, Shape } from '@langevin/tensor';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { storageOf } from '../storage.ts';
import { asCondition, asFlags, magnitude, negative, truncatingDivide, wrapped } from './integers.ts';
import type { Kernel, KernelFamily, NodeCall } from './kernel.ts';
import { cosine, sine, trigonometryNeeds } from './trigonometry.ts';

/** XNNPACK, under the wasm backend, broadcasts at most 6 axes and returns zeros for more. */
const MAX_BROADCAST_RANK = 6;

type Unary = 'exp' | 'log' | 'sqrt' | 'atan' | 'tanh' | 'sigmoid' | 'erf' | 'floor' | 'ceil' | 'round';
type Binary = 'add' | 'sub' | 'mul' | 'div' | 'pow' | 'maximum' | 'minimum' | 'equal' | 'less' | 'lessEqual' | 'logicalAnd' | 'logicalOr';

export function broadcast(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : tf.broadcastTo(x, [...shape]);
}

function unary<Op extends Unary>(kernel: string, apply: (x: Tensor) => Tensor): Kernel<Op> {
  return {
    needs: () => [kernel],
    run: ({ inputs, outputInfo }) => wrapped(outputInfo[0]!.dtype, apply(inputs[0]!)),
  };
}

function binary<Op extends Binary>(kernel: string, apply: (a: Tensor, b: Tensor) => Tensor, more: readonly string[] = []): Kernel<Op> {
  return {
    needs: () => [kernel, ...more],
    run: ({ inputs, outputInfo }) => {
      const [a, b] = [inputs[0]!, inputs[1]!];
      const { shape, dtype } = outputInfo[0]!;
      return wrapped(dtype, shape.length > MAX_BROADCAST_RANK ? flattened([a, b], shape, apply) : apply(a, b));
    },
  };
}

function flattened([a, b]: readonly [Tensor, Tensor], shape: Shape, apply: (a: Tensor, b: Tensor) => Tensor): Tensor {
  return tf.reshape(apply(tf.reshape(broadcast(a, shape), [-1]), tf.reshape(broadcast(b, shape), [-1])), [...shape]);
}

function trigonometric<Op extends 'sin' | 'cos'>(kernel: string, own: (x: Tensor) => Tensor, precise: (x: Tensor) => Tensor): Kernel<Op> {
  return {
    needs: ({ backend }) => (backend === 'webgpu' ? trigonometryNeeds : [kernel]),
    run: ({ inputs, backend }) => (backend === 'webgpu' ? precise : own)(inputs[0]!),
  };
}

const divide: Kernel<'div'> = {
  needs: ({ outputInfo }) =>
    outputInfo[0]!.dtype === 'float32'
      ? ['RealDiv']
      : ['FloorDiv', 'Multiply', 'Sub', 'Add', 'Less', 'GreaterEqual', 'NotEqual', 'Maximum', 'Cast'],
  run: (call) => binary<'div'>('', call.outputInfo[0]!.dtype === 'float32' ? tf.div : truncatingDivide).run(call),
};

/** `result`, but NaN where x is NaN; both of one shape. */
function keepingNaN(x: Tensor, result: Tensor): Tensor {
  return x.dtype === 'float32' ? tf.where(tf.notEqual(x, x), x, result) : result;
}

/** Under wasm, XNNPACK takes the other operand where one is NaN. |a| + |b| is NaN just where one of them is. */
function extremum<Op extends 'maximum' | 'minimum'>(kernel: string, apply: (a: Tensor, b: Tensor) => Tensor): Kernel<Op> {
  return {
    needs: ({ backend }) => (backend === 'wasm' ? [kernel, 'Abs', 'Add', 'NotEqual', 'Select'] : [kernel]),
    run: (call) => {
      const propagating = (a: Tensor, b: Tensor): Tensor => keepingNaN(tf.add(tf.abs(a), tf.abs(b)), apply(a, b));
      const isKept = call.backend !== 'wasm' || call.outputInfo[0]!.dtype !== 'float32';
      return binary<Op>(kernel, isKept ? apply : propagating).run(call);
    },
  };
}

/** C's pow. In JavaScript, which the cpu backend is made of, 1 to the power NaN is NaN, and so are 1 and -1 to an infinite one. */
const power: Kernel<'pow'> = {
  needs: ({ backend }) => (backend === 'cpu' ? ['Pow', 'Equal', 'Abs', 'LogicalAnd', 'LogicalOr', 'Select'] : ['Pow']),
  run: (call) =>
    binary<'pow'>('Pow', (a, b) => {
      const found = tf.pow(a, b);
      if (call.backend !== 'cpu') return found;
      const isOne = tf.logicalOr(tf.equal(a, 1), tf.logicalAnd(tf.equal(a, -1), tf.equal(tf.abs(b), Infinity)));
      return tf.where(tf.broadcastTo(isOne, found.shape), tf.onesLike(found), found);
    }).run(call),
};

const cast: Kernel<'cast'> = {
  needs: ({ params }) => (params.dtype === 'bool' ? ['Cast', 'NotEqual'] : params.dtype === 'uint8' ? ['Cast', 'Mod'] : ['Cast']),
  run: ({ inputs, params }) => {
    const x = inputs[0]!;
    if (params.dtype === 'bool') return asFlags(asCondition(x));
    return wrapped(params.dtype, tf.cast(x, storageOf(params.dtype, 'cast')));
  },
};

const where: Kernel<'where'> = {
  needs: () => ['Select', 'NotEqual', 'Tile', 'Reshape'],
  run: ({ inputs, outputInfo }: NodeCall<'where'>) => {
    const { shape } = outputInfo[0]!;
    // Flat, because WebGPU selects on at most 4 axes.
    const [condition, a, b] = inputs.map((x) => tf.reshape(broadcast(x, shape), [-1]));
    return tf.reshape(tf.where(asCondition(condition!), a!, b!), [...shape]);
  },
};

export const elementwise: KernelFamily<
  Unary | Binary | Extract<PrimitiveName, 'neg' | 'abs' | 'sign' | 'sin' | 'cos' | 'cast' | 'where' | 'logicalNot'>
> = {
  neg: { needs: ({ inputInfo }) => (inputInfo[0]!.dtype === 'float32' ? ['Neg'] : ['Sub']), run: ({ inputs }) => negative(inputs[0]!) },
  abs: {
    needs: ({ inputInfo }) => (inputInfo[0]!.dtype === 'float32' ? ['Abs'] : ['Maximum', 'Sub']),
    run: ({ inputs }) => magnitude(inputs[0]!),
  },
  sign: { needs: () => ['Sign', 'NotEqual', 'Select'], run: ({ inputs: [x] }) => keepingNaN(x!, tf.sign(x!)) },
  exp: unary('Exp', tf.exp),
  log: unary('Log', tf.log),
  sqrt: unary('Sqrt', tf.sqrt),
  sin: trigonometric('Sin', tf.sin, sine),
  cos: trigonometric('Cos', tf.cos, cosine),
  atan: unary('Atan', tf.atan),
  tanh: unary('Tanh', tf.tanh),
  sigmoid: unary('Sigmoid', tf.sigmoid),
  erf: unary('Erf', tf.erf),
  floor: unary('Floor', tf.floor),
  ceil: unary('Ceil', tf.ceil),
  round: unary('Round', tf.round),
  logicalNot: { needs: () => ['Sub'], run: ({ inputs }) => tf.sub(tf.scalar(1, 'int32'), inputs[0]!) },
  cast,

  add: binary('Add', tf.add),
  sub: binary('Sub', tf.sub),
  mul: binary('Multiply', tf.mul),
  div: divide,
  pow: power,
  maximum: extremum('Maximum', tf.maximum),
  minimum: extremum('Minimum', tf.minimum),
  equal: binary('Equal', (a, b) => asFlags(tf.equal(a, b)), ['Cast']),
  less: binary('Less', (a, b) => asFlags(tf.less(a, b)), ['Cast']),
  lessEqual: binary('LessEqual', (a, b) => asFlags(tf.lessEqual(a, b)), ['Cast']),
  logicalAnd: binary('Multiply', tf.mul),
  logicalOr: binary('Maximum', tf.maximum),
  where,
};
