import { readOptions, shownValue, UserError } from '@langevin/tensor';

const WHERE = 'pipelines/model';

/**
 * What is added to a model: a list of choices whose entries are known.
 *
 * @param name of the option
 * @throws UserError when it is no list, is too long, or an entry is misspelt
 */
export function readChoices<C extends object>(
  name: string,
  given: unknown,
  { most, names }: { readonly most: number; readonly names: readonly (keyof C & string)[] },
): readonly C[] {
  if (Array.isArray(given) && given.length <= most) return given.map((choice: unknown) => readOptions(WHERE, choice as C, names));
  const shown = Array.isArray(given) ? `${given.length} of them` : shownValue(given);
  throw new UserError(`[${WHERE}] ${name} are a list of at most ${most}: ${name}=${shown}. Pass [{ from }].`);
}
