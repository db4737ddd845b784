import { join } from 'node:path';
import { appendLog } from '@langevin/io/node';
import { checkNumber, readOptions, shownValue, UserError } from '@langevin/tensor';
import {
  NotFiniteError,
  pruneCheckpoints,
  setAsideAfter,
  writeCheckpoint,
  type StoredCheckpoint,
  type TrainingPoint,
} from './checkpoint.ts';
import { judge, type Health } from './divergence.ts';
import { openRun, type OpenRun } from './open-run.ts';
import { stepName, type RunFolder } from './run-folder.ts';
import type { ConfigChange } from './stored-config.ts';
import { writeReport } from './report.ts';

/** What a step computed: a loss, and anything else worth a curve. */
export interface Metrics {
  readonly loss: number;
  readonly [name: string]: number;
}

export interface StepResult<State> {
  readonly state: State;
  readonly metrics: Metrics;
  /** Where the data stands after this step. */
  readonly position: TrainingPoint['position'];
  /** Which items the batch held, for the message when the loss is not finite. */
  readonly batch: readonly number[];
}

/** What a run is trained on, so that it is not resumed on something else. */
export interface TrainingData {
  /** As JSON; kept in the run's folder. */
  readonly description: unknown;
  /** In what the data differ from those of a stored description: `class added: "ant"`. */
  readonly difference: (stored: unknown) => string | undefined;
}

/** What is trained. A step may depend on the state, the step number and the data position, on nothing else. */
export interface TrainingTask<State> {
  readonly name: string;
  /** Decides what the run computes, as JSON; a resumed run must have the same. */
  readonly config: unknown;
  /** Entries of the configuration that a resumed run may have changed: `['optimizer.learningRate']`. @default none */
  readonly mayChange?: readonly string[];
  /** @default not compared */
  readonly data?: TrainingData;
  /** The state before the first step. */
  init(): State;
  /** May donate the tensors of `state`. */
  step(state: State, point: TrainingPoint): Promise<StepResult<State>>;
  /** Write a picture of what the model does now. */
  preview?(state: State, path: string): Promise<void>;
}

export interface TrainOptions {
  /** Folder of the run; created when missing. */
  readonly folder: string;
  /** Steps in all, those before a resume included. */
  readonly steps: number;
  /**
   * 'new' refuses a folder that has checkpoints. 'resume' goes on from the newest checkpoint, if there is one. 'previous' goes on from the
   * one before it: the newest is damaged, or no good, and is set aside under the name `step-00000000.aside`. @default 'new'
   */
  readonly start?: 'new' | 'resume' | 'previous';
  /** Log every n-th step. @default 10 */
  readonly logEvery?: number;
  /** @default 500 */
  readonly checkpointEvery?: number;
  /** How many checkpoints to keep. @default 2, so that a damaged newest one does not end the run */
  readonly keep?: number;
  /** Also keep checkpoints at multiples of this step. */
  readonly milestone?: number;
  /** @default 0: never */
  readonly previewEvery?: number;
  /** On abort the loop writes a checkpoint and ends. */
  readonly signal?: AbortSignal;
}

export type TrainEvent =
  | {
      readonly kind: 'start';
      readonly step: number;
      readonly steps: number;
      readonly resumed: boolean;
      /** Entries of the configuration that are others than before the resume. */
      readonly changed: readonly ConfigChange[];
      readonly folder: RunFolder;
    }
  | { readonly kind: 'step'; readonly step: number; readonly steps: number; readonly metrics: Metrics; readonly milliseconds: number }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly path: string }
  | { readonly kind: 'preview'; readonly step: number; readonly path: string }
  | { readonly kind: 'done'; readonly step: number; readonly reason: 'finished' | 'aborted'; readonly checkpoint: string };

/**
 * Train, yielding an event for every step, checkpoint and preview. Killed at any moment and started again with `start: 'resume'`, it
 * ends with the same bytes as if nothing had happened.
 *
 * A run that diverges ends with an error: a metric that is not finite or whose square float32 cannot hold, weights that are not finite, a
 * loss a thousand times that of the first step. A last step that is not kept judges the weights of the one before it. Checkpoints of such
 * weights are set aside (`step-00000000.aside`), so that what the error names and a resume goes on from is good.
 *
 * @throws UserError when the run diverges (step, batch and last good checkpoint named), the folder belongs to another configuration or
 *   other data or is in use by another process, or the disk fails
 */
export async function* train<State>(task: TrainingTask<State>, options: TrainOptions): AsyncGenerator<TrainEvent, void> {
  if (typeof task !== 'object' || task === null || typeof task.step !== 'function')
    throw new UserError(`[training/loop] there is no task: task=${shownValue(task)}. Pass what diffusionTask() gives, or one of your own.`);
  checkOptions(readOptions('training/loop', options));
  const run = await openRun(task, options);
  try {
    yield* steps(task, options, run);
  } finally {
    await run.lock.release();
  }
}

