import { checkNumber, UserError } from '@langevin/tensor';
import { checkpointPath, listCheckpoints, loadCheckpoint, pruneCheckpoints, saveCheckpoint } from './checkpoints.ts';
import { appendLog, truncateLog } from './log.ts';
import { stepGenerator } from './random.ts';
import { keepConfig } from './run-config.ts';
import type { Point } from './state-file.ts';
import { textPieces, type RunStore } from './store.ts';
import type { Artifact, StepPoint, StepResult, Task } from './task.ts';

export interface TrainOptions {
  /** Where the run is kept. */
  readonly store: RunStore;
  /** Steps in all, those before a resume included. */
  readonly steps: number;
  /**
   * `new` refuses a store that has checkpoints, `resume` goes on from the newest one if there is any, and `previous` from the one before
   * it, where the newest is damaged; that one is removed. @default 'new'
   */
  readonly start?: 'new' | 'resume' | 'previous';
  /** Logs every n-th step. @default 10 */
  readonly logEvery?: number;
  /** @default 500 */
  readonly checkpointEvery?: number;
  /** How many checkpoints stay. @default 2, so that a damaged newest one does not end the run */
  readonly keep?: number;
  /** Checkpoints at multiples of this step stay too. @default none */
  readonly milestone?: number;
  /** Steps between evaluations; 0: only at the end. @default 0 */
  readonly evaluateEvery?: number;
  /** On abort the loop writes a checkpoint and ends. */
  readonly signal?: AbortSignal;
}

export type TrainEvent<State = unknown> =
  | { readonly kind: 'start'; readonly step: number; readonly steps: number; readonly resumed: boolean }
  /** `state` may be donated by the next step: look at it before you ask for the next event. */
  | ({ readonly kind: 'step'; readonly step: number; readonly steps: number; readonly milliseconds: number; readonly state: State } & Pick<
      StepResult<State>,
      'losses' | 'measures'
    >)
  | { readonly kind: 'artifact'; readonly step: number; readonly path: string; readonly artifact: Artifact }
  | { readonly kind: 'numbers'; readonly step: number; readonly values: Readonly<Record<string, number>> }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly path: string }
  | {
      readonly kind: 'done';
      readonly step: number;
      readonly reason: 'finished' | 'aborted';
      readonly checkpoint: string;
      readonly state: State;
    };

const LOG = 'log.jsonl';
const TIMINGS = 'timings.jsonl';
const NUMBERS = 'evaluations.jsonl';

/**
 * Trains, yielding an event for every step, evaluation and checkpoint. Killed at any moment and started again with `start: 'resume'`, a run
 * ends with the same bytes as if nothing had happened, timings apart.
 *
 * @throws UserError when a loss is not finite (its name, the step, the items and the last checkpoint are named), the store belongs to
 *   another configuration, or it cannot be written to
 * @example
 * const task = defineTask({
 *   name: 'halve', config: {}, seed: 0, init: () => ({ x: 8 }),
 *   step: async ({ x }: { readonly x: number }) => ({ state: { x: x / 2 }, losses: { distance: x / 2 } }),
 * });
 * for await (const event of train(task, { store: memoryStore(), steps: 3 })) {
 *   if (event.kind === 'done') event.state.x; // => 1
 * }
 */
export async function* train<State>(task: Task<State>, options: TrainOptions): AsyncGenerator<TrainEvent<State>, void> {
  const { store, steps, logEvery = 10, checkpointEvery = 500, keep = 2, evaluateEvery = 0, milestone } = options;
  checkNumber('training/train', { steps, logEvery, checkpointEvery, keep }, { atLeast: 1, kind: 'integer' });
  checkNumber('training/train', { evaluateEvery }, { atLeast: 0, kind: 'integer' });
  if (milestone !== undefined) checkNumber('training/train', { milestone }, { atLeast: 1, kind: 'integer' });
  const lock = await store.lock();
  try {
    yield* locked(task, { ...options, logEvery, checkpointEvery, keep, evaluateEvery });
  } finally {
    await lock.release();
  }
}

type Resolved = TrainOptions & Required<Pick<TrainOptions, 'logEvery' | 'checkpointEvery' | 'keep' | 'evaluateEvery'>>;

async function* locked<State>(task: Task<State>, options: Resolved): AsyncGenerator<TrainEvent<State>, void> {
  const { store, steps, logEvery, checkpointEvery, keep, evaluateEvery, milestone, signal } = options;
  const begin = await beginning(task, options);
  let { state, point } = begin;
  let checkpoint = begin.resumed ? checkpointPath(point.step) : undefined;
  for (const path of [LOG, TIMINGS, NUMBERS]) await truncateLog(store, path, point.step);
  yield { kind: 'start', step: point.step, steps, resumed: begin.resumed };

  while (point.step < steps && !isAborted(signal)) {
    const before = performance.now();
    const result = await task.step(state, stepPoint(task, point));
    const milliseconds = performance.now() - before;
    const step = point.step + 1;
    checkLosses(result, { step, checkpoint, label: store.label });
    ({ state } = result);
    point = { step, streams: { ...point.streams, ...result.streams } };
    const { losses, measures = {} } = result;
    if (step % logEvery === 0 || step === steps) {
      await appendLog(store, LOG, { step, ...losses, ...measures });
      await appendLog(store, TIMINGS, { step, milliseconds });
    }
    yield { kind: 'step', step, steps, milliseconds, state, losses, ...(result.measures && { measures }) };
    const last = step === steps;
    if (evaluateEvery > 0 && step % evaluateEvery === 0 && !last) yield* evaluation(task, state, { store, step });
    if (step % checkpointEvery === 0 && !last) {
      checkpoint = await saveCheckpoint(store, state, point);
      await pruneCheckpoints(store, { keep, milestone });
      yield { kind: 'checkpoint', step, path: checkpoint };
    }
  }
  const { step } = point;
  if (checkpoint !== checkpointPath(step)) {
    checkpoint = await saveCheckpoint(store, state, point);
    await pruneCheckpoints(store, { keep, milestone });
    yield { kind: 'checkpoint', step, path: checkpoint };
  }
  if (step >= steps) yield* evaluation(task, state, { store, step });
  yield { kind: 'done', step, reason: step >= steps ? 'finished' : 'aborted', checkpoint, state };
}

