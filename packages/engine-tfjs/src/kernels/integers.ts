import * as tf from '@tensorflow/tfjs-core';
import type { DType } from '@langevin/tensor';
import type { Tensor } from '@tensorflow/tfjs-core';

/** Comparisons return TensorFlow.js bools; Langevin's are 0 or 1 in int32 (see storage.ts). */
export function asFlags(comparison: Tensor): Tensor {
  return tf.cast(comparison, 'int32');
}

/** The TensorFlow.js bool of a flag tensor. Not `cast`, which on wasm keeps the low byte instead of asking `!= 0`. */
export function asCondition(flags: Tensor): Tensor {
  return tf.notEqual(flags, tf.scalar(0, flags.dtype as 'int32' | 'float32'));
}

/** -x. TensorFlow.js' Neg goes through float32 on wasm, which rounds integers beyond 2^24. */
export function negative(x: Tensor): Tensor {
  return x.dtype === 'int32' ? tf.sub(tf.scalar(0, 'int32'), x) : tf.neg(x);
}

/** |x|. TensorFlow.js' Abs does the same to integers on the cpu backend. */
export function magnitude(x: Tensor): Tensor {
  return x.dtype === 'int32' ? tf.maximum(x, negative(x)) : tf.abs(x);
}

/** uint8 is held in int32: bring arithmetic results back modulo 256. */
export function wrapped(dtype: DType, result: Tensor): Tensor {
  return dtype === 'uint8' ? tf.mod(result, tf.scalar(256, 'int32')) : result;
}

/**
 * Integer division towards zero. TensorFlow.js' FloorDiv divides floats on some backends, so its quotient is only a first guess
 * (off by up to 2^7 for operands near 2^31): one more division of the remainder, then a step of at most one, make it exact.
 */
export function truncatingDivide(a: Tensor, b: Tensor): Tensor {
  const remainderOf = (q: Tensor) => tf.sub(a, tf.mul(q, b));
  const zero = tf.scalar(0, 'int32');
  const guess = tf.floorDiv(a, b);
  const refined = tf.add(guess, tf.floorDiv(remainderOf(guess), b));
  const r = remainderOf(refined);
  const bNegative = asFlags(tf.less(b, zero));
  const rNegative = asFlags(tf.less(r, zero));
  const rNonZero = asFlags(tf.notEqual(r, zero));
  const tooLarge = tf.mul(rNonZero, asFlags(tf.notEqual(rNegative, bNegative)));
  const tooSmall = tf.mul(asFlags(tf.greaterEqual(magnitude(r), magnitude(b))), tf.sub(tf.scalar(1, 'int32'), tooLarge));
  const floored = tf.add(tf.sub(refined, tooLarge), tooSmall);
  const inexact = asFlags(tf.notEqual(remainderOf(floored), zero));
  const opposite = asFlags(tf.notEqual(asFlags(tf.less(a, zero)), bNegative));
  return tf.add(floored, tf.mul(inexact, opposite));
}
