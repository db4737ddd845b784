import { didYouMean, UserError } from '@langevin/tensor';
import { readFields, showEntry, type FieldTable, type ValuesOf } from '@langevin/tensor/fields';

/** `block_out_channels` to `blockOutChannels`, in types. */
type Camel<Name> = Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Name;

/** The configuration that fields describe, with keys in camelCase. */
export type ConfigOf<F extends FieldTable> = { readonly [K in keyof F as Camel<K & string>]: ValuesOf<F>[K] };

const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

export interface JsonConfigOptions {
  /** Part name that starts messages: `backbones/unet2d`. */
  readonly where: string;
  /** What `_class_name` must be when it is there. */
  readonly className: string;
}

/**
 * Check a configuration in diffusers' JSON form: snake_case keys, absent ones take their defaults, keys that begin with `_` are notes.
 * Unknown keys whose value is null or false are left out: they switch on nothing, and files of classes that were split up are full of them.
 *
 * @throws UserError naming the first key that is unknown or whose value is out of bounds
 */
export function readJsonConfig<F extends FieldTable>(json: unknown, fields: F, { where, className }: JsonConfigOptions): ConfigOf<F> {
  const given = readConfigObject(json, { where });
  const named = given['_class_name'];
  if (named !== undefined && named !== className) {
    throw new UserError(
      `[${where}] configuration is for another model: _class_name=${showEntry(named)}, expected "${className}". Use the backbone of that `
        + 'class.',
    );
  }
  const { values, unknownKeys } = readFields(given, fields, ({ key, value, expected, hint }) => {
    const remedy = [`Give ${expected}.`, ...(hint === undefined ? [] : [hint])].join(' ');
    throw new UserError(`[${where}] configuration value is out of bounds: ${key}=${showEntry(value)}. ${remedy}`);
  });
  const unknown = unknownKeys.find((key) => !key.startsWith('_') && given[key] !== null && given[key] !== false);
  if (unknown !== undefined) {
    const known = Object.keys(fields);
    throw new UserError(
      `[${where}] configuration has an unknown key: ${showEntry(unknown)}.${didYouMean(unknown, known)} Known: ${known.join(', ')}.`,
    );
  }
  return Object.freeze(Object.fromEntries(Object.entries(values).map(([key, value]) => [camelCase(key), value]))) as ConfigOf<F>;
}

function readConfigObject(json: unknown, { where }: Pick<JsonConfigOptions, 'where'>): Readonly<Record<string, unknown>> {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Readonly<Record<string, unknown>>;
  throw new UserError(`[${where}] configuration is not a JSON object: received ${showEntry(json)}. Pass the parsed config.json.`);
}

/** The same checks for a configuration written in code: camelCase keys, the rest by default. */
export function completeConfig<F extends FieldTable>(partial: Partial<ConfigOf<F>>, fields: F, options: JsonConfigOptions): ConfigOf<F> {
  const snake = new Map(Object.keys(fields).map((key) => [camelCase(key), key]));
  const json = Object.fromEntries(Object.entries(readConfigObject(partial, options)).map(([key, value]) => [snake.get(key) ?? key, value]));
  return readJsonConfig(json, fields, options);
}

/** A configuration in diffusers' JSON form: every key, and the class. */
export function writeJsonConfig<F extends FieldTable>(
  config: ConfigOf<F>,
  fields: F,
  className: string,
): Readonly<Record<string, unknown>> {
  const values = config as Readonly<Record<string, unknown>>;
  return { _class_name: className, ...Object.fromEntries(Object.keys(fields).map((key) => [key, values[camelCase(key)]])) };
}
