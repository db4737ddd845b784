import type { DataCredits } from '@langevin/io';
import * as v from 'valibot';
import { readChecked } from './checked.ts';

/** Whose data a run was trained on, or a model knows: a file in the folder of either. */
export const CREDITS = 'credits.json';

const text = v.pipe(v.string(), v.maxLength(10_000));
const schema = v.array(
  v.looseObject({
    data: text,
    options: v.record(v.string(), v.unknown()),
    licences: v.array(v.looseObject({ name: text, attribution: text })),
    parts: v.array(v.looseObject({ name: text, checksum: text })),
  }),
);

/** @throws UserError when the file is damaged */
export async function readCredits(path: string): Promise<readonly DataCredits[]> {
  return (await readChecked(path, schema)) as unknown as readonly DataCredits[];
}
