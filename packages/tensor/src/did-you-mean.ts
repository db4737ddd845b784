import { distance } from 'fastest-levenshtein';

/** Names from outside may be of any length; what is this long was not mistyped. */
const LONGEST = 64;

/**
 * ` Did you mean "heun"?` when a known name is near enough to have been meant, else nothing: the end of an error about an unknown name.
 *
 * Half of a name may be wrong, so that two letters in the wrong order are still seen.
 *
 * @example
 * didYouMean('huen', ['euler', 'heun']); // => ' Did you mean "heun"?'
 */
export function didYouMean(given: string, known: readonly string[]): string {
  const wanted = given.slice(0, LONGEST).toLowerCase();
  const near = known
    .map((name) => ({ name, away: distance(wanted, name.toLowerCase()) }))
    .filter(({ name, away }) => away <= Math.max(1, Math.floor(name.length / 2)))
    .sort((a, b) => a.away - b.away)[0];
  return near === undefined ? '' : ` Did you mean "${near.name}"?`;
}
