import { UserError } from '@langevin/tensor';
import { readText, textPieces, type RunStore } from './store.ts';
import type { Json } from './task.ts';

const PATH = 'config.json';

/**
 * Keeps the configuration of a run, or compares it with the one that is kept.
 *
 * @param mayChange dotted names of entries that a resume may change; the new values are kept
 * @throws UserError naming the first entry that differs and may not
 */
export async function keepConfig(store: RunStore, config: Json, mayChange: readonly string[]): Promise<void> {
  const text = `${JSON.stringify(config, null, 2)}\n`;
  const kept = await readText(store, PATH);
  if (kept !== undefined) {
    const difference = firstDifference(parsed(kept, store), JSON.parse(text) as unknown, { path: '', mayChange });
    if (difference !== undefined) {
      const allowed = mayChange.length === 0 ? '' : ` A resume may change ${mayChange.join(', ')}.`;
      throw new UserError(
        `[training/config] run was started with another configuration: ${difference}, in ${store.label}/${PATH}. Use the stored `
          + 'one, or a new '
          + `place.${allowed}`,
      );
    }
    if (kept === text) return;
  }
  await store.write(PATH, textPieces(text));
}

function parsed(text: string, store: RunStore): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UserError(`[training/config] configuration of the run is no JSON: ${store.label}/${PATH}. Restore it, or use a new place.`);
  }
}

function firstDifference(
  stored: unknown,
  given: unknown,
  at: { readonly path: string; readonly mayChange: readonly string[] },
): string | undefined {
  if (at.mayChange.includes(at.path)) return undefined;
  if (typeof stored !== 'object' || typeof given !== 'object' || stored === null || given === null) {
    if (Object.is(stored, given)) return undefined;
    return `${at.path || 'config'}: stored ${JSON.stringify(stored) ?? 'nothing'}, given ${JSON.stringify(given) ?? 'nothing'}`;
  }
  const [a, b] = [stored as Readonly<Record<string, unknown>>, given as Readonly<Record<string, unknown>>];
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = firstDifference(a[key], b[key], { ...at, path: at.path === '' ? key : `${at.path}.${key}` });
    if (found !== undefined) return found;
  }
  return undefined;
}
