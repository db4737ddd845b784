import { oneOf, type Field } from '@langevin/tensor/fields';

/** `UNetResDownBlock2D` and the like are older names of the same blocks. */
export function blockType<const Name extends string>(fallback: NoInfer<Name>, names: readonly Name[]): Field<Name> {
  const field = oneOf<Name>(fallback, names);
  return {
    ...field,
    parse: (value) => field.parse(typeof value === 'string' && value.startsWith('UNetRes') ? value.slice('UNetRes'.length) : value),
  };
}
