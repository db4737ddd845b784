import { isNaNFlags } from './nan.ts';
import type { Operand, Scope } from './scope.ts';

/**
 * Sine and cosine to float32 accuracy where the device's own are not: WGSL promises an absolute error of 2^-11, and only within
 * [-pi, pi], while timestep embeddings reach 1000 radians.
 */

/** 2 pi in three parts; products of the first two with whole numbers below 2^12 are exact in float32. */
const TWO_PI = [6.28125, 0.0019350051879882812, 3.019915981956753e-7] as const;

/** Taylor series of sin(x) / x in x^2, enough for |x| <= pi / 2. */
const SINE_SERIES = [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800, 1 / 6227020800] as const;

export function preciseSin(scope: Scope, x: Operand | string): string {
  const constant = (value: number): string => scope.fill('float32', value);
  const turns = scope.emit('Round', [scope.emit('Mul', [x, constant(1 / (2 * Math.PI))])]);
  let rest: Operand | string = x;
  for (const part of TWO_PI) rest = scope.emit('Sub', [rest, scope.emit('Mul', [turns, constant(part)])]);
  // Into [-pi/2, pi/2]: sin(x) = sin(pi - x).
  const half = Math.PI / 2;
  const upper = scope.emit('Min', [rest, scope.emit('Sub', [constant(Math.PI), rest])]);
  const folded = scope.emit('Max', [upper, scope.emit('Sub', [constant(-Math.PI), upper])]);
  const bounded = scope.emit('Max', [scope.emit('Min', [folded, constant(half)]), constant(-half)]);
  const square = scope.emit('Mul', [bounded, bounded]);
  const series = SINE_SERIES.slice(0, -1).reduceRight<string>(
    (sum, coefficient) => scope.emit('Add', [scope.emit('Mul', [sum, square]), constant(coefficient)]),
    constant(SINE_SERIES.at(-1)!),
  );
  return scope.emit('Mul', [bounded, series]);
}

/** cos(x) = sin(pi/2 - |x|), with the quarter turn taken off before the reduction loses digits of it. */
export function preciseCos(scope: Scope, x: Operand): string {
  const constant = (value: number): string => scope.fill('float32', value);
  const turns = scope.emit('Round', [scope.emit('Mul', [x, constant(1 / (2 * Math.PI))])]);
  let rest: Operand | string = x;
  for (const part of TWO_PI) rest = scope.emit('Sub', [rest, scope.emit('Mul', [turns, constant(part)])]);
  return preciseSin(scope, scope.emit('Sub', [constant(Math.PI / 2), scope.emit('Abs', [rest])]));
}

/** Some adapters give a large negative number at 0, and infinity for NaN. */
export function preciseLog(scope: Scope, x: Operand): string {
  const isZero = scope.emit('Equal', [x, scope.fill('float32', 0)]);
  const found = scope.emit('Where', [isZero, scope.fill('float32', -Infinity), scope.emit('Log', [x])]);
  return scope.emit('Where', [isNaNFlags(scope, x), x, found]);
}

/** C's pow, of which WGSL leaves open what is not between finite numbers, and the poles at 0. */
export function precisePow(scope: Scope, [base, exponent]: readonly [Operand, Operand]): string {
  const number = (value: number): string => scope.fill('float32', value);
  const equal = (x: Operand | string, value: number): string => scope.emit('Equal', [x, number(value)]);
  const isPole = scope.emit('And', [equal(base, 0), scope.emit('Less', [exponent, number(0)])]);
  const isUnit = scope.emit('And', [equal(scope.emit('Abs', [base]), 1), equal(scope.emit('Abs', [exponent]), Infinity)]);
  const isOne = scope.emit('Or', [scope.emit('Or', [equal(base, 1), equal(exponent, 0)]), isUnit]);
  const found = scope.emit('Where', [isPole, number(Infinity), scope.emit('Pow', [base, exponent])]);
  return scope.emit('Where', [isOne, number(1), found]);
}

/** A function of the device's own, some of which give a number for NaN. */
export function keepingNaN(scope: Scope, x: Operand, op: string): string {
  return scope.emit('Where', [isNaNFlags(scope, x), x, scope.emit(op, [x])]);
}