function checkOptions({
  steps: total,
  logEvery = 10,
  checkpointEvery = 500,
  keep = 2,
  milestone = 1,
  previewEvery = 0,
}: TrainOptions): void {
  const values = { steps: total, logEvery, checkpointEvery, keep, milestone };
  checkNumber('training/loop', values, { kind: 'integer', atLeast: 1 });
  checkNumber('training/loop', { previewEvery }, { kind: 'integer', atLeast: 0 });
}

async function* steps<State>(task: TrainingTask<State>, options: TrainOptions, run: OpenRun<State>): AsyncGenerator<TrainEvent, void> {
  const { steps: total, logEvery = 10, checkpointEvery = 500, keep = 2, previewEvery = 0, signal } = options;
  const { folder } = run;
  let { point, state, checkpoint: newest, earlier: good } = run;
  let health: Health = { high: 0, ...(run.firstLoss !== undefined && { first: run.firstLoss }) };
  yield { kind: 'start', step: point.step, steps: total, resumed: newest !== undefined, changed: run.changed, folder };

  const save = async (): Promise<TrainEvent> => {
    const path = await writeCheckpoint(folder.checkpoints, point, state).catch((cause: unknown) => {
      if (!(cause instanceof NotFiniteError)) throw cause;
      return stop(`weights are not finite: ${cause.tensor}, step=${point.step}`);
    });
    newest = { step: point.step, path };
    await pruneCheckpoints(folder.checkpoints, { keep, milestone: options.milestone, spare: good?.step });
    await writeReport(folder, { name: task.name, step: point.step, steps: total });
    return { kind: 'checkpoint', ...newest };
  };
  /** What was saved after the last good checkpoint holds weights that led here: it is set aside, and the run ends. */
  const stop = async (what: string): Promise<never> => {
    const aside = await setAsideAfter(folder.checkpoints, good?.step ?? -1);
    throw diverged(task, { what, good, aside });
  };
  /** Judge a step that began with the weights of `point`. */
  const look = async ({ metrics, batch }: StepResult<State>, at: 'running' | 'end'): Promise<void> => {
    const verdict = judge(health, metrics, at);
    ({ health } = verdict);
    if (verdict.weights === 'good' && newest?.step === point.step) good = newest;
    const when = at === 'end' ? `step after the last=${point.step + 1}` : `step=${point.step + 1}`;
    if (verdict.fault !== undefined) await stop(`${verdict.fault}, ${when}, batch items=[${batch.join(', ')}]`);
  };

  while (point.step < total && !signal?.aborted) {
    const before = performance.now();
    const result = await task.step(state, point);
    await look(result, 'running');
    const step = point.step + 1;
    ({ state } = result);
    point = { step, position: result.position };
    const milliseconds = performance.now() - before;
    if (step % logEvery === 0 || step === total) {
      await appendLog(folder.log, { step, ...result.metrics });
      await appendLog(folder.timings, { step, milliseconds });
    }
    yield { kind: 'step', step, steps: total, metrics: result.metrics, milliseconds };
    if (previewEvery > 0 && step % previewEvery === 0 && task.preview) {
      const path = join(folder.previews, `${stepName(step)}.png`);
      await task.preview(state, path).catch((cause: unknown) => {
        throw previewFailed(cause, { step, newest });
      });
      yield { kind: 'preview', step, path };
    }
    if (step % checkpointEvery === 0 && step !== total) yield await save();
  }
  if (newest?.step !== point.step) yield await save();
  const finished = point.step >= total;
  // Nothing is kept of this step: its loss says what the weights are worth that were saved last.
  if (finished) await look(await task.step(state, point), 'end');
  yield { kind: 'done', step: point.step, reason: finished ? 'finished' : 'aborted', checkpoint: newest!.path };
}

interface Divergence {
  readonly what: string;
  readonly good: StoredCheckpoint | undefined;
  readonly aside: readonly string[];
}

function diverged<State>({ mayChange = [] }: TrainingTask<State>, { what, good, aside }: Divergence): UserError {
  const changes = mayChange.length === 0 ? '' : `; at a resume these may change: ${mayChange.join(', ')}`;
  const remedy = good
    ? `Resume, which goes on from it, with a lower learning rate or gradient clipping${changes}.`
    : 'Train anew with a lower learning rate or gradient clipping.';
  const later = aside.length === 0 ? '' : ` Set aside, as its weights led here: ${aside.join(', ')}.`;
  return new UserError(`[training/loop] ${what}. Last good checkpoint: ${good?.path ?? 'none yet'}.${later} ${remedy}`);
}

function previewFailed(cause: unknown, at: { readonly step: number; readonly newest: StoredCheckpoint | undefined }): unknown {
  if (!(cause instanceof UserError)) return cause;
  return new UserError(
    `[training/loop] preview cannot be drawn: step=${at.step}, ${cause.message} Newest checkpoint: ${at.newest?.path ?? 'none yet'}.`,
    { cause },
  );
}
