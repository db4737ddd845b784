import { UserError } from '@langevin/tensor';
import { checkpointPath, listCheckpoints, loadCheckpoint, setAsideAfter } from './checkpoints.ts';
import { logUntil, readLog } from './log.ts';
import { changesSince, readStoredJson, storeJson, type ConfigChange } from './run-config.ts';
import type { Point } from './state-file.ts';
import { textPieces, type RunStore } from './store.ts';
import type { Task } from './task.ts';

/** The files of a run beside its checkpoints and evaluations. */
export const FILES = {
  config: 'config.json',
  data: 'data.json',
  log: 'log.jsonl',
  timings: 'timings.jsonl',
  evaluations: 'evaluations.jsonl',
} as const;

/** What a run goes on from. */
export interface Beginning<State> {
  readonly state: State;
  readonly point: Point;
  /** Step of the checkpoint that it goes on from; nothing when it begins. */
  readonly resumed?: number;
  /** Step of the checkpoint before that one, from which training went on to it. */
  readonly earlier?: number;
  /** Entries of the configuration that are others than before. */
  readonly changed: readonly ConfigChange[];
  /** Of the first step that was logged, for those losses that are in it. */
  readonly firstLosses: Readonly<Record<string, number>>;
}

/**
 * Finds what to go on from. Configuration and description of the data are stored once they are found to fit, so that a start that fails
 * leaves the store as it was.
 *
 * @throws UserError when the run there does not fit, or cannot be read
 */
export async function beginRun<State>(
  task: Task<State>,
  { store, start }: { readonly store: RunStore; readonly start: 'new' | 'resume' | 'previous' },
): Promise<Beginning<State>> {
  const steps = await listCheckpoints(store);
  const [newest, before] = [steps.at(-1), steps.at(-2)];
  if (start === 'new' && newest !== undefined) {
    throw new UserError(
      `[training/train] there is a run already: ${store.label}, newest step=${newest}. Resume it, or choose another place.`,
    );
  }
  if (start === 'previous' && before === undefined) {
    throw new UserError(
      `[training/train] there is no checkpoint before the newest: ${store.label}, checkpoints=${steps.length}. Resume from the newest, or `
        + 'choose another place.',
    );
  }
  const chosen = start === 'previous' ? before : newest;
  const fresh = await task.init();
  if (fresh === undefined)
    throw new UserError(`[training/train] a task begins with no state: task=${task.name}, init=undefined. Give a state from its init.`);
  if (chosen === undefined) {
    await keep(task, store, 0);
    return { state: fresh, point: { step: 0, streams: {} }, changed: [], firstLosses: {} };
  }
  const where = `${store.label}/${FILES.config}`;
  const stored = await readStoredJson(store, FILES.config);
  const changed = stored === undefined ? [] : changesSince(stored, task.config, { mayChange: task.mayChange ?? [], where });
  await checkData(task, store);
  const found = await loadCheckpoint(store, chosen, fresh).catch((cause: unknown) => {
    throw start === 'resume' ? unreadable(cause, before) : cause;
  });
  await keep(task, store, chosen);
  // The one that is gone on from was read: only now is the newest given up.
  if (start === 'previous') await setAsideAfter(store, chosen);
  const earlier = steps.filter((step) => step < chosen).at(-1);
  const [first] = await readLog(store, FILES.log);
  const firstLosses = Object.entries(first ?? {}).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
  return { ...found, resumed: chosen, changed, firstLosses: Object.fromEntries(firstLosses), ...(earlier !== undefined && { earlier }) };
}

async function checkData<State>({ data }: Task<State>, store: RunStore): Promise<void> {
  const stored = data === undefined ? undefined : await readStoredJson(store, FILES.data);
  const difference = stored === undefined ? undefined : data!.difference(stored);
  if (difference === undefined) return;
  throw new UserError(
    `[training/data] data are not those that the run was started with: ${difference}, in ${store.label}/${FILES.data}. Restore the `
      + 'data, or '
      + 'train in a new place.',
  );
}

async function keep<State>({ config, data }: Task<State>, store: RunStore, step: number): Promise<void> {
  // A log that cannot be read is found before anything is written.
  const logs = [FILES.log, FILES.timings, FILES.evaluations];
  const texts = await Promise.all(logs.map((path) => logUntil(store, path, step)));
  await storeJson(store, FILES.config, config);
  if (data !== undefined) await storeJson(store, FILES.data, data.description);
  for (const [i, path] of logs.entries()) await store.write(path, textPieces(texts[i]!));
}

function unreadable(cause: unknown, before: number | undefined): unknown {
  if (!(cause instanceof UserError)) return cause;
  const remedy =
    before === undefined
      ? 'There is no other one: train in a new place.'
      : `To resume from step ${before}, ask for the checkpoint before the newest: start "previous", on the command line --resume-previous.`;
  return new UserError(`[training/checkpoint] newest checkpoint cannot be read: ${cause.message} ${remedy}`, { cause });
}

/** A checkpoint as messages name it. */
export function showCheckpoint(store: RunStore, step: number | undefined): string {
  return step === undefined ? 'none yet' : `${store.label}/${checkpointPath(step)}`;
}
