import { UserError } from '@langevin/tensor';
import { flag, readFields, showEntry, type Field, type FieldTable, type ValuesOf } from '@langevin/tensor/fields';

/** The longest table a config or a caller may ask for. */
export const MAX_STEPS = 100_000;

/** A flag as Python has it: None, null in JSON, stands for false. */
function pythonFlag(fallback: 'on' | 'off'): Field<boolean> {
  const strict = flag(fallback === 'on');
  return { ...strict, parse: (value) => strict.parse(value ?? false) };
}

/** A flag that is true where a config does not name it. */
export const on: Field<boolean> = /* @__PURE__ */ pythonFlag('on');

/** A flag that is false where a config does not name it. */
export const off: Field<boolean> = /* @__PURE__ */ pythonFlag('off');

/** A parsed config, with defaults for what is absent, and the keys that mean nothing to the class. */
export interface ReadConfig<F extends FieldTable> {
  readonly config: ValuesOf<F>;
  readonly unknownKeys: readonly string[];
}

/**
 * Checks a config of a scheduler class against its options. Keys that start with an underscore are diffusers' own; other unknown
 * keys are reported and not refused, as published configs carry leftovers of other classes.
 *
 * @throws UserError when a value is not what its option takes
 */
export function readConfig<F extends FieldTable>(className: string, table: F, given: Readonly<Record<string, unknown>>): ReadConfig<F> {
  const { values, unknownKeys } = readFields(given, table, ({ key, value, expected, hint }) => {
    const end = hint === undefined ? '' : ` ${hint}`;
    throw new UserError(`[samplers/compat] ${className} cannot take this value: ${key}=${showEntry(value)}. Pass ${expected}.${end}`);
  });
  return { config: values, unknownKeys: Object.freeze(unknownKeys.filter((key) => !key.startsWith('_'))) };
}
