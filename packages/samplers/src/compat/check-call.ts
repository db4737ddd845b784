import type { Algebra } from '@langevin/core';
import { UserError } from '@langevin/tensor';
import { showEntry } from '@langevin/tensor/fields';
import type { StepOptions, TimestepsOptions } from './call-options.ts';
import { MAX_STEPS } from './config.ts';

/** Throws with the class's name in front. */
export function refuse(name: string, what: string): never {
  throw new UserError(`[samplers/compat] ${name}: ${what}`);
}

export function checkTime(name: string, t: unknown): number {
  if (typeof t === 'number' && Number.isFinite(t)) return t;
  return refuse(name, `a timestep is a finite number: t=${showEntry(t)}. Pass one of scheduler.timesteps.`);
}

/** One timestep for the whole batch, or a list with one for each item. */
export function checkTimes(name: string, timesteps: unknown, items: number): readonly number[] {
  if (!Array.isArray(timesteps)) return [checkTime(name, timesteps)];
  if (timesteps.length !== items)
    refuse(name, `timesteps are one for all, or one for each item: timesteps=${timesteps.length}, batch of ${items}. Pass as many.`);
  // By index: holes are then undefined.
  return Array.from(timesteps as unknown[], (t) => checkTime(name, t));
}

/** Refuses what is no state, is not finite, or has another form than the first one. */
export function checkForms<T>(name: string, algebra: Algebra<T>, states: Readonly<Record<string, T>>): void {
  const [[first, like] = ['', undefined]] = Object.entries(states);
  for (const [what, value] of Object.entries(states)) {
    const complaint = value === null || value === undefined ? `it is ${String(value)}` : algebra.complaint(value, like ?? value);
    if (complaint === undefined) continue;
    refuse(name, `${what} is not a finite state${what === first ? '' : ` of the form of ${first}`}: ${complaint}. Pass one.`);
  }
}

type Check = (value: unknown) => boolean;
const isNumber: Check = (value) => typeof value === 'number' && !Number.isNaN(value);
const isFinite: Check = (value) => Number.isFinite(value);
const isList =
  (each: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length >= 1 && value.length <= MAX_STEPS && Array.from(value as unknown[]).every(each);
const isSeed: Check = (value) => typeof value === 'bigint' || Number.isSafeInteger(value);
const isGenerator: Check = (value) =>
  typeof value === 'object' && value !== null && typeof (value as { readonly normal?: unknown }).normal === 'function';
const either =
  (a: Check, b: Check): Check =>
  (value) =>
    a(value) || b(value);

interface Kind {
  readonly holds: Check;
  readonly pass: string;
}

const FINITE: Kind = { holds: isFinite, pass: 'a finite number' };
const AT_LEAST_ZERO: Kind = { holds: (value) => isNumber(value) && (value as number) >= 0, pass: 'a number >= 0' };
const NUMBERS: Kind = { holds: isList(isFinite), pass: `a list of 1 to ${MAX_STEPS} finite numbers` };
const STATE: Kind = { holds: (value) => typeof value === 'object' && value !== null, pass: 'a state like the sample' };

const STEP_KINDS: { readonly [K in keyof StepOptions<unknown>]-?: Kind } = {
  generator: { holds: either(isGenerator, isList(isGenerator)), pass: 'torchGenerator(seed), or a list with one for each item' },
  noise: STATE,
  seed: { holds: either(isSeed, isList(isSeed)), pass: 'an integer or a bigint, or a list with one for each item' },
  eta: AT_LEAST_ZERO,
  useClippedModelOutput: { holds: (value) => typeof value === 'boolean', pass: 'true or false' },
  sChurn: AT_LEAST_ZERO,
  sTMin: AT_LEAST_ZERO,
  sTMax: AT_LEAST_ZERO,
  sNoise: AT_LEAST_ZERO,
  prevTimestep: { holds: (value) => Number.isSafeInteger(value), pass: 'an integer' },
  order: { holds: (value) => Number.isSafeInteger(value), pass: 'an integer' },
  originalImage: STATE,
  mask: STATE,
  rTimestep: FINITE,
  predOriginalSample: STATE,
  shape: {
    holds: isList((value) => Number.isSafeInteger(value) && (value as number) >= 1),
    pass: 'the shape [N, C, ...] of the sample',
  },
  perTokenTimesteps: NUMBERS,
  curSamplingStep: { holds: (value) => Number.isSafeInteger(value) && (value as number) >= 0, pass: 'an integer >= 0' },
  dmdNoisyTensor: STATE,
  dmdSigmas: NUMBERS,
  dmdTimesteps: NUMBERS,
  allTimesteps: NUMBERS,
};

/** Options whose value is a state like the sample. */
const STATES = ['originalImage', 'mask', 'predOriginalSample', 'dmdNoisyTensor'] as const;

/** What step is given besides model output, timestep and sample. @throws UserError naming the option that is wrong */
export function checkStepOptions<T>(
  name: string,
  options: StepOptions<T>,
  {
    method,
    known,
    algebra,
    sample,
  }: {
    readonly method: string;
    readonly known: readonly (keyof StepOptions<unknown>)[];
    readonly algebra: Algebra<T>;
    readonly sample: T;
  },
): void {
  checkKeys(name, options, { method, known });
  for (const key of known) {
    const value: unknown = options[key];
    if (value === undefined) continue;
    const { holds, pass } = STEP_KINDS[key];
    if (!holds(value)) refuse(name, `${method} cannot take this value: ${key}=${showEntry(value)}. Pass ${pass}, or leave it out.`);
  }
  const states = STATES.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]]));
  checkForms(name, algebra, { sample, ...(Object.fromEntries(states) as Record<string, T>) });
  const sources = (['generator', 'noise', 'seed'] as const).filter((key) => options[key] !== undefined);
  if (sources.length > 1) refuse(name, `noise comes from one place: ${sources.join(' and ')} are given. Pass one of them.`);
}

