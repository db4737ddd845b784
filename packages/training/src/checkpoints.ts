import { checkNumber, UserError } from '@langevin/tensor';
import { decodeState, encodeState, type Point } from './state-file.ts';
import { checkStore, type RunStore } from './store.ts';

const FOLDER = 'checkpoints';
const NAME = /^step-(\d{8,15})\.safetensors$/u;

/** `checkpoints/step-00000100.safetensors` */
export function checkpointPath(step: number): string {
  return `${FOLDER}/step-${String(step).padStart(8, '0')}.safetensors`;
}

/** Steps of the checkpoints of a run, rising. */
export async function listCheckpoints(store: RunStore): Promise<readonly number[]> {
  checkStore(store);
  const names = await store.list(FOLDER);
  return names
    .flatMap((name) => {
      const step = NAME.exec(name)?.[1];
      return step === undefined ? [] : [Number(step)];
    })
    .sort((a, b) => a - b);
}

/** @throws NotFiniteError, or UserError when the store cannot keep it; what was there before is untouched */
export async function saveCheckpoint(store: RunStore, state: unknown, point: Point): Promise<string> {
  const path = checkpointPath(point.step);
  await store.write(path, await encodeState(state, point));
  return path;
}

/** @param like a state of the same task, which the checkpoint has to agree with in names and dtypes. @default it is not compared */
export async function loadCheckpoint<State>(
  store: RunStore,
  step: number,
  like?: State,
): Promise<{ readonly state: State; readonly point: Point }> {
  checkStore(store);
  checkNumber('training/checkpoint', { step }, { atLeast: 0, kind: 'integer' });
  const path = checkpointPath(step);
  const source = await store.open(path);
  if (source === undefined) {
    throw new UserError(`[training/checkpoint] there is no such checkpoint: ${store.label}/${path}. List them first.`);
  }
  try {
    const found = await decodeState(source, like);
    if (found.point.step === step) return found;
    throw new UserError(
      `[training/checkpoint] checkpoint says that it is of another step: ${store.label}/${path}, step=${found.point.step}. Remove it.`,
    );
  } finally {
    await source.close();
  }
}

/**
 * Renames the checkpoints after a step to `step-00000000.aside`: nothing reads or removes them any more.
 *
 * @returns their new paths
 */
export async function setAsideAfter(store: RunStore, step: number): Promise<readonly string[]> {
  const later = (await listCheckpoints(store)).filter((each) => each > step).map(checkpointPath);
  const aside = later.map((path) => path.replace(/safetensors$/u, 'aside'));
  for (const [i, path] of later.entries()) await store.rename(path, aside[i]!);
  return aside;
}

export interface PruneOptions {
  readonly keep: number;
  readonly milestone?: number | undefined;
  /** Step of a checkpoint that stays, however old. */
  readonly spare?: number | undefined;
}

/** Keeps the newest `keep`, those whose step is a multiple of `milestone`, and the one to spare. */
export async function pruneCheckpoints(store: RunStore, { keep, milestone, spare }: PruneOptions): Promise<void> {
  const steps = await listCheckpoints(store);
  for (const step of steps.slice(0, Math.max(steps.length - keep, 0))) {
    if (step !== spare && (milestone === undefined || step % milestone !== 0)) await store.remove(checkpointPath(step));
  }
}
