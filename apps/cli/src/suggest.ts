import { UserError } from '@langevin/tensor';
import { closest, distance } from 'fastest-levenshtein';

/** ` Did you mean "heun"?` when a known name is close enough to be what was meant, else nothing. */
export function didYouMean(given: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const wanted = given.slice(0, 64).toLowerCase();
  const near = closest(wanted, known.map((name) => name.toLowerCase()));
  const name = known.find((candidate) => candidate.toLowerCase() === near)!;
  return distance(wanted, near) <= Math.max(1, Math.floor(near.length / 2)) ? ` Did you mean "${name}"?` : '';
}

/** What a name on the command line stands for. @throws UserError with the nearest known name and all others */
export function byName<T>(given: string, entries: Readonly<Record<string, T>>, what: { readonly part: string; readonly kind: string }): T {
  if (Object.hasOwn(entries, given)) return entries[given]!;
  const known = Object.keys(entries);
  const shown = known.length > 40 ? `${known.slice(0, 40).join(', ')} and ${known.length - 40} more` : known.join(', ');
  throw new UserError(`[cli/${what.part}] unknown ${what.kind}: "${given}".${didYouMean(given, known)} Known: ${shown}.`);
}
