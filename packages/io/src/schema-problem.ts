import { didYouMean } from '@langevin/tensor';
import { showEntry } from '@langevin/tensor/fields';
import * as v from 'valibot';

/**
 * What is wrong with an entry of something from outside, for a message: the entry with its value and what is expected, or, of an entry that
 * nobody knows, the nearest name and all others.
 *
 * @returns without a full stop at its end
 * @example
 * import * as v from 'valibot';
 * const schema = v.strictObject({ clipNorm: v.number() });
 * const { issues } = v.safeParse(schema, { clipNorm: 1, clipnrm: 1 });
 * problemOf(schema, issues![0]); // => 'clipnrm is not known. Did you mean "clipNorm"? Known: clipNorm'
 */
export function problemOf(schema: v.GenericSchema, issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? '(root)';
  const keys = (issue.path ?? []).map((item) => item.key);
  const known = issue.type === 'strict_object' && issue.expected === 'never' ? keysAt(schema, keys.slice(0, -1)) : undefined;
  if (known !== undefined) return `${path} is not known.${didYouMean(String(keys.at(-1)), known)} Known: ${known.join(', ')}`;
  if (issue.input === undefined) return `${path} is missing`;
  // Valibot's own messages say again what was received.
  const expected = issue.message.startsWith('Invalid ') ? `expected ${issue.expected ?? 'another value'}` : issue.message;
  return `${path}=${showEntry(issue.input)}, ${expected}`;
}

/** The keys of the object that a schema has at a path. */
function keysAt(schema: v.GenericSchema, path: readonly unknown[]): readonly string[] | undefined {
  const here = unwrapped(schema);
  const [key, ...rest] = path;
  if (key === undefined) return here.entries && Object.keys(here.entries);
  const below = here.entries?.[String(key)] ?? here.item;
  if (below) return keysAt(below, rest);
  // Of a union, the first member that has such a place.
  return here.options
    ?.filter(isSchema)
    .map((option) => keysAt(option, path))
    .find((found) => found !== undefined);
}

interface Parts {
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
  readonly item?: v.GenericSchema;
  readonly wrapped?: v.GenericSchema;
  /** Members of a union; names of a picklist, which have no keys. */
  readonly options?: readonly unknown[];
}

function unwrapped(schema: v.GenericSchema): Parts {
  const parts = schema as Parts;
  return parts.wrapped ? unwrapped(parts.wrapped) : parts;
}

function isSchema(value: unknown): value is v.GenericSchema {
  return typeof value === 'object' && value !== null && 'kind' in value;
}