/** A function, so that the compiler does not take the signal for what it was before a wait. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

async function beginning<State>(
  task: Task<State>,
  { store, start = 'new' }: TrainOptions,
): Promise<{ readonly state: State; readonly point: Point; readonly resumed: boolean }> {
  let found = await listCheckpoints(store);
  if (start === 'new' && found.length > 0) {
    throw new UserError(
      `[training/train] there is a run already: ${store.label}, newest step=${found.at(-1)}. Resume it, or choose another place.`,
    );
  }
  await keepConfig(store, task.config, task.mayChange ?? []);
  const fresh = await task.init();
  if (start === 'previous' && found.length > 0) {
    if (found.length === 1) {
      throw new UserError(
        `[training/train] there is no checkpoint before the newest: ${store.label}, step=${found[0]}. Begin anew elsewhere.`,
      );
    }
    // The one before has to be good before the newest is given up.
    const earlier = await loadCheckpoint(store, found.at(-2)!, fresh);
    await store.remove(checkpointPath(found.at(-1)!));
    return { ...earlier, resumed: true };
  }
  const newest = found.at(-1);
  found = found.slice(0, -1);
  if (newest === undefined) return { state: fresh, point: { step: 0, streams: {} }, resumed: false };
  try {
    return { ...(await loadCheckpoint(store, newest, fresh)), resumed: true };
  } catch (error) {
    if (!(error instanceof UserError) || found.length === 0) throw error;
    throw new UserError(`${error.message} The one before it is of step ${found.at(-1)}; start: 'previous' goes on from there.`, {
      cause: error,
    });
  }
}

/** What a step may depend on beside the state. */
export function stepPoint({ seed }: Pick<Task<unknown>, 'seed'>, { step, streams }: Point): StepPoint {
  return Object.freeze({
    step,
    stream: (name: string) => (Object.hasOwn(streams, name) ? streams[name]! : { epoch: 0, index: 0 }),
    random: (purpose: string, part = 0) => stepGenerator({ seed, step, purpose, part }),
  });
}

function checkLosses(
  { losses, items = {} }: Pick<StepResult<unknown>, 'losses' | 'items'>,
  at: { readonly step: number; readonly checkpoint: string | undefined; readonly label: string },
): void {
  const wrong = Object.entries(losses).find(([, value]) => !Number.isFinite(value));
  if (wrong === undefined) return;
  const [name, value] = wrong;
  const seen = Object.entries(items).map(
    ([stream, list]) => `${stream} [${list.slice(0, 32).join(', ')}${list.length > 32 ? ', ...' : ''}]`,
  );
  const good = at.checkpoint === undefined ? 'none yet' : `${at.label}/${at.checkpoint}`;
  throw new UserError(
    `[training/train] loss is not finite: ${name}=${value}, step=${at.step}${seen.length > 0 ? `, items: ${seen.join('; ')}` : ''}. Last `
      + `checkpoint: ${good}. Resume from it with a lower learning rate or gradient clipping.`,
  );
}

async function* evaluation<State>(
  task: Task<State>,
  state: State,
  { store, step }: { readonly store: RunStore; readonly step: number },
): AsyncGenerator<TrainEvent<State>, void> {
  if (task.evaluate === undefined) return;
  await truncateLog(store, NUMBERS, step - 1);
  const numbers: Record<string, number> = {};
  for await (const result of task.evaluate(state, stepPoint(task, { step, streams: {} }))) {
    if (result.kind === 'numbers') {
      Object.assign(numbers, result.values);
      yield { kind: 'numbers', step, values: result.values };
      continue;
    }
    const path = `evaluations/step-${String(step).padStart(8, '0')}/${checkedName(result)}`;
    await store.write(path, typeof result.content === 'string' ? textPieces(result.content) : [result.content]);
    yield { kind: 'artifact', step, path, artifact: result };
  }
  if (Object.keys(numbers).length > 0) await appendLog(store, NUMBERS, { step, ...numbers });
}

/** A name becomes a path, so it may not lead out of its folder. */
function checkedName({ name, extension }: Artifact): string {
  if (/^[\w-]+(?:[./][\w-]+)*$/u.test(name) && /^[a-z0-9]{1,8}$/u.test(extension)) return `${name}.${extension}`;
  throw new UserError(
    `[training/train] an artifact has a name that is no file's: name=${JSON.stringify(name).slice(0, 80)}, extension=${extension}. `
      + 'Use letters, '
      + 'digits, dashes and slashes.',
  );
}
