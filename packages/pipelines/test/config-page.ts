import type * as v from 'valibot';

/** A row of the reference page. */
interface Row {
  readonly path: string;
  readonly takes: string;
  readonly fallback: string;
  readonly text: string;
}

/** As much as a page needs to know of a schema. */
interface Parts {
  readonly type: string;
  readonly kind: string;
  readonly entries?: Readonly<Record<string, v.GenericSchema>>;
  readonly wrapped?: v.GenericSchema;
  readonly default?: unknown;
  readonly options?: readonly (v.GenericSchema | string)[];
  readonly items?: readonly v.GenericSchema[];
  readonly pipe?: readonly Parts[];
  readonly requirement?: unknown;
  readonly description?: string;
}

const partsOf = (schema: v.GenericSchema | Parts): Parts => schema as Parts;

/** Where a page comes from, and what it is called. */
export interface PageOptions {
  readonly source: string;
  readonly test: string;
  readonly title: string;
  /** What \`langevin train <config>\` reads it for. */
  readonly what: string;
  readonly example: string;
}

/** A page of docs from the schema that configurations are checked with. */
export function configPage(schema: v.GenericSchema, { source, test, title, what, example }: PageOptions): string {
  const rows = rowsOf(schema, '');
  return `<!-- Made from packages/pipelines/src/${source}. Do not edit: "npx vitest run pipelines/test/${test} -u". -->

# ${title}

${what} How far and how often is said on the command line
(\`langevin train --help\`). [configs/${example}](../configs/${example}) is one in use. Entries without a default must be there; an entry
that is not in this table is refused, and the nearest name is given.

| entry | takes | default | |
|---|---|---|---|
${rows.map(({ path, takes, fallback, text }) => `| \`${path}\` | ${takes} | ${fallback} | ${text} |`).join('\n')}

What may change when a run is resumed is listed in the [README of training](../packages/training/README.md#what-may-change-at-a-resume).
`;
}

function rowsOf(schema: v.GenericSchema, path: string): readonly Row[] {
  const parts = partsOf(schema);
  const inner = bare(parts);
  const own: readonly Row[] =
    path === ''
      ? []
      : [
          {
            path,
            takes: takes(inner),
            fallback: fallbackOf(parts),
            text: parts.pipe?.find(({ type }) => type === 'description')?.description ?? '',
          },
        ];
  const below = inner.type === 'union' ? inner.options!.map((option) => partsOf(option as v.GenericSchema)) : [inner];
  return [
    ...own,
    ...(inner.type === 'loose_object' ? [] : below).flatMap(({ entries = {} }) =>
      Object.entries(entries).flatMap(([key, entry]) => rowsOf(entry, path === '' ? key : `${path}.${key}`)),
    ),
  ];
}

/** Without what may be left out and what is said about it. */
function bare(parts: Parts): Parts {
  if (
    parts.pipe !== undefined
    && ['optional', 'strict_object', 'union', 'loose_object', 'tuple', 'picklist', 'array'].includes(parts.type)
  ) {
    const [first] = parts.pipe;
    return first === parts ? parts : bare(first!);
  }
  if (parts.type === 'optional') return bare(partsOf(parts.wrapped!));
  const [first] = parts.pipe ?? [];
  // A pipe around a pipe: the inner one has the bounds.
  return first?.pipe !== undefined && first !== parts ? bare(first) : parts;
}

function fallbackOf(parts: Parts): string {
  const optional = [parts, ...(parts.pipe ?? [])].find(({ type }) => type === 'optional');
  if (optional === undefined) return '';
  if (optional.default === undefined) return 'none';
  return Object.keys(optional.default as object).length === 0 && typeof optional.default === 'object'
    ? 'those of its entries'
    : `\`${JSON.stringify(optional.default)}\``;
}

function takes(parts: Parts): string {
  switch (parts.type) {
    case 'number': {
      const checks = parts.pipe ?? [];
      const bounds = checks.flatMap((check) => (check.type in SIGNS ? [`${SIGNS[check.type]!} ${String(check.requirement)}`] : []));
      const kind = checks.some(({ type }) => type === 'safe_integer') ? 'an integer' : 'a number';
      return bounds.length > 0 ? `${kind} ${bounds.join(' and ')}` : kind;
    }
    case 'picklist':
      return parts.options!.map((name) => `\`${JSON.stringify(name)}\``).join(' or ');
    case 'tuple':
      return `a list of ${parts.items!.length}: ${takes(bare(partsOf(parts.items![0]!)))}`;
    case 'union':
      return 'an object with one of its entries';
    case 'string':
      return parts.pipe?.some(({ type }) => type === 'regex') === true ? '1 to 64 of a-z, 0-9 and -' : 'a text';
    case 'array':
      return 'a list of objects';
    case 'strict_object':
    case 'loose_object':
      return 'an object';
    default:
      throw new Error(`config-page knows no words for ${parts.type}`);
  }
}

const SIGNS: Readonly<Record<string, string>> = { min_value: '>=', max_value: '<=', gt_value: '>', lt_value: '<' };
