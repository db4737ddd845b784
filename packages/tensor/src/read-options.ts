import { shownValue } from './check-number.ts';
import { UserError } from './errors.ts';

/**
 * An options object as it was given; nothing given is no options, and an option that is undefined is not given. Code without types passes
 * null, lists and numbers here.
 *
 * @param where "package/part", as errors begin
 * @throws UserError for what is no object of options
 * @example
 * readOptions('samplers/heun', { sChurn: 40 }); // => { sChurn: 40 }
 * Object.keys(readOptions('samplers/heun', undefined)); // => []
 */
export function readOptions<Options extends object>(where: string, given: Options | undefined): Options {
  const value: unknown = given === undefined ? {} : given;
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value))
    throw new UserError(`[${where}] options are an object: options=${shownValue(given)}. Pass { ... }, or leave them out.`);
  const entries = Object.entries(value);
  const named = entries.filter(([, option]) => option !== undefined);
  return (named.length === entries.length ? value : Object.fromEntries(named)) as Options;
}