function checkKeys(
  name: string,
  options: unknown,
  { method, known }: { readonly method: string; readonly known: readonly string[] },
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    refuse(name, `the options of ${method} are an object: options=${showEntry(options)}. Pass one, or leave them out.`);
  const foreign = Object.entries(options).find(([key, value]) => value !== undefined && !known.includes(key));
  if (foreign === undefined) return;
  const takes = known.length === 0 ? 'It takes none.' : `Known: ${known.join(', ')}.`;
  // A key may be of any length.
  refuse(name, `${method} does not take this option: ${foreign[0].slice(0, 60)}. ${takes}`);
}

/** What says how long a run is; a class takes at least one of them. */
const LENGTHS = ['numInferenceSteps', 'timesteps', 'sigmas'] as const;
const COUNTS: readonly string[] = ['numInferenceSteps', 'originalInferenceSteps', 'numTrainTimesteps', 'jumpLength', 'jumpNSample'];
const LISTS: readonly string[] = ['timesteps', 'sigmas'];

/** What setTimesteps is given, with lists of its own. @throws UserError naming the option that is wrong */
export function checkRequest(name: string, steps: unknown, known: readonly (keyof TimestepsOptions)[]): TimestepsOptions {
  const given: unknown = typeof steps === 'number' ? { numInferenceSteps: steps } : steps;
  checkKeys(name, given, { method: 'setTimesteps', known });
  const request = given as Readonly<Record<string, unknown>>;
  const lengths = LENGTHS.filter((key) => known.includes(key));
  if (lengths.every((key) => request[key] === undefined))
    refuse(name, `nothing says how long the run is: ${lengths.map((key) => `${key}=undefined`).join(', ')}. Pass one of them.`);
  const checked = Object.entries(request).flatMap(([key, value]): [string, unknown][] => {
    if (value === undefined) return [];
    const expected = expectedOf(key, value);
    if (expected !== undefined) refuse(name, `setTimesteps cannot take this value: ${key}=${showEntry(value)}. Pass ${expected}.`);
    return [[key, Array.isArray(value) ? Object.freeze([...(value as unknown[])]) : value]];
  });
  return Object.freeze(Object.fromEntries(checked)) as TimestepsOptions;
}

/** What an option takes, where the value is not that. */
function expectedOf(key: string, value: unknown): string | undefined {
  if (COUNTS.includes(key))
    return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_STEPS
      ? undefined
      : `an integer in 1..${MAX_STEPS}`;
  if (LISTS.includes(key)) return NUMBERS.holds(value) ? undefined : NUMBERS.pass;
  if (key === 'isAmplifyFirstChunk') return typeof value === 'boolean' ? undefined : 'true or false';
  if (key === 'intermediateTimesteps' && value === null) return undefined;
  return Number.isFinite(value) ? undefined : 'a finite number';
}

/**
 * Throws unless exactly one of the named options is given.
 *
 * @throws UserError naming those that are
 */
export function exclusive(name: string, given: object, names: readonly string[]): void {
  const present = Object.entries(given).flatMap(([key, value]) => (value !== undefined && names.includes(key) ? [key] : []));
  if (present.length === 1) return;
  refuse(
    name,
    `setTimesteps takes one of ${names.join(', ')}: given ${present.length === 0 ? 'none' : present.join(' and ')}. Pass exactly one.`,
  );
}
