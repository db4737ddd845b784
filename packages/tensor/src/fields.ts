import { isWithin, rangeInWords, shownValue, type NumberRange } from './check-number.ts';
import { didYouMean } from './did-you-mean.ts';

/** What became of a value from outside: its checked form, or the words for what is taken instead. */
export type Parsed<T> = { readonly value: T } | Expectation;

export interface Expectation {
  /** `one of round, square`: completes "Give ...". */
  readonly expected: string;
  /** A sentence for the end of the message: `Did you mean "square"?` */
  readonly hint?: string;
}

/** One entry of a configuration. */
export interface Field<T> {
  /** Taken when the entry is absent. */
  readonly fallback: T;
  readonly parse: (value: unknown) => Parsed<T>;
  /** All values that it takes, where they can be counted. */
  readonly choices?: readonly unknown[];
}

/** The entries of a configuration by name. */
export type FieldTable = Readonly<Record<string, Field<unknown>>>;

/** The checked configuration of a table. */
export type ValuesOf<F extends FieldTable> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** How many entries a list may have. */
export interface LengthBounds {
  /** @default 0 */
  readonly atLeast?: number;
  readonly atMost: number;
}

/** A number within a range. */
export function number(fallback: number, range: NumberRange = {}): Field<number> {
  return {
    fallback,
    parse: (value) => (typeof value === 'number' && isWithin(value, range) ? { value } : { expected: rangeInWords(range) }),
  };
}

/** A whole number. */
export function integer(fallback: number, range: Omit<NumberRange, 'kind'> = {}): Field<number> {
  return number(fallback, { ...range, kind: 'integer' });
}

/** `true` or `false`, nothing that stands for them. */
export function flag(fallback: boolean): Field<boolean> {
  return {
    fallback,
    choices: [true, false],
    parse: (value) => (typeof value === 'boolean' ? { value } : { expected: 'true or false' }),
  };
}

/** One of some names. */
export function oneOf<const Name extends string>(fallback: NoInfer<Name>, names: readonly Name[]): Field<Name> {
  return {
    fallback,
    choices: names,
    parse: (value) => {
      const known = names.find((name) => name === value);
      if (known !== undefined) return { value: known };
      const near = typeof value === 'string' ? didYouMean(value, names) : '';
      return { expected: `one of ${names.join(', ')}`, ...(near !== '' && { hint: near.trim() }) };
    },
  };
}

/** A list of what another field takes; holes are refused. The checked list is a copy. */
export function list<T>(fallback: readonly NoInfer<T>[], item: Field<T>, { atLeast = 0, atMost }: LengthBounds): Field<readonly T[]> {
  const length = atLeast === 0 ? `a list of at most ${atMost} entries` : `a list of ${atLeast} to ${atMost} entries`;
  return {
    fallback,
    parse: (value) => {
      if (!Array.isArray(value) || value.length < atLeast || value.length > atMost) return { expected: length };
      const values: T[] = [];
      // By index: a hole is then undefined, which the item refuses.
      for (let i = 0; i < value.length; i++) {
        const parsed = item.parse(value[i]);
        if ('expected' in parsed) return { ...parsed, expected: `${length}, each ${parsed.expected}` };
        values.push(parsed.value);
      }
      return { value: Object.freeze(values) };
    },
  };
}

/** null, or what the other field takes; null when absent. */
export function nullable<T>(field: Field<T>): Field<T | null> {
  return {
    fallback: null,
    ...(field.choices === undefined ? {} : { choices: [null, ...field.choices] }),
    parse: (value) => {
      if (value === null) return { value: null };
      const parsed = field.parse(value);
      return 'value' in parsed ? parsed : { ...parsed, expected: `${parsed.expected}, or null` };
    },
  };
}

/** The same field with another value where the entry is absent. */
export function withFallback<T>(field: Field<T>, fallback: T): Field<T> {
  return { ...field, fallback };
}

/** An entry that its field does not take. */
export interface Refusal extends Expectation {
  readonly key: string;
  readonly value: unknown;
}

/**
 * Check the entries of a configuration from outside. Absent ones and those that are undefined take their fallback.
 *
 * @param given own properties only: what a prototype holds is not looked at
 * @param refuse throws the error of the caller, which knows what the configuration is for
 * @returns the checked values, frozen, and the keys that the table does not have
 * @example
 * const table = { steps: integer(20, { atLeast: 1, atMost: 1000 }), shape: oneOf('round', ['round', 'square']) };
 * const { values, unknownKeys } = readFields({ steps: 5, colour: 'red' }, table, ({ key }) => { throw new Error(key); });
 * values; // => { steps: 5, shape: 'round' }
 * unknownKeys; // => ['colour']
 */
export function readFields<F extends FieldTable>(
  given: Readonly<Record<string, unknown>>,
  table: F,
  refuse: (refusal: Refusal) => never,
): { readonly values: ValuesOf<F>; readonly unknownKeys: readonly string[] } {
  const entries = Object.entries(table).map(([key, field]): [string, unknown] => {
    const value = Object.hasOwn(given, key) ? given[key] : undefined;
    if (value === undefined) return [key, field.fallback];
    const parsed = field.parse(value);
    return [key, 'value' in parsed ? parsed.value : refuse({ key, value, ...parsed })];
  });
  return {
    values: Object.freeze(Object.fromEntries(entries)) as ValuesOf<F>,
    unknownKeys: Object.freeze(Object.keys(given).filter((key) => !Object.hasOwn(table, key))),
  };
}

const LONGEST_SHOWN = 80;

/** The value of an entry as messages show it: what JSON can hold as JSON, cut where it is long. */
export function showEntry(value: unknown): string {
  if (typeof value !== 'object' || value === null) return shownValue(value);
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    // A cycle, a bigint inside, or a nesting too deep.
  }
  if (text === undefined) return 'an object that is not JSON';
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN - 3)}...` : text;
}
