import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, writeFileAtomic } from '@langevin/io/node';
import { shownValue, UserError } from '@langevin/tensor';
import type { TrainingInfluence } from '../judges/independence.ts';

/** Beside a model, or in the folder of its run. */
export const INFLUENCES_FILE = 'trained-with.json';

const ROLES: readonly string[] = ['loss', 'discriminator', 'condition', 'teacher', 'data'] satisfies readonly TrainingInfluence['role'][];

/**
 * Writes down which networks had a say in the training of a model, so that none of them is asked to judge it. Whoever trains with another
 * network writes it into the folder of the run or the model.
 *
 * @throws UserError for what is no list of such networks
 * @example
 * // not run: needs the folder of a model
 * const judge = await loadJudge('judges/mnist');
 * await writeTrainingInfluences('runs/mine', [{ name: judge.info.name, hash: judge.info.hash, role: 'loss' }]);
 */
export async function writeTrainingInfluences(folder: string, influences: readonly TrainingInfluence[]): Promise<void> {
  const file = join(folder, INFLUENCES_FILE);
  await writeFileAtomic(file, `${JSON.stringify(checked(influences, file), undefined, 2)}\n`);
}

/**
 * The networks that had a say in the training of the model in a folder; none where nothing is written down.
 *
 * @throws UserError for a file of another form
 */
export async function readTrainingInfluences(folder: string): Promise<readonly TrainingInfluence[]> {
  const file = join(folder, INFLUENCES_FILE);
  return existsSync(file) ? checked(await readJson(file), file) : [];
}

function checked(value: unknown, file: string): readonly TrainingInfluence[] {
  if (!Array.isArray(value) || value.length > 1000) throw fault(`influences=${shownValue(value)}`, file);
  return value.map((entry: unknown, i) => {
    const { name, hash, role } = (typeof entry === 'object' && entry !== null ? entry : {}) as Partial<Record<string, unknown>>;
    for (const [key, text] of Object.entries({ name, hash, role }))
      if (typeof text !== 'string' || text === '' || text.length > 200) throw fault(`influences[${i}].${key}=${shownValue(text)}`, file);
    if (!ROLES.includes(role as string)) throw fault(`influences[${i}].role=${shownValue(role)}, known=${ROLES.join(' ')}`, file);
    return { name, hash, role } as TrainingInfluence;
  });
}

function fault(what: string, file: string): UserError {
  return new UserError(
    `[metrics/influences] record of the training is not a list of { name, hash, role }: ${what}, file=${file}. Correct it.`,
  );
}
