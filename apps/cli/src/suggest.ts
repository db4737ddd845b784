import { UserError } from '@langevin/tensor';
import { distance } from 'fastest-levenshtein';

/** ` Did you mean "heun"?` when a known name is close enough to be what was meant, else nothing. */
export function didYouMean(given: string, known: readonly string[]): string {
  const wanted = given.slice(0, 64).toLowerCase();
  const near = known
    .map((name) => ({ name, away: distance(wanted, name.toLowerCase()) }))
    // Half of a name may be wrong, so that two letters in the wrong order are still seen.
    .filter(({ name, away }) => away <= Math.max(1, Math.floor(name.length / 2)))
    .sort((a, b) => a.away - b.away)[0];
  return near === undefined ? '' : ` Did you mean "${near.name}"?`;
}

/** What a name on the command line stands for. @throws UserError with the nearest known name and all others */
export function byName<T>(given: string, entries: Readonly<Record<string, T>>, what: { readonly part: string; readonly kind: string }): T {
  if (Object.hasOwn(entries, given)) return entries[given]!;
  const known = Object.keys(entries);
  const shown = known.length > 40 ? `${known.slice(0, 40).join(', ')} and ${known.length - 40} more` : known.join(', ');
  throw new UserError(`[cli/${what.part}] unknown ${what.kind}: "${given}".${didYouMean(given, known)} Known: ${shown}.`);
}
