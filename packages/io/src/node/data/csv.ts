import { UserError } from '@langevin/tensor';

/** A line of a table, by the names of its columns. */
export interface CsvRow {
  readonly columns: Readonly<Record<string, string>>;
  /** Where it stands, for messages. */
  readonly where: string;
}

/**
 * A table with commas as RFC 4180 has it: the first line names the columns; fields in double quotes may hold commas, lines and, doubled,
 * quotes.
 *
 * @throws UserError when a line has another number of fields, a quote is not closed, or two columns have one name
 */
export function parseCsv(text: string, where: string): readonly CsvRow[] {
  const [names = [], ...rows] = recordsOf(text.replace(/^\uFEFF/u, ''), where);
  if (new Set(names).size !== names.length) throw new UserError(`${where} has two columns of one name: ${names.join(', ')}. Rename one.`);
  return rows.map((fields, i) => {
    if (fields.length !== names.length)
      throw new UserError(
        `${where} has a line of another length: record=${i + 2}, fields=${fields.length}, columns=${names.length}. Correct it.`,
      );
    return {
      columns: Object.fromEntries(names.map((name, k) => [name, fields[k]!])),
      where: `${where.replace(/^\[[^\]]*\] /u, '')}, record=${i + 2}`,
    };
  });
}

function recordsOf(text: string, where: string): readonly (readonly string[])[] {
  const records: string[][] = [];
  // A field in quotes, or one without; then what ends it.
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/guy;
  let record: string[] = [];
  while (field.lastIndex < text.length || record.length > 0) {
    const at = field.lastIndex;
    const match = field.exec(text);
    if (match === null)
      throw new UserError(
        `${where} is no table with commas: record=${records.length + 1}, at ${JSON.stringify(text.slice(at, at + 20))}. Close the quotes.`,
      );
    record.push(match[1]?.replaceAll('""', '"') ?? match[2]!);
    if (match[3] === ',') continue;
    if (record.length > 1 || record[0] !== '') records.push(record);
    record = [];
  }
  return records;
}
