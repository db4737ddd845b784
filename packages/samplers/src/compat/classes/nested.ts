import type { Field } from '@langevin/tensor/fields';

/** The config of another scheduler, which its own class checks. */
export const nestedConfig: Field<object> = {
  fallback: {},
  parse: (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { value }
      : { expected: 'the config of a scheduler, with its _class_name' },
};
