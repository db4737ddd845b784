import { type Algebra, checkDenoiser, type NoiseSource, type Sampler, type SamplerState } from '@langevin/core';
import { checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import { isObject } from './check-option.ts';

const WHERE = 'samplers/trajectory';

const KINDS = {
  sampler: { methods: ['init', 'step'], remedy: 'Pass a sampler, such as heun().' },
  noise: { methods: ['draw'], remedy: 'Pass a source of noise, such as imageNoise({ seed: 0 }).' },
  algebra: { methods: ['linear', 'realize', 'complaint'], remedy: 'Pass arrayAlgebra() or tensorAlgebra().' },
  signal: { methods: ['throwIfAborted'], remedy: 'Pass the signal of an AbortController, or leave it out.' },
} as const;

/**
 * Throws unless what a run is given is of the kinds that it needs: code without types, and files, bring anything.
 *
 * @returns the options, without those that are undefined
 */
export function checkRun<Options extends object>(given: Options): Options {
  const options = readOptions(WHERE, given);
  const of: Readonly<Record<string, unknown>> = Object.fromEntries(Object.entries(options));
  checkNames('sampler', of['sampler']);
  for (const name of ['noise', 'algebra', 'signal'] as const) if (of[name] !== undefined) checkNames(name, of[name]);
  checkDenoiser(WHERE, of['denoise']);
  return options;
}

function checkNames(name: keyof typeof KINDS, value: unknown): void {
  const { methods, remedy } = KINDS[name];
  if (!isObject(value) || methods.some((method) => typeof value[method] !== 'function')) throw wrongKind(name, value, remedy);
}

function wrongKind(name: string, value: unknown, remedy: string): UserError {
  return new UserError(`[${WHERE}] wrong kind of option: ${name}=${shownValue(value)}. ${remedy}`);
}

/** Throws for a sampler that draws, without a source to draw from. */
export function checkNoise(sampler: Sampler, noise: NoiseSource | undefined): void {
  if (!sampler.stochastic || noise !== undefined) return;
  throw new UserError(
    `[samplers/${sampler.name}] the sampler draws noise and has none: noise=undefined. Pass noise: imageNoise({ seed: 0 }), or options `
      + 'that make it deterministic.',
  );
}

/** Throws unless a value is a state that the algebra can work with; over plain arrays, a finite one. */
export function checkState<T>(algebra: Algebra<T>, name: string, { value, like, remedy }: StateToCheck<T>): void {
  const wrong = algebra.complaint(value, like);
  if (wrong !== undefined) throw new UserError(`[${WHERE}] ${name} cannot be used as a state: ${wrong}. ${remedy}`);
}

interface StateToCheck<T> {
  readonly value: T;
  readonly like: T;
  readonly remedy: string;
}

const SAVED = 'Pass what a run has yielded, with its arrays as arrays: JSON makes objects of typed arrays, and null of NaN.';

/** Throws unless what a run is to go on from is what a run has yielded; files hold something else easily. */
export function checkResume<T>(algebra: Algebra<T>, resume: unknown, steps: number): void {
  if (!isObject(resume)) throw wrongKind('resume', resume, SAVED);
  const { step, x, nfe, state } = resume;
  checkNumber(
    WHERE,
    { 'resume.step': step },
    { atLeast: 0, atMost: steps, kind: 'integer', advice: `The run has ${steps} steps: pass the levels of the one to resume.` },
  );
  checkNumber(WHERE, { 'resume.nfe': nfe }, { atLeast: 0, advice: SAVED });
  if (!isObject(x)) throw wrongKind('resume.x', x, SAVED);
  const like = x as T;
  const check = (name: string, value: unknown): void => checkState(algebra, `resume.${name}`, { value: value as T, like, remedy: SAVED });
  check('x', x);
  if (!isObject(state) || !Array.isArray(state['history']) || !isObject(state['values']) || !isObject(state['numbers']))
    throw wrongKind('resume.state', state, SAVED);
  const { history, values, numbers } = state as unknown as SamplerState<unknown>;
  Array.from(history as readonly unknown[]).forEach((entry, i) => {
    if (!isObject(entry) || !isObject(entry['at'])) throw wrongKind(`resume.state.history[${i}]`, entry, SAVED);
    const { alpha, sigma } = entry['at'];
    checkNumber(WHERE, { [`resume.state.history[${i}].at.alpha`]: alpha }, { atLeast: 0, advice: SAVED });
    checkNumber(WHERE, { [`resume.state.history[${i}].at.sigma`]: sigma }, { atLeast: 0, advice: SAVED });
    check(`state.history[${i}].x`, entry['x']);
    check(`state.history[${i}].denoised`, entry['denoised']);
  });
  for (const [name, value] of Object.entries(values)) check(`state.values.${name}`, value);
  for (const [name, value] of Object.entries(numbers))
    if (typeof value !== 'number') throw wrongKind(`resume.state.numbers.${name}`, value, SAVED);
}
