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
