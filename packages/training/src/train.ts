import { checkListeners, checkNumber, readOptions, UserError } from '@langevin/tensor';
import { beginRun, FILES, showCheckpoint, type Beginning } from './begin-run.ts';
import { checkpointPath, loadCheckpoint, pruneCheckpoints, saveCheckpoint, setAsideAfter } from './checkpoints.ts';
import { judge, newHealth } from './health.ts';
import { appendLog, truncateLog } from './log.ts';
import { stepGenerator } from './random.ts';
import { checkedEvaluation, checkedResult, checkIterable, checkTask, fileOf } from './checks.ts';
import type { ConfigChange } from './run-config.ts';
import { NotFiniteError, type Point } from './state-file.ts';
import { checkStore, textPieces, type RunStore } from './store.ts';
import type { Artifact, StepPoint, StepResult, Task } from './task.ts';

export interface TrainOptions {
  /** Where the run is kept. */
  readonly store: RunStore;
  /** Steps in all, those before a resume included. */
  readonly steps: number;
  /**
   * `new` refuses a store that has checkpoints. `resume` goes on from the newest one, if there is any. `previous` goes on from the one
   * before it: the newest is damaged, or no good, and is set aside under the name `step-00000000.aside`. @default 'new'
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
  /** Whether an aborted run ends at once, or with an evaluation as one that is finished does. @default 'end' */
  readonly onAbort?: 'end' | 'evaluate';
}

