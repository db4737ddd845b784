import { hostFromNumbers, type DType, type HostArray } from '../../dtype.ts';
import type { ValueInfo } from '../../graph/graph.ts';
import { sizeOf, type Shape } from '../../shape.ts';

/** How the elements of an input are drawn; see {@link drawElements}. */
export type DrawKind = 'smooth' | 'positive' | 'special' | 'integers' | 'flags';

export interface ProgramInput {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly draw: DrawKind;
  readonly seed: number;
  /** Of 'integers': they are in [low, high). */
  readonly low?: number;
  readonly high?: number;
}

export type Attribute = number | string | boolean | null | readonly Attribute[];
export type Attributes = Readonly<Record<string, Attribute>>;

/** One use of an op. Operands are `x0`, `x1`, ... (inputs) and `s0`, `s1`, ... (results of earlier steps). */
export interface ProgramStep {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Attributes;
}

/** A random program, as plain JSON: what is compared between engines, and with PyTorch (`tooling/parity/programs_golden.py`). */
export interface ProgramSpec {
  readonly kind: string;
  readonly seed: number;
  readonly inputs: readonly ProgramInput[];
  readonly steps: readonly ProgramStep[];
  readonly outputs: readonly string[];
}

/** 32 well mixed bits of two integers (the finaliser of MurmurHash3); the same in Python. */
export function mixed(seed: number, index: number): number {
  let x = (Math.imul(seed, 0x9e3779b1) + Math.imul(index + 1, 0x85ebca77)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b) >>> 0;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

/** Values at which functions and kernels part: no numbers, ends of the range, both zeros, ties. */
export const SPECIAL_VALUES: readonly number[] = [NaN, Infinity, -Infinity, -0, 0, 1, -1, 0.5, -2.5, 3, 2 ** 20, -(2 ** -20)];

/** Element `index` of an input, the same on every machine. */
function element({ draw, seed, low = 0, high = 2 }: ProgramInput, index: number): number {
  const bits = mixed(seed, index);
  switch (draw) {
    case 'smooth':
      return (bits >>> 8) / 2 ** 22 - 2;
    case 'positive':
      return (bits >>> 9) / 2 ** 22 + 0.5;
    case 'special':
      return bits % 3 === 0 ? (bits >>> 8) / 2 ** 22 - 2 : SPECIAL_VALUES[(bits >>> 4) % SPECIAL_VALUES.length]!;
    case 'integers':
      return low + (bits % (high - low));
    case 'flags':
      return bits >>> 31;
  }
}

/** The elements of an input, before they are rounded to its dtype: smooth ones in [-2, 2), positive ones in [0.5, 2.5). */
export function drawElements(input: ProgramInput): Float64Array {
  return Float64Array.from({ length: sizeOf(input.shape) }, (_, i) => element(input, i));
}

export function drawHost(input: ProgramInput): HostArray {
  return hostFromNumbers(input.dtype, drawElements(input));
}

/** Weights of a result in the sum that is differentiated: drawn like an input, with a seed of its own. */
export function weightsOf(spec: ProgramSpec, of: ValueInfo, place: number): ProgramInput {
  return { shape: of.shape, dtype: of.dtype, draw: 'smooth', seed: (spec.seed * 64 + 7919 + place) >>> 0 };
}
