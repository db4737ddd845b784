import { access } from 'node:fs/promises';
import { lockFolder, readJson, readLog, removeStaleTemporaries, truncateLog, type FolderLock } from '@langevin/io/node';
import { UserError } from '@langevin/tensor';
import {
  listCheckpoints,
  readCheckpoint,
  removeUnfinished,
  setAsideAfter,
  type StoredCheckpoint,
  type TrainingPoint,
} from './checkpoint.ts';
import type { TrainingTask, TrainOptions } from './loop.ts';
import { createRunFolder, type RunFolder } from './run-folder.ts';
import { changesSince, storeJson, type ConfigChange } from './stored-config.ts';

/** Names of the items of a large data set are many. */
const MAX_DATA_BYTES = 2 ** 30;

/** A run's folder, taken, with what the run goes on from. */
export interface OpenRun<State> {
  readonly folder: RunFolder;
  readonly lock: FolderLock;
  readonly point: TrainingPoint;
  readonly state: State;
  /** What the run goes on from; nothing when it begins. */
  readonly checkpoint?: StoredCheckpoint;
  /** The one before it, from which training went on to it. */
  readonly earlier?: StoredCheckpoint;
  readonly changed: readonly ConfigChange[];
  /** Of the first step that was logged. */
  readonly firstLoss?: number;
}

/**
 * Take a run's folder and find what to go on from. What a killed run left half-written is removed; the configuration and the description of
 * the data are stored when they are found to fit, so that a start that fails leaves the folder as it was.
 *
 * @throws UserError when the folder cannot be used or is in use, or the run there does not fit
 */
export async function openRun<State>(task: TrainingTask<State>, options: TrainOptions): Promise<OpenRun<State>> {
  const folder = await createRunFolder(options.folder);
  const lock = await lockFolder(folder.root);
  try {
    return { ...(await prepare(task, options, folder)), folder, lock };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function prepare<State>(
  task: TrainingTask<State>,
  { folder: root, start = 'new' }: TrainOptions,
  folder: RunFolder,
): Promise<Omit<OpenRun<State>, 'folder' | 'lock'>> {
  for (const path of [folder.root, folder.previews, folder.checkpoints]) await removeStaleTemporaries(path);
  await removeUnfinished(folder.checkpoints);
  const checkpoints = await listCheckpoints(folder.checkpoints);
  const newest = checkpoints.at(-1);
  const before = checkpoints.at(-2);
  if (newest && start === 'new')
    throw new UserError(
      `[training/loop] folder already has checkpoints: folder=${root}, newest step=${newest.step}. Resume it, or choose another folder.`,
    );
  if (start === 'previous' && !before)
    throw new UserError(
      `[training/loop] there is no checkpoint before the newest: folder=${root}, checkpoints=${checkpoints.length}. Resume from the `
        + 'newest, or choose another folder.',
    );
  const checkpoint = start === 'previous' ? before : newest;
  const fresh = task.init();
  if (!checkpoint) {
    await store(task, folder);
    await cutLogs(folder, 0);
    return { point: { step: 0, position: { epoch: 0, index: 0 } }, state: fresh, changed: [] };
  }
  const changed = (await exists(folder.config)) ? await changesSince(folder.config, task.config, { mayChange: task.mayChange ?? [] }) : [];
  await checkData(task, folder);
  const { point, state } = await readCheckpoint(checkpoint.path, fresh).catch((cause: unknown) => {
    throw start === 'resume' ? unreadable(checkpoint, before, cause) : cause;
  });
  await store(task, folder);
  if (start === 'previous') await setAsideAfter(folder.checkpoints, checkpoint.step);
  const earlier = checkpoints.filter(({ step }) => step < checkpoint.step).at(-1);
  await cutLogs(folder, point.step);
  const [first] = await readLog(folder.log);
  return {
    point,
    state,
    checkpoint,
    changed,
    ...(earlier && { earlier }),
    ...(first?.['loss'] !== undefined && { firstLoss: first['loss'] }),
  };
}

async function checkData<State>({ data }: TrainingTask<State>, folder: RunFolder): Promise<void> {
  if (data === undefined || !(await exists(folder.data))) return;
  const difference = data.difference(await readJson(folder.data, { maxBytes: MAX_DATA_BYTES }));
  if (difference !== undefined)
    throw new UserError(
      `[training/data] data are not those that the run was started with: ${difference}, path=${folder.data}. Restore the data, or train in `
        + 'a new folder.',
    );
}

async function store<State>({ config, data }: TrainingTask<State>, folder: RunFolder): Promise<void> {
  await storeJson(folder.config, config);
  if (data !== undefined) await storeJson(folder.data, data.description);
}

async function cutLogs(folder: RunFolder, step: number): Promise<void> {
  for (const path of [folder.log, folder.timings]) await truncateLog(path, step);
}

function unreadable(newest: StoredCheckpoint, before: StoredCheckpoint | undefined, cause: unknown): unknown {
  if (!(cause instanceof UserError)) return cause;
  const remedy =
    before === undefined
      ? 'There is no other one: train in a new folder.'
      : `Remove that folder to resume from step ${before.step}, or ask for the checkpoint before the newest: start "previous", on the `
        + 'command line --resume-previous.';
  return new UserError(`[training/checkpoint] newest checkpoint cannot be read: path=${newest.path}, ${cause.message} ${remedy}`, {
    cause,
  });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
