import { access } from 'node:fs/promises';
import { readJson, writeFileAtomic } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';

/**
 * Store a run's configuration, or compare it with the one stored.
 *
 * @throws UserError naming the first entry that differs
 */
export async function matchOrStoreConfig(path: string, config: unknown): Promise<void> {
  const text = `${JSON.stringify(config, null, 2)}\n`;
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists) {
    await writeFileAtomic(path, text);
    return;
  }
  const stored = await readJson(path);
  const difference = firstDifference(stored, JSON.parse(text) as unknown, '');
  if (difference) {
    throw new UserError(
      `[training/config] run was started with another configuration: ${difference}, path=${path}. Use the stored one, or a new folder.`,
    );
  }
}

function firstDifference(stored: unknown, given: unknown, path: string): string | undefined {
  if (typeof stored !== 'object' || typeof given !== 'object' || stored === null || given === null) {
    return Object.is(stored, given)
      ? undefined
      : `${path || 'config'}: stored ${JSON.stringify(stored) ?? 'nothing'}, given ${JSON.stringify(given) ?? 'nothing'}`;
  }
  const keys = new Set([...Object.keys(stored), ...Object.keys(given)]);
  for (const key of keys) {
    const found = firstDifference(
      (stored as Record<string, unknown>)[key],
      (given as Record<string, unknown>)[key],
      path === '' ? key : `${path}.${key}`,
    );
    if (found) return found;
  }
  return undefined;
}
