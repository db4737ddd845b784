import type { Algebra } from '@langevin/core';
import { arrayAlgebra } from '@langevin/core-schedules';
import { fromDiffusersConfig } from '../../compat/from-config.ts';
import { torchGenerator } from '@langevin/tensor';
import type { StepOptions } from '../../compat/call-options.ts';
import type { DiffusersScheduler } from '../../compat/diffusers-scheduler.ts';
import { CASE_SIZE, noiseOf, patternGenerator, startState } from './formulas.ts';
import { makeCall, noiseKind, stepOptionsOf, timestepsOptionsOf } from './golden-call.ts';

/** A run that diffusers made; tooling/parity/lambda_schedulers_golden.py says how. */
export interface GoldenCase {
  readonly class: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Arguments of set_timesteps. */
  readonly set: Readonly<Record<string, unknown>>;
  /** Arguments of step. */
  readonly step?: Readonly<Record<string, unknown>>;
  /** A constant tau_func. */
  readonly tau?: number;
  readonly seed?: number;
  readonly begin?: number;
  readonly how?: 'index' | 'timestep';
  readonly variance_noise?: boolean;
  /** Of states, when not [2, 3, 2, 2]. */
  readonly shape?: readonly number[];
  /** Upstream raises this, or gives NaN; the rest is absent. */
  readonly fails?: string;
  readonly timesteps?: readonly number[];
  readonly sigmas?: readonly number[];
  readonly init?: number;
  readonly final?: readonly number[];
  /** One element of the state after each step. */
  readonly trace?: readonly number[];
  /** How far diffusers' float32 run is from its float64 one, relative to the largest element. */
  readonly own?: number;
  readonly noised?: readonly number[];
  readonly velocity?: readonly number[];
}

export interface GoldenFile {
  readonly header: { readonly tolerance: string };
  readonly shape: readonly number[];
  readonly cases: readonly GoldenCase[];
}

/** Greatest relative differences of a case, each relative to the largest element of its list. */
export interface Comparison {
  readonly tables: number;
  readonly states: number;
}

/** What ours gives where diffusers gave the case's numbers. */
export async function runCase(
  golden: GoldenCase,
  more: Readonly<Record<string, unknown>> = {},
): Promise<{ readonly scheduler: DiffusersScheduler<Float64Array>; readonly final: Float64Array; readonly trace: readonly number[] }> {
  const algebra = arrayAlgebra({ items: golden.shape?.[0] ?? 2 }) as unknown as Algebra<Float64Array>;
  const scheduler = fromDiffusersConfig(
    { _class_name: golden.class, ...golden.config, ...(golden.tau === undefined ? {} : { tau_func: () => golden.tau }), ...more },
    { algebra },
  );
  if (Object.keys(golden.set).length > 0) scheduler.setTimesteps(timestepsOptionsOf(golden.set));
  const begin = golden.begin ?? 0;
  if (begin > 0 && golden.how !== 'timestep') scheduler.setBeginIndex(begin);
  const generator = golden.seed === undefined ? patternGenerator().generator : torchGenerator(golden.seed);
  const kind = noiseKind(scheduler);
  let x: Float64Array = startState(CASE_SIZE).map((value) => value * scheduler.initNoiseSigma);
  const trace: number[] = [];
  let shape = golden.shape;
  const calls = scheduler.timesteps.slice(begin, golden.trace === undefined ? undefined : begin + golden.trace.length).length;
  for (let k = 0; k < calls; k++) {
    const noise: StepOptions<Float64Array> =
      golden.variance_noise === true || (kind === 'path' && golden.seed === undefined)
        ? { noise: noiseOf(k, CASE_SIZE) }
        : kind === 'generator'
          ? { generator }
          : kind === 'path'
            ? { seed: golden.seed! }
            : {};
    const pipeline = golden.class === 'UnCLIPScheduler' ? { prevTimestep: scheduler.timesteps[k + 1] } : {};
    const options = {
      ...stepOptionsOf(golden.step ?? {}),
      ...pipeline,
      ...(shape === undefined ? {} : { shape }),
    } as StepOptions<Float64Array>;
    x = await makeCall({ scheduler, place: begin + k, sample: x, noise, options });
    const factor = (golden.config.scale_factors as readonly number[] | undefined)?.[k];
    if (shape !== undefined && factor !== undefined)
      shape = [...shape.slice(0, 2), ...golden.shape!.slice(2).map((size) => Math.round(factor * size))];
    trace.push(x[(7 * k) % x.length]!);
  }
  return { scheduler, final: x, trace };
}

