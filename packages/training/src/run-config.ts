import { shownValue, UserError } from '@langevin/tensor';
import { readText, textPieces, type RunStore } from './store.ts';
import type { Json, TrainingData } from './task.ts';

/** An entry of a configuration that is another one now. */
export interface ConfigChange {
  /** `optimizer.learningRate` */
  readonly path: string;
  readonly stored: unknown;
  readonly given: unknown;
}

/** What JSON a file of the run holds; undefined when it is not there. @throws UserError when it is damaged */
export async function readStoredJson(store: RunStore, path: string): Promise<unknown> {
  const text = await readText(store, path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UserError(`[training/config] file of the run is no JSON: ${store.label}/${path}. Restore it, or use a new place.`);
  }
}

export async function storeJson(store: RunStore, path: string, value: Json): Promise<void> {
  await store.write(path, textPieces(`${JSON.stringify(value, null, 2)}\n`));
}

/**
 * Compares a configuration with the one that a run was started with.
 *
 * @param mayChange entries that may differ, with all that is below them
 * @returns the entries that differ and may
 * @throws UserError naming the first entry that differs and may not
 */
export function changesSince(
  stored: unknown,
  config: Json,
  { mayChange, where }: { readonly mayChange: readonly string[]; readonly where: string },
): readonly ConfigChange[] {
  const changes = differences(stored, JSON.parse(JSON.stringify(config)) as unknown, '');
  const isAllowed = ({ path }: ConfigChange): boolean => mayChange.some((allowed) => path === allowed || path.startsWith(`${allowed}.`));
  const refused = changes.find((change) => !isAllowed(change));
  if (refused === undefined) return changes;
  throw new UserError(
    `[training/config] run was started with another configuration: ${showChange(refused)}, in ${where}. Use the stored one, or a new place.`
      + (mayChange.length === 0 ? '' : ` What may change: ${mayChange.join(', ')}.`),
  );
}

/**
 * Data that are what their description says: another run's differ in the first entry that is another one.
 *
 * @example
 * describedData({ views: 24 }).difference({ views: 23 }); // => 'views: stored 23, given 24'
 */
export function describedData(description: Json): TrainingData {
  const given = JSON.parse(JSON.stringify(description)) as unknown;
  return Object.freeze({
    description,
    difference: (stored: unknown) => {
      const [first] = differences(stored, given, '');
      return first === undefined ? undefined : showChange(first);
    },
  });
}

/** `optimizer.learningRate: stored 0.01, given 0.001` */
export function showChange({ path, stored, given }: ConfigChange): string {
  return `${path}: stored ${show(stored)}, given ${show(given)}`;
}

function differences(stored: unknown, given: unknown, path: string): readonly ConfigChange[] {
  if (typeof stored !== 'object' || typeof given !== 'object' || stored === null || given === null) {
    return Object.is(stored, given) ? [] : [{ path: path === '' ? 'config' : path, stored, given }];
  }
  if (Array.isArray(stored) !== Array.isArray(given)) return [{ path: path === '' ? 'config' : path, stored, given }];
  const [a, b] = [stored as Readonly<Record<string, unknown>>, given as Readonly<Record<string, unknown>>];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
    differences(a[key], b[key], path === '' ? key : `${path}.${key}`),
  );
}

function show(value: unknown): string {
  const text = textOf(value);
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}

/** JSON may be nested deeper than there is room to write it again. */
function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'nothing';
  } catch {
    return shownValue(value);
  }
}
