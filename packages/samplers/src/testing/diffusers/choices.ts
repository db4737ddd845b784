import { schedulerClasses } from '../../compat/classes/index.ts';
import type { GoldenCase } from './golden-case.ts';

/** A key of a scheduler's config that takes one of a few values, and how often golden cases have each. */
export interface ChoiceRow {
  /** The Python class. */
  readonly class: string;
  readonly option: string;
  readonly values: readonly { readonly value: unknown; readonly cases: number }[];
}

/**
 * How many golden cases run each value of each key that takes one of a few: flags, names and absent ones. A case that does not name a key
 * has its default.
 */
export function compatChoices(cases: readonly GoldenCase[]): readonly ChoiceRow[] {
  return schedulerClasses.flatMap(({ name, options }) => {
    const own = cases.filter((golden) => golden.class === name);
    return Object.entries(options).flatMap(([option, { choices, fallback }]) =>
      choices === undefined
        ? []
        : [
            {
              class: name,
              option,
              values: choices.map((value) => ({
                value,
                cases: own.filter(({ config }) => (Object.hasOwn(config, option) ? config[option] : fallback) === value).length,
              })),
            },
          ],
    );
  });
}
