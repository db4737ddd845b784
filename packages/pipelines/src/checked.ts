import { readJson } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';

/** A JSON file that must have a form. @throws UserError naming the file, the entry and its value */
export async function readChecked<const Schema extends v.GenericSchema>(path: string, schema: Schema): Promise<v.InferOutput<Schema>> {
  const parsed = v.safeParse(schema, await readJson(path));
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new UserError(
    `[pipelines/files] entry is not valid: file=${path}, ${v.getDotPath(issue) ?? '(root)'}=${show(issue.input)}. `
      + `${issue.message}; correct the file.`,
  );
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
