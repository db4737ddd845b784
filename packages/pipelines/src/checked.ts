import { problemOf } from '@langevin/io';
import { readPythonJson } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import * as v from 'valibot';

/** A JSON file that must have a form, of diffusers or of ours. @throws UserError naming the file, the entry and its value */
export async function readChecked<const Schema extends v.GenericSchema>(path: string, schema: Schema): Promise<v.InferOutput<Schema>> {
  const json = await readPythonJson(path);
  // To valibot a list is an object too.
  if (Array.isArray(json) && schema.type !== 'array')
    throw new UserError(`[pipelines/files] file holds a list: file=${path}. Give an object, as docs/training.md shows it.`);
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  throw new UserError(`[pipelines/files] entry is not valid: file=${path}, ${problemOf(schema, parsed.issues[0])}. Correct the file.`);
}
