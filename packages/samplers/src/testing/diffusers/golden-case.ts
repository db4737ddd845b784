import { arrayAlgebra, type Algebra } from '@langevin/core-schedules';
import { fromDiffusersConfig } from '../../compat/from-config.ts';
import type { TimestepsOptions, StepOptions } from '../../compat/scheduler-class.ts';
import type { DiffusersScheduler } from '../../compat/scheduler.ts';
import { torchGenerator, type Generator } from '@langevin/tensor';

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

const SIZE = 24;

/** The formulas of the golden script. */
function pattern(multiplier: number, modulus: number, offset: number, scale: number, size = SIZE): Float64Array {
  return Float64Array.from({ length: size }, (_, i) => (((i * multiplier + offset) % modulus) - Math.floor(modulus / 2)) / scale);
}

const start = (): Float64Array => pattern(7, 13, 0, 4);
const noiseOf = (k: number, size = SIZE): Float64Array => pattern(5, 17, 3 * k, 5, size);

/** 0.3 x + a constant of the element + 0.1 t / 1000, of two items [3, 2, 2]; `extra` more channels for networks with learned variance. */
function network(x: Float64Array, t: number, extra: number): Float64Array {
  const shift = pattern(3, 11, 0, 8, x.length);
  const out = x.map((value, i) => 0.3 * value + shift[i]! + (0.1 * t) / 1000);
  if (extra === 0) return out;
  const item = SIZE / 2;
  const added = new Float64Array(extra * 4).fill(0.25);
  return Float64Array.from([...out.slice(0, item), ...added, ...out.slice(item), ...added]);
}

/** Draws the noises of the golden script one after another, where a generator is wanted. */
function patternGenerator(): Generator {
  let drawn = 0;
  return { normal: (size: number) => noiseOf(drawn++, size) } as unknown as Generator;
}

const camel = (key: string): string => key.replace(/_([a-z])/gu, (_, letter: string) => letter.toUpperCase());
const STEP_NAMES: Readonly<Record<string, string>> = { s_tmin: 'sTMin', s_tmax: 'sTMax' };
const camelKeys = (given: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(given).map(([key, value]) => [STEP_NAMES[key] ?? camel(key), value]));

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
  if (Object.keys(golden.set).length > 0) scheduler.setTimesteps(camelKeys(golden.set) as TimestepsOptions);
  const begin = golden.begin ?? 0;
  if (begin > 0 && golden.how !== 'timestep') scheduler.setBeginIndex(begin);
  // A Brownian path of the config's seed needs none.
  const draws = scheduler.stepOptions.includes('generator') && typeof golden.config.noise_sampler_seed !== 'number';
  // The noise of a Brownian path is given by a seed.
  const fromPath = scheduler.stepOptions.includes('seed') && !scheduler.stepOptions.includes('generator');
  const generator = golden.seed === undefined ? patternGenerator() : torchGenerator(golden.seed);
  const learned = golden.config.variance_type === 'learned' || golden.config.variance_type === 'learned_range';
  let x: Float64Array = start().map((value) => value * scheduler.initNoiseSigma);
  const trace: number[] = [];
  let shape = golden.shape;
  for (const [k, t] of scheduler.timesteps.slice(begin, golden.trace === undefined ? undefined : begin + golden.trace.length).entries()) {
    const noise: StepOptions<Float64Array> =
      golden.variance_noise === true || (fromPath && golden.seed === undefined)
        ? { noise: noiseOf(k) }
        : draws
          ? { generator }
          : fromPath
            ? { seed: golden.seed! }
            : {};
    const options = { ...camelKeys(golden.step ?? {}), ...noise, ...(shape === undefined ? {} : { shape }) };
    if (golden.class === 'RePaintScheduler') {
      const before = k === 0 ? t + 1 : scheduler.timesteps[k - 1]!;
      x =
        t < before
          ? (
              await scheduler.step(network(x, t, 0), t, x, {
                ...options,
                originalImage: pattern(2, 7, 0, 4),
                mask: pattern(1, 2, 0, 1).map((value) => value + 1),
              })
            ).prevSample
          : await scheduler.undoStep(x, before, noise);
    } else if (golden.class === 'KarrasVeScheduler') {
      const { sampleHat, sigmaHat } = await scheduler.addNoiseToInput(x, t, noise);
      x = (
        await scheduler.step(
          network(
            sampleHat.map((value) => value / (1 + sigmaHat)),
            0,
            0,
          ),
          t,
          sampleHat,
          options,
        )
      ).prevSample;
    } else if (golden.class === 'ScoreSdeVeScheduler') {
      const last = scheduler.sigmas.length - 2;
      const sigma = scheduler.sigmas[last - Math.trunc(Math.fround(t * last))]!;
      const score = network(
        x.map((value) => value / (1 + sigma)),
        t,
        0,
      ).map((value) => -value / (1 + sigma));
      x = (await scheduler.step(score, t, x, options)).prevSample;
    } else {
      const pipeline =
        golden.class === 'UnCLIPScheduler'
          ? { prevTimestep: scheduler.timesteps[k + 1] }
          : golden.class === 'HeliosDMDScheduler'
            ? {
                curSamplingStep: k,
                dmdNoisyTensor: noiseOf(k),
                dmdSigmas: scheduler.sigmas,
                dmdTimesteps: scheduler.timesteps,
                allTimesteps: scheduler.timesteps,
              }
            : {};
      const output = network(scheduler.scaleModelInput(x, t), t, learned ? 3 : 0);
      x = (await scheduler.step(output, t, x, { ...options, ...pipeline } as StepOptions<Float64Array>)).prevSample;
    }
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
  if (golden.noised !== undefined) states.push(difference(scheduler.addNoise(start(), noiseOf(0), ends(scheduler)), golden.noised));
  if (golden.velocity !== undefined) states.push(difference(scheduler.getVelocity(start(), noiseOf(0), ends(scheduler)), golden.velocity));
  return { tables: Math.max(...tables), states: Math.max(...states) };
}

/** One timestep for each of the two items: the first and the last. */
const ends = ({ timesteps }: DiffusersScheduler<Float64Array>): readonly [number, number] => [timesteps[0]!, timesteps.at(-1)!];

function difference(ours: ArrayLike<number>, theirs: readonly number[]): number {
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