export type TrainEvent<State = unknown> =
  | {
      readonly kind: 'start';
      readonly step: number;
      readonly steps: number;
      readonly resumed: boolean;
      /** Entries of the configuration that are others than before the resume. */
      readonly changed: readonly ConfigChange[];
    }
  /** `state` may be donated or changed by the next step: look at it before you ask for the next event. */
  | ({ readonly kind: 'step'; readonly step: number; readonly steps: number; readonly milliseconds: number; readonly state: State } & Pick<
      StepResult<State>,
      'losses' | 'norms' | 'measures'
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

/**
 * Trains, yielding an event for every step, evaluation and checkpoint. Killed at any moment and started again with `start: 'resume'`, a run
 * ends with the same bytes as if nothing had happened, timings apart.
 *
 * A run that diverges ends with an error: a loss or gradient norm that is not finite or whose square float32 cannot hold, weights that are
 * not finite, a loss a thousand times that of the first step. One step after the last, which is not kept, judges the weights of the last.
 * Checkpoints of such weights are set aside (`step-00000000.aside`), so that what the error names and a resume goes on from is good.
 *
 * @throws UserError when the run diverges (step, items and last good checkpoint named), the store belongs to another configuration or other
 *   data or is in use, or it cannot be written to
 * @example
 * import { defineTask, memoryStore, train } from '@langevin/training';
 * const task = defineTask({
 *   name: 'halve', config: {}, seed: 0, init: () => ({ x: 8 }),
 *   step: async ({ x }: { readonly x: number }) => ({ state: { x: x / 2 }, losses: { distance: x / 2 } }),
 * });
 * let x = 0;
 * for await (const event of train(task, { store: memoryStore(), steps: 3 })) if (event.kind === 'done') ({ x } = event.state);
 * x; // => 1
 */
export async function* train<State>(task: Task<State>, options: TrainOptions): AsyncGenerator<TrainEvent<State>, void> {
  checkTask(task);
  const {
    store,
    steps,
    start = 'new',
    logEvery = 10,
    checkpointEvery = 500,
    keep = 2,
    milestone = 1,
    evaluateEvery = 0,
    onAbort = 'end',
    signal,
  } = readOptions('training/train', options);
  checkStore(store);
  checkNumber('training/train', { steps, logEvery, checkpointEvery, keep, milestone }, { atLeast: 1, kind: 'integer' });
  checkNumber('training/train', { evaluateEvery }, { atLeast: 0, kind: 'integer' });
  if (!['new', 'resume', 'previous'].includes(start)) {
    throw new UserError(`[training/train] unknown start: start=${String(start).slice(0, 60)}. Known: new, resume, previous.`);
  }
  if (!['end', 'evaluate'].includes(onAbort)) {
    throw new UserError(`[training/train] unknown onAbort: onAbort=${String(onAbort).slice(0, 60)}. Known: end, evaluate.`);
  }
  checkListeners('training/train', { signal });
  const lock = await store.lock();
  try {
    yield* run(task, { ...options, logEvery, checkpointEvery, keep, evaluateEvery }, await beginRun(task, { store, start }));
  } finally {
    try {
      await task.close?.();
    } finally {
      await lock.release();
    }
  }
}

type Resolved = TrainOptions & Required<Pick<TrainOptions, 'logEvery' | 'checkpointEvery' | 'keep' | 'evaluateEvery'>>;

async function* run<State>(task: Task<State>, options: Resolved, begin: Beginning<State>): AsyncGenerator<TrainEvent<State>, void> {
  const { store, steps, logEvery, checkpointEvery, keep, evaluateEvery, milestone, signal } = options;
  let { state, point } = begin;
  let { resumed: newest, earlier: good } = begin;
  let health = newHealth(begin.firstLosses, task.growth);
  yield { kind: 'start', step: point.step, steps, resumed: newest !== undefined, changed: begin.changed };

  /** What was saved after the last good checkpoint holds weights that led here: it is set aside, and the run ends. */
  const stop = async (what: string): Promise<never> => {
    const aside = await setAsideAfter(store, good ?? -1);
    throw diverged(task, { what, good: good === undefined ? undefined : showCheckpoint(store, good), aside });
  };
  const save = async (): Promise<TrainEvent<State>> => {
    const path = await saveCheckpoint(store, state, point).catch((cause: unknown) => {
      if (cause instanceof NotFiniteError) return stop(`weights are not finite: ${cause.tensor}, step=${point.step}`);
      throw cause;
    });
    newest = point.step;
    await pruneCheckpoints(store, { keep, milestone, spare: good });
    return { kind: 'checkpoint', step: point.step, path };
  };
  /** Judges a step that began with the weights of `point`. */
  const look = async (result: StepResult<State>, at: 'running' | 'end'): Promise<void> => {
    const verdict = judge(health, result, at);
    ({ health } = verdict);
    if (verdict.weights === 'good' && newest === point.step) good = newest;
    const when = at === 'end' ? `step after the last=${point.step + 1}` : `step=${point.step + 1}`;
    if (verdict.fault !== undefined) await stop(`${verdict.fault}, ${when}${itemsInWords(result)}`);
  };

  while (point.step < steps && !isAborted(signal)) {
    const before = performance.now();
    const result = checkedResult(task, await task.step(state, stepPoint(task, point)));
    const milliseconds = performance.now() - before;
    await look(result, 'running');
    ({ state } = result);
    point = { step: point.step + 1, streams: { ...point.streams, ...result.streams } };
    const { step } = point;
    const { losses, norms, measures } = result;
    if (step % logEvery === 0 || step === steps) {
      await appendLog(store, FILES.log, { step, ...losses, ...norms, ...measures });
      await appendLog(store, FILES.timings, { step, milliseconds });
    }
    yield { kind: 'step', step, steps, milliseconds, state, losses, ...(norms && { norms }), ...(measures && { measures }) };
    if (step === steps) break;
    if (evaluateEvery > 0 && step % evaluateEvery === 0) yield* evaluation(task, state, { store, step, newest });
    if (step % checkpointEvery === 0) yield await save();
  }
  if (newest !== point.step) yield await save();
  const finished = point.step >= steps;
  if (finished || options.onAbort === 'evaluate') yield* evaluation(task, state, { store, step: point.step, newest });
  if (finished) {
    // Nothing is kept of this step: its losses say what the weights are worth that were saved last.
    if (begin.point.step < steps) await look(checkedResult(task, await task.step(state, stepPoint(task, point))), 'end');
  }
  // That step may have taken the tensors of the state, and any step may have put it where it is given back when the task is closed.
  if (begin.point.step < point.step) ({ state } = await loadCheckpoint<State>(store, point.step));
  yield { kind: 'done', step: point.step, reason: finished ? 'finished' : 'aborted', checkpoint: checkpointPath(point.step), state };
}

/** A function, so that the compiler does not take the signal for what it was before a wait. */
function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** What a step may depend on beside the state. */
export function stepPoint({ seed }: Pick<Task<unknown>, 'seed'>, { step, streams }: Point): StepPoint {
  return Object.freeze({
    step,
    stream: (name: string) => (Object.hasOwn(streams, name) ? streams[name]! : { epoch: 0, index: 0 }),
    random: (purpose: string, part = 0) => stepGenerator({ seed, step, purpose, part }),
  });
}

const MOST_ITEMS = 32;

function itemsInWords({ items = {} }: Pick<StepResult<unknown>, 'items'>): string {
  const seen = Object.entries(items).map(([stream, list]) => {
    const shown = list.slice(0, MOST_ITEMS).join(', ');
    return `${stream} [${shown}${list.length > MOST_ITEMS ? ', ...' : ''}]`;
  });
  return seen.length === 0 ? '' : `, items: ${seen.join('; ')}`;
}

function diverged<State>(
  { mayChange = [] }: Task<State>,
  { what, good, aside }: { readonly what: string; readonly good: string | undefined; readonly aside: readonly string[] },
): UserError {
  const changes = mayChange.length === 0 ? '' : `; at a resume these may change: ${mayChange.join(', ')}`;
  const remedy =
    good === undefined
      ? 'Train anew with a lower learning rate or gradient clipping.'
      : `Resume, which goes on from it, with a lower learning rate or gradient clipping${changes}.`;
  const later = aside.length === 0 ? '' : ` Set aside, as its weights led here: ${aside.join(', ')}.`;
  return new UserError(`[training/train] ${what}. Last good checkpoint: ${good ?? 'none yet'}.${later} ${remedy}`);
}

async function* evaluation<State>(
  task: Task<State>,
  state: State,
  { store, step, newest }: { readonly store: RunStore; readonly step: number; readonly newest: number | undefined },
): AsyncGenerator<TrainEvent<State>, void> {
  if (task.evaluate === undefined) return;
  await truncateLog(store, FILES.evaluations, step - 1);
  const numbers: Record<string, number> = {};
  const written = new Set<string>();
  const given: unknown = task.evaluate(state, stepPoint(task, { step, streams: {} }));
  checkIterable(task.name, given);
  const results = given[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await results.next().catch((cause: unknown) => {
        if (!(cause instanceof UserError)) throw cause;
        const saved = showCheckpoint(store, newest);
        throw new UserError(`[training/train] evaluation failed: step=${step}, ${cause.message} Newest checkpoint: ${saved}.`, { cause });
      });
      if (next.done === true) break;
      const value = checkedEvaluation(task.name, next.value);
      if (value.kind === 'numbers') {
        Object.assign(numbers, value.values);
        yield { kind: 'numbers', step, values: value.values };
        continue;
      }
      const path = `evaluations/step-${String(step).padStart(8, '0')}/${fileOf(value)}`;
      if (written.has(path))
        throw new UserError(`[training/train] two artifacts of an evaluation have one name: path=${path}, task=${task.name}. Rename one.`);
      written.add(path);
      await store.write(path, typeof value.content === 'string' ? textPieces(value.content) : [value.content]);
      yield { kind: 'artifact', step, path, artifact: value };
    }
  } finally {
    await results.return?.();
  }
  if (Object.keys(numbers).length > 0) await appendLog(store, FILES.evaluations, { step, ...numbers });
}
