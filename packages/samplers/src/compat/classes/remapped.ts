import { oneOf, type Field } from '@langevin/tensor/fields';

/** Names of other classes' options are taken for the fallback, as diffusers does when a pipeline changes its scheduler. */
export function aliased<const V extends string>(fallback: NoInfer<V>, values: readonly V[], foreign: readonly string[]): Field<V> {
  const own = oneOf(fallback, values);
  return {
    fallback,
    choices: [...values, ...foreign],
    parse: (value) => (typeof value === 'string' && foreign.includes(value) ? { value: fallback } : own.parse(value)),
  };
}

/** What the field takes; values of other classes that mean nothing in this one, as configurations made from theirs hold, become null. */
export function ignoring<T>(field: Field<T>, foreign: readonly string[]): Field<T | null> {
  return { ...field, parse: (value) => (typeof value === 'string' && foreign.includes(value) ? { value: null } : field.parse(value)) };
}
