import { add, cast, mul, pow, scalar, UserError, where, greater, type Generator, type Operand, type Tensor } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import type { GaussianTensors } from '../op.ts';

/** What a deformation does to the Gaussians at a time: differences, added in the form in which they are stored. */
export interface Offsets<Value = Tensor> {
  /** [N, 3] */
  readonly means: Value;
  /** [N, 4] */
  readonly quaternions?: Value;
  /** [N, 3] */
  readonly logScales?: Value;
}

/** What may move, as tensors. */
export type MovingTensors = Pick<GaussianTensors, keyof Offsets>;

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What a deformation is made from again. */
export type DeformationConfig = { readonly [key: string]: Json };

/** Weights by dotted name. */
export type NamedArrays = Readonly<
  Record<string, { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array }>
>;

/** A deformation with its weights as plain data: what the 4D container of `@langevin/io/splats` gives. */
export interface DeformationData {
  /** The name by which {@link deformations} knows it: `mlp`, `hexplane`, or that of a plugin. */
  readonly kind: string;
  readonly config: DeformationConfig;
  /** Weights by dotted name, float32. */
  readonly tensors: Readonly<Record<string, { readonly dtype: string; readonly shape: readonly number[]; readonly data: ArrayBufferView }>>;
}

/**
 * How Gaussians move: parameters and a time give other parameters. A frozen value, like a module of `@langevin/nn`; times are in [0, 1].
 * A plugin in one file, whose factory takes the box in which things move as its option `box`. What takes parameters is declared as a
 * method, so that a registry may hold deformations of any parameters.
 */
export interface Deformation<Params> {
  /** The name by which a registry knows it, which files hold. */
  readonly kind: string;
  /**
   * All that its factory is given, defaults filled in: it makes the same deformation of it again. `exponent` is that of the factor
   * time^exponent on the differences, in [0, 8].
   */
  readonly config: DeformationConfig & { readonly exponent: number };
  /** Learning rates by the first part of a parameter's name. */
  readonly rates: Readonly<Record<string, number>>;
  /** Weights with which nothing moves. */
  init(generator: Generator): Params;
  /** Differences at a time, before the factor of {@link timeFactor}. */
  offsets(params: Params, gaussians: MovingTensors, time: Tensor): Offsets;
  /** What is added to the loss to keep the motion smooth. @default nothing */
  penalty?(params: Params): Tensor;
  /** The same differences without an engine, for playback. */
  readonly player: (weights: NamedArrays, gaussians: Gaussians) => (time: number) => Offsets<Float32Array>;
}

/** The exponent of the factor that holds the first frame still: 0.35 in Ling et al. 2024 (Align Your Gaussians, arXiv:2312.13763). */
export const TIME_EXPONENT = 0.35;

/**
 * Gaussians at a time, as tensors with gradients to the weights and to the Gaussians. At time 0 they are the same numbers, unless the
 * exponent is 0.
 */
export function deform<Params, G extends MovingTensors>(
  { deformation, params }: { readonly deformation: Deformation<Params>; readonly params: Params },
  gaussians: G,
  time: Operand,
): G {
  const at = typeof time === 'number' ? scalar(checkTime(time)) : time;
  const offsets = deformation.offsets(params, gaussians, at);
  const factor = timeFactor(at, exponentOf(deformation.config));
  const moved = (name: keyof Offsets): Tensor => (offsets[name] ? add(gaussians[name], mul(offsets[name], factor)) : gaussians[name]);
  return { ...gaussians, means: moved('means'), quaternions: moved('quaternions'), logScales: moved('logScales') };
}

/**
 * Gaussians at a time of a scene in motion, from plain data and without an engine: for viewers. At time 0 they are the same numbers, unless
 * the exponent is 0.
 */
export function play<Params>(deformation: Deformation<Params>, weights: NamedArrays, gaussians: Gaussians): (time: number) => Gaussians {
  const offsetsAt = deformation.player(weights, gaussians);
  const exponent = exponentOf(deformation.config);
  return (time) => {
    const factor = exponent === 0 ? 1 : checkTime(time) ** exponent;
    if (factor === 0) return gaussians;
    const offsets = offsetsAt(checkTime(time));
    const moved = (name: keyof Offsets): Float32Array =>
      offsets[name] ? gaussians[name].map((value, i) => value + factor * offsets[name]![i]!) : gaussians[name];
    return { ...gaussians, means: moved('means'), quaternions: moved('quaternions'), logScales: moved('logScales') };
  };
}

/** time^exponent, 0 at 0; a constant 1 for the exponent 0. */
function timeFactor(time: Tensor, exponent: number): Tensor {
  if (exponent === 0) return scalar(1);
  const positive = greater(time, 0);
  // A power of 0 has no gradient by time: keep its slope out of the graph.
  return mul(pow(where({ if: positive, then: time, else: 1 }), exponent), cast(positive, 'float32'));
}

function exponentOf(config: DeformationConfig): number {
  return configNumber(config, 'exponent', { min: 0, max: 8 });
}

export function checkTime(time: number): number {
  if (!(time >= 0 && time <= 1)) throw new UserError(`[gaussians/dynamic] time is out of range: time=${time}. Pass a number in [0, 1].`);
  return time;
}

/** A number of a configuration, which may come from a file. */
export function configNumber(
  config: Readonly<Record<string, unknown>>,
  name: string,
  range: { readonly min: number; readonly max: number; readonly integer?: boolean },
): number {
  const value = config[name];
  if (typeof value !== 'number' || !(value >= range.min && value <= range.max) || (range.integer && !Number.isInteger(value))) {
    throw new UserError(
      `[gaussians/dynamic] configuration is out of range: ${name}=${String(value)}. Give `
        + `${range.integer ? 'an integer' : 'a number'} from ${range.min} to ${range.max}.`,
    );
  }
  return value;
}
