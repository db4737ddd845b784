import { didYouMean, UserError } from '@langevin/tensor';

/** What a name on the command line stands for. @throws UserError with the nearest known name and all others */
export function byName<T>(given: string, entries: Readonly<Record<string, T>>, what: { readonly part: string; readonly kind: string }): T {
  if (Object.hasOwn(entries, given)) return entries[given]!;
  const known = Object.keys(entries);
  const shown = known.length > 40 ? `${known.slice(0, 40).join(', ')} and ${known.length - 40} more` : known.join(', ');
  throw new UserError(`[cli/${what.part}] unknown ${what.kind}: "${given}".${didYouMean(given, known)} Known: ${shown}.`);
}
