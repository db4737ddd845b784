import { didYouMean, UserError } from '@langevin/tensor';

/** One entry of a JSON configuration: its default, and how a value from outside is checked. */
export interface Field<T> {
  readonly default: T;
  /** @throws UserError by calling `fail` with what is expected */
  readonly read: (value: unknown, fail: (expected: string) => never) => T;
}

type Fields = Readonly<Record<string, Field<unknown>>>;

/** `block_out_channels` to `blockOutChannels`, in types. */
type Camel<Name> = Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Name;
type ValueOf<F> = F extends Field<infer T> ? T : never;

/** The configuration that fields describe, with keys in camelCase. */
export type ConfigOf<F extends Fields> = { readonly [K in keyof F as Camel<K & string>]: ValueOf<F[K]> };

export function integer(fallback: number, range: { readonly min: number; readonly max: number }): Field<number> {
  const { min, max } = range;
  return {
    default: fallback,
    read: (value, fail) =>
      Number.isInteger(value) && (value as number) >= min && (value as number) <= max
        ? (value as number)
        : fail(`an integer in [${min}, ${max}]`),
  };
}

export function real(fallback: number, range: { readonly min: number; readonly max: number }): Field<number> {
  const { min, max } = range;
  return {
    default: fallback,
    read: (value, fail) => (typeof value === 'number' && value >= min && value <= max ? value : fail(`a number in [${min}, ${max}]`)),
  };
}

export function flag(fallback: boolean): Field<boolean> {
  return { default: fallback, read: (value, fail) => (typeof value === 'boolean' ? value : fail('true or false')) };
}

export function oneOf<const Name extends string>(names: readonly Name[], fallback: NoInfer<Name>): Field<Name> {
  return {
    default: fallback,
    read: (value, fail) =>
      names.find((name) => name === value)
      ?? fail(`one of ${names.join(', ')}${typeof value === 'string' ? didYouMean(value, names).replace(/^ /, '. ') : ''}`),
  };
}

export function nullable<T>(field: Field<T>): Field<T | null> {
  return { default: null, read: (value, fail) => (value === null ? null : field.read(value, fail)) };
}

export function withDefault<T>(field: Field<T>, fallback: T): Field<T> {
  return { ...field, default: fallback };
}

export function list<T>(
  item: Field<T>,
  fallback: readonly NoInfer<T>[],
  length: { readonly min: number; readonly max: number },
): Field<readonly T[]> {
  const { min, max } = length;
  return {
    default: fallback,
    read: (value, fail) =>
      Array.isArray(value) && value.length >= min && value.length <= max
        ? value.map((entry) => item.read(entry, (expected) => fail(`a list of ${min} to ${max} entries, each ${expected}`)))
        : fail(`a list of ${min} to ${max} entries`),
  };
}

const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

export interface ReadOptions {
  /** Part name that starts messages: `backbones/unet2d`. */
  readonly where: string;
  /** What `_class_name` must be when it is there. */
  readonly className: string;
}

/**
 * Check a configuration in diffusers' JSON form: snake_case keys, absent ones take their defaults, keys that begin with `_` are notes.
 *
 * @throws UserError naming the first key that is unknown or whose value is out of bounds
 */
export function readJsonConfig<F extends Fields>(json: unknown, fields: F, options: ReadOptions): ConfigOf<F> {
  const { where, className } = options;
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new UserError(`[${where}] configuration is not a JSON object: received ${show(json)}. Pass the parsed config.json.`);
  }
  const given = new Map(Object.entries(json));
  const named = given.get('_class_name');
  if (named !== undefined && named !== className) {
    throw new UserError(
      `[${where}] configuration is for another model: _class_name=${show(named)}, expected "${className}". Use the backbone of that class.`,
    );
  }
  const known = Object.keys(fields);
  for (const key of given.keys()) {
    if (!key.startsWith('_') && !Object.hasOwn(fields, key)) {
      throw new UserError(
        `[${where}] configuration has an unknown key: ${show(key)}.${didYouMean(key, known)} Known: ${known.join(', ')}.`,
      );
    }
  }
  const entries = Object.entries(fields).map(([key, field]): [string, unknown] => {
    const value = given.get(key);
    return [camelCase(key), value === undefined ? field.default : field.read(value, (expected) => reject(where, key, { value, expected }))];
  });
  return Object.freeze(Object.fromEntries(entries)) as ConfigOf<F>;
}

/** The same checks for a configuration written in code: camelCase keys, the rest by default. */
export function completeConfig<F extends Fields>(partial: Partial<ConfigOf<F>>, fields: F, options: ReadOptions): ConfigOf<F> {
  const snake = new Map(Object.keys(fields).map((key) => [camelCase(key), key]));
  const json = Object.fromEntries(Object.entries(partial).map(([key, value]) => [snake.get(key) ?? key, value]));
  return readJsonConfig(json, fields, options);
}

/** A configuration in diffusers' JSON form: every key, and the class. */
export function writeJsonConfig<F extends Fields>(config: ConfigOf<F>, fields: F, className: string): Readonly<Record<string, unknown>> {
  const values = config as Readonly<Record<string, unknown>>;
  return { _class_name: className, ...Object.fromEntries(Object.keys(fields).map((key) => [key, values[camelCase(key)]])) };
}

function reject(where: string, key: string, problem: { readonly value: unknown; readonly expected: string }): never {
  const end = problem.expected.endsWith('?') ? '' : '.';
  throw new UserError(`[${where}] configuration value is out of bounds: ${key}=${show(problem.value)}. Give ${problem.expected}${end}`);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