/** Compares ours with a case's numbers. */
export async function compareCase(golden: GoldenCase, more: Readonly<Record<string, unknown>> = {}): Promise<Comparison> {
  const { scheduler, final, trace } = await runCase(golden, more);
  const tables = [
    difference(scheduler.timesteps, golden.timesteps ?? []),
    ...(golden.sigmas === undefined ? [] : [difference(scheduler.sigmas, golden.sigmas)]),
    difference([scheduler.initNoiseSigma], [golden.init ?? 1]),
  ];
  // The trace is printed with seven digits.
  const states = [difference(final, golden.final ?? []), Math.max(0, difference(trace, golden.trace ?? []) - 5e-7)];
  if (golden.noised !== undefined)
    states.push(difference(scheduler.addNoise(startState(CASE_SIZE), noiseOf(0, CASE_SIZE), ends(scheduler)), golden.noised));
  if (golden.velocity !== undefined)
    states.push(difference(scheduler.getVelocity(startState(CASE_SIZE), noiseOf(0, CASE_SIZE), ends(scheduler)), golden.velocity));
  return { tables: Math.max(...tables), states: Math.max(...states) };
}

/** One timestep for each of the two items: the first and the last. */
const ends = ({ timesteps }: DiffusersScheduler<Float64Array>): readonly [number, number] => [timesteps[0]!, timesteps.at(-1)!];

export function difference(ours: ArrayLike<number>, theirs: readonly number[]): number {
  if (ours.length !== theirs.length) return Infinity;
  const scale = Math.max(Number.MIN_VALUE, ...theirs.map(Math.abs));
  // NaN must count as a difference.
  return theirs.reduce((most, value, i) => Math.max(most, Number.isFinite(ours[i]) ? Math.abs(ours[i]! - value) / scale : Infinity), 0);
}

/**
 * The most that states may differ from a case's, relative to the largest element. A case is diffusers' float32 tables in float64
 * arithmetic: ours may be as far from it as diffusers' own float32 run is, or two units in the last place of float32, as torch's square
 * roots and sines of whole tables are not always rounded to the nearest. Noise of seeds is equal to torch's to 2e-6, which a run may add
 * up; a Brownian path is read at times of float32 rounded to a millionth, and a millionth of time moves it by a thousandth of its unit.
 */
function allowed({ seed, config, own = 0 }: GoldenCase): number {
  if (typeof config.noise_sampler_seed === 'number') return 1e-4;
  return Math.max(own, seed === undefined ? 2 ** -22 : 1e-5);
}

/**
 * Whether ours came close enough. Tables depend on no noise, so seeds excuse nothing there: two units in the last place of float32, or what
 * diffusers' own float32 is off by, where timesteps are interpolated between sigmas.
 */
export function agrees(golden: GoldenCase, { tables, states }: Comparison): boolean {
  return tables <= Math.max(golden.own ?? 0, 2 ** -22) && states <= allowed(golden);
}

/** A case in one line. */
export function caseName({ class: name, config, set, step, seed, begin, how, variance_noise, shape }: GoldenCase): string {
  const rest = {
    ...step,
    ...(shape === undefined ? {} : { shape }),
    ...(seed === undefined ? {} : { seed }),
    ...(begin === undefined ? {} : { begin: how === 'timestep' ? `timestep ${begin}` : begin }),
    ...(variance_noise === true ? { variance_noise } : {}),
  };
  return [name, ...[config, set, rest].map((part) => JSON.stringify(part))].join(' ').replaceAll('"', '');
}
