import { shownValue } from './check-number.ts';
import { didYouMean } from './did-you-mean.ts';
import { UserError } from './errors.ts';

/**
 * An options object as it was given; nothing given is no options, and an option that is undefined is not given. Code without types passes
 * null, lists and numbers here.
 *
 * @param where "package/part", as errors begin
 * @param names the options that there are; a misspelt one would be noticed by nobody. @default not looked at
 * @throws UserError for what is no object of options, or has others than those
 * @example
 * readOptions('samplers/heun', { sChurn: 40 }); // => { sChurn: 40 }
 * Object.keys(readOptions('samplers/heun', undefined)); // => []
 */
export function readOptions<Options extends object>(where: string, given: Options | undefined, names?: readonly string[]): Options {
  const value: unknown = given === undefined ? {} : given;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    throw new UserError(`[${where}] options are an object: options=${shownValue(given)}. Pass { ... }, or leave them out.`);
  const entries = Object.entries(value);
  const unknown = names === undefined ? undefined : entries.find(([name]) => !names.includes(name))?.[0];
  if (unknown !== undefined)
    throw new UserError(
      `[${where}] unknown option: ${unknown.slice(0, 60)}.${didYouMean(unknown, names ?? [])} Known: ${(names ?? []).join(', ')}.`,
    );
  const named = entries.filter(([, option]) => option !== undefined);
  return (named.length === entries.length ? value : Object.fromEntries(named)) as Options;
}

/**
 * Refuses an option that is none of the names it can have.
 *
 * @throws UserError that lists them
 * @example
 * checkChoice('tensor/sum', { dims: 'keep' }, ['keep', 'drop']); // => undefined
 */
export function checkChoice(where: string, given: Readonly<Record<string, unknown>>, names: readonly string[]): void {
  for (const [option, value] of Object.entries(given)) {
    if (names.some((name) => name === value)) continue;
    const hint = typeof value === 'string' ? didYouMean(value, names) : '';
    throw new UserError(`[${where}] ${option} is none of its choices: ${option}=${shownValue(value)}.${hint} Give ${names.join(' or ')}.`);
  }
}

/**
 * Refuses what is no signal to stop by, and what is no function to be called; neither has to be given.
 *
 * @param listeners functions by the names of their options
 * @throws UserError that names the option
 * @example
 * checkListeners('pipelines/save', { signal: new AbortController().signal, onProgress: undefined }); // => undefined
 */
export function checkListeners(
  where: string,
  { signal, ...listeners }: { readonly signal?: unknown; readonly [listener: string]: unknown },
): void {
  const given = signal as Partial<AbortSignal> | null | undefined;
  if (given !== undefined && (typeof given?.aborted !== 'boolean' || typeof given.throwIfAborted !== 'function'))
    throw new UserError(`[${where}] signal is none: signal=${shownValue(signal)}. Pass that of an AbortController, or leave it out.`);
  for (const [name, listener] of Object.entries(listeners))
    if (listener !== undefined && typeof listener !== 'function')
      throw new UserError(`[${where}] ${name} is no function: ${name}=${shownValue(listener)}. Pass one, or leave it out.`);
}
