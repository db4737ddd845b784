import { didYouMean, UserError } from '@langevin/tensor';

/** How one key of a config is read. */
export interface Option<V> {
  /** Taken when the key is absent. */
  readonly fallback: V;
  /** What is wrong with a value that came from outside, or its parsed form. */
  readonly parse: (value: unknown) => { readonly value: V } | { readonly expected: string };
  /** All values that it takes, where they can be counted. */
  readonly choices?: readonly unknown[];
}

/** The keys a class knows. */
export type OptionTable = Readonly<Record<string, Option<unknown>>>;

/** The parsed config of a table of options. */
export type ConfigOf<O extends OptionTable> = { readonly [K in keyof O]: O[K] extends Option<infer V> ? V : never };

export interface NumberBounds {
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
}

/** The longest table a config or a caller may ask for. */
export const MAX_STEPS = 100_000;

const inBounds = (value: unknown, { min = -Number.MAX_VALUE, max = Number.MAX_VALUE, integer = false }: NumberBounds): value is number =>
  typeof value === 'number' && !Number.isNaN(value) && value >= min && value <= max && (!integer || Number.isSafeInteger(value));

function describe({ min = -Infinity, max = Infinity, integer = false }: NumberBounds): string {
  const kind = integer ? 'an integer' : 'a number';
  return min === -Infinity && max === Infinity ? kind : `${kind} in ${min}..${max}`;
}

/** A number; infinite values only where a bound says so. */
export function number(fallback: number, bounds: NumberBounds = {}): Option<number> {
  return { fallback, parse: (value) => (inBounds(value, bounds) ? { value } : { expected: describe(bounds) }) };
}

export const integer = (fallback: number, bounds: NumberBounds): Option<number> => number(fallback, { ...bounds, integer: true });

/** Python's None, null in JSON, stands for false where a flag is. */
export function flag(fallback: boolean): Option<boolean> {
  return {
    fallback,
    choices: [true, false],
    parse: (value) => (typeof value === 'boolean' ? { value } : value === null ? { value: false } : { expected: 'true or false' }),
  };
}

export function oneOf<const V extends string>(fallback: NoInfer<V>, values: readonly V[]): Option<V> {
  return {
    fallback,
    choices: values,
    parse: (value) => {
      const known = values.find((each) => each === value);
      if (known !== undefined) return { value: known };
      const guess = typeof value === 'string' ? `.${didYouMean(value, values).trimEnd()}`.replace(/\.$/u, '') : '';
      return { expected: `one of ${values.join(', ')}${guess}` };
    },
  };
}

/** Numbers in a list of at most MAX_STEPS. */
export function list(fallback: readonly number[], bounds: NumberBounds = {}): Option<readonly number[]> {
  return {
    fallback,
    parse: (value) =>
      Array.isArray(value) && value.length <= MAX_STEPS && value.every((each) => inBounds(each, bounds))
        ? { value: [...(value as number[])] }
        : { expected: `a list of at most ${MAX_STEPS} entries, each ${describe(bounds)}` },
  };
}

/** null, or what the other option takes; null when absent. */
export function optional<V>(option: Option<V>): Option<V | null> {
  return {
    fallback: null,
    ...(option.choices === undefined ? {} : { choices: [null, ...option.choices] }),
    parse: (value) => {
      if (value === null) return { value: null };
      const parsed = option.parse(value);
      return 'value' in parsed ? parsed : { expected: `${parsed.expected}, or null` };
    },
  };
}

/** A parsed config, with defaults for what is absent, and the keys that mean nothing to the class. */
export interface ReadConfig<O extends OptionTable> {
  readonly config: ConfigOf<O>;
  readonly unknownKeys: readonly string[];
}

/**
 * Checks a config of a scheduler class against its options. Keys that start with an underscore are diffusers' own; other unknown
 * keys are reported and not refused, as published configs carry leftovers of other classes.
 *
 * @throws UserError when a value is not what its option takes
 */
export function readConfig<O extends OptionTable>(className: string, options: O, config: Readonly<Record<string, unknown>>): ReadConfig<O> {
  const entries = Object.entries(options).map(([key, option]): [string, unknown] => {
    const given = Object.hasOwn(config, key) ? config[key] : undefined;
    if (given === undefined) return [key, option.fallback];
    const parsed = option.parse(given);
    if ('expected' in parsed)
      throw new UserError(`[samplers/compat] ${className} cannot take this value: ${key}=${show(given)}. Pass ${parsed.expected}.`);
    return [key, parsed.value];
  });
  const unknownKeys = Object.keys(config).filter((key) => !key.startsWith('_') && !Object.hasOwn(options, key));
  return { config: Object.freeze(Object.fromEntries(entries)) as ConfigOf<O>, unknownKeys: Object.freeze(unknownKeys) };
}

/** A value from outside, short enough for a message. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? `"${value}"` : typeof value === 'object' ? (JSON.stringify(value) ?? 'object') : String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
