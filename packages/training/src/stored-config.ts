import { readJson, writeFileAtomic } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';

/** An entry of a configuration that is another one now. */
export interface ConfigChange {
  /** `optimizer.learningRate` */
  readonly path: string;
  readonly stored: unknown;
  readonly given: unknown;
}

/**
 * Compare a configuration with the one that a run was started with.
 *
 * @param options.mayChange entries that may differ, with all that is below them
 * @returns the entries that differ and may
 * @throws UserError naming the first entry that differs and may not
 */
export async function changesSince(
  path: string,
  config: unknown,
  options: { readonly mayChange: readonly string[] },
): Promise<readonly ConfigChange[]> {
  const stored = await readJson(path);
  const changes = differences(stored, JSON.parse(JSON.stringify(config)) as unknown, '');
  const isAllowed = (change: ConfigChange): boolean =>
    options.mayChange.some((allowed) => change.path === allowed || change.path.startsWith(`${allowed}.`));
  const refused = changes.find((change) => !isAllowed(change));
  if (refused)
    throw new UserError(
      `[training/config] run was started with another configuration: ${showChange(refused)}, path=${path}. Use the stored one, or a new `
        + `folder.${options.mayChange.length === 0 ? '' : ` What may change: ${options.mayChange.join(', ')}.`}`,
    );
  return changes;
}

/** `optimizer.learningRate: stored 0.01, given 0.001` */
export function showChange({ path, stored, given }: ConfigChange): string {
  return `${path}: stored ${show(stored)}, given ${show(given)}`;
}

/** Written only when it would change, so that a file's time says when. */
export async function storeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

function differences(stored: unknown, given: unknown, path: string): readonly ConfigChange[] {
  if (typeof stored !== 'object' || typeof given !== 'object' || stored === null || given === null)
    return Object.is(stored, given) ? [] : [{ path: path === '' ? 'config' : path, stored, given }];
  return [...new Set([...Object.keys(stored), ...Object.keys(given)])].flatMap((key) =>
    differences((stored as Record<string, unknown>)[key], (given as Record<string, unknown>)[key], path === '' ? key : `${path}.${key}`),
  );
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
