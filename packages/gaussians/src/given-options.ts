import { didYouMean, shownValue, UserError } from '@langevin/tensor';

/**
 * The options of something by name: those given, and defaults for the others.
 *
 * @param what as messages call it, such as `the strategy "mcmc"`
 * @param known names of the options, also of those without a default
 * @throws UserError for a name that it does not have
 */
export function givenOptions<Options extends object>(
  where: string,
  given: Options,
  { what, known }: { readonly what: string; readonly known: readonly string[] },
): Options {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  const unknown = entries.find(([name]) => !known.includes(name));
  if (unknown === undefined) return Object.fromEntries(entries) as Options;
  const [name, value] = unknown;
  throw new UserError(
    `[${where}] unknown option of ${what}: ${name.slice(0, 60)}=${shownValue(value)}.${didYouMean(name, known)} Known: `
      + `${known.join(', ')}.`,
  );
}
