import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';

/**
 * Sine and cosine for backends whose own are coarse. WebGPU promises sin to 2^-11 on [-pi, pi] and nothing beyond, and timestep
 * embeddings go to 1000. Here the error is a few units in the last place of 1 up to arguments of some thousands.
 */

/** pi in three parts: multiples of the first two are exact in float32 for factors below 2^11 (Cody and Waite 1980). */
const PI_HIGH = 3.140625;
const PI_MIDDLE = Math.round((Math.PI - PI_HIGH) * 2 ** 22) / 2 ** 22;
const PI_LOW = Math.PI - PI_HIGH - PI_MIDDLE;

/** Taylor's coefficients of sin(r)/r in r^2, from the highest: on [-pi/2, pi/2] what follows is below 6e-8. */
const COEFFICIENTS = [-1 / 39916800, 1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1] as const;

/** sin(x), for x = k pi + r: sin(r), negated where k is odd. */
export function sine(x: Tensor): Tensor {
  const k = tf.round(tf.div(x, Math.PI));
  return tf.mul(alternating(k), sineNearZero(subtractMultiple(x, k)));
}

/** cos(x), for x = (k + 1/2) pi + r: -sin(r), negated where k is odd. */
export function cosine(x: Tensor): Tensor {
  const k = tf.round(tf.sub(tf.div(x, Math.PI), 0.5));
  return tf.neg(tf.mul(alternating(k), sineNearZero(subtractMultiple(x, tf.add(k, 0.5)))));
}

export const trigonometryNeeds = ['Round', 'RealDiv', 'Multiply', 'Sub', 'Add', 'Neg', 'Floor'];

function subtractMultiple(x: Tensor, factor: Tensor): Tensor {
  return [PI_HIGH, PI_MIDDLE, PI_LOW].reduce((rest, part) => tf.sub(rest, tf.mul(factor, part)), x);
}

/** 1 for even k, -1 for odd k. */
function alternating(k: Tensor): Tensor {
  const half = tf.mul(k, 0.5);
  return tf.sub(1, tf.mul(4, tf.sub(half, tf.floor(half))));
}

function sineNearZero(r: Tensor): Tensor {
  const squared = tf.mul(r, r);
  const series = COEFFICIENTS.reduce<Tensor>((sum, c) => tf.add(tf.mul(sum, squared), c), tf.scalar(0));
  return tf.mul(r, series);
}
