import { join } from 'node:path';
import { UserError } from '@langevin/tensor';
import { listCheckpoints, pruneCheckpoints, readCheckpoint, removeUnfinished, writeCheckpoint, type TrainingPoint } from './checkpoint.ts';
import { createRunFolder, stepName, type RunFolder } from './run-folder.ts';
import { appendLine, truncateLog } from './run-log.ts';
import { matchOrStoreConfig } from './stored-config.ts';
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

/** What is trained. A step may depend on the state, the step number and the data position, on nothing else. */
export interface TrainingTask<State> {
  readonly name: string;
  /** Decides what the run computes, as JSON; a resumed run must have the same. */
  readonly config: unknown;
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
  /** 'resume' goes on from the newest checkpoint, if there is one. 'new' refuses a folder that has checkpoints. @default 'new' */
  readonly start?: 'new' | 'resume';
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
  | { readonly kind: 'start'; readonly step: number; readonly steps: number; readonly resumed: boolean; readonly folder: RunFolder }
  | { readonly kind: 'step'; readonly step: number; readonly steps: number; readonly metrics: Metrics; readonly milliseconds: number }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly path: string }
  | { readonly kind: 'preview'; readonly step: number; readonly path: string }
  | { readonly kind: 'done'; readonly step: number; readonly reason: 'finished' | 'aborted'; readonly checkpoint: string };

/**
 * Train, yielding an event for every step, checkpoint and preview. Killed at any moment and started again with `start: 'resume'`, it
 * ends with the same bytes as if nothing had happened.
 *
 * @throws UserError when the loss is not finite (step, batch and last checkpoint named), the folder belongs to another configuration,
 *   or the disk fails
 */
export async function* train<State>(task: TrainingTask<State>, options: TrainOptions): AsyncGenerator<TrainEvent, void> {
  const { steps, start = 'new', logEvery = 10, checkpointEvery = 500, keep = 2, previewEvery = 0, signal } = options;
  for (const [name, value, least] of [
    ['steps', steps, 1],
    ['logEvery', logEvery, 1],
    ['checkpointEvery', checkpointEvery, 1],
    ['keep', keep, 1],
    ['previewEvery', previewEvery, 0],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least)
      throw new UserError(`[training/loop] option is out of range: ${name}=${value}. Give an integer >= ${least}.`);
  }
  const folder = await createRunFolder(options.folder);
  await removeUnfinished(folder.checkpoints);
  const newest = (await listCheckpoints(folder.checkpoints)).at(-1);
  if (newest && start === 'new') {
    throw new UserError(
      `[training/loop] folder already has checkpoints: folder=${options.folder}, newest step=${newest.step}. Resume it, or choose `
        + 'another folder.',
    );
  }
  await matchOrStoreConfig(folder.config, task.config);

  const fresh = task.init();
  const resumed = newest ? await readCheckpoint(newest.path, fresh) : undefined;
  let point: TrainingPoint = resumed?.point ?? { step: 0, position: { epoch: 0, index: 0 } };
  let state = resumed?.state ?? fresh;
  let checkpoint = newest?.path;
  await truncateLog(folder.log, point.step);
  await truncateLog(folder.timings, point.step);
  yield { kind: 'start', step: point.step, steps, resumed: resumed !== undefined, folder };

  const save = async (): Promise<TrainEvent> => {
    checkpoint = await writeCheckpoint(folder.checkpoints, point, state);
    await pruneCheckpoints(folder.checkpoints, { keep, milestone: options.milestone });
    await writeReport(folder, { name: task.name, step: point.step, steps });
    return { kind: 'checkpoint', step: point.step, path: checkpoint };
  };

  while (point.step < steps && !signal?.aborted) {
    const before = performance.now();
    const result = await task.step(state, point);
    const step = point.step + 1;
    if (!Number.isFinite(result.metrics.loss)) {
      throw new UserError(
        `[training/loop] loss is not finite: loss=${result.metrics.loss}, step=${step}, batch items=[${result.batch.join(', ')}]. `
          + `Last good checkpoint: ${checkpoint ?? 'none yet'}. Resume from it with a lower learning rate or gradient clipping.`,
      );
    }
    state = result.state;
    point = { step, position: result.position };
    const milliseconds = performance.now() - before;
    if (step % logEvery === 0 || step === steps) {
      await appendLine(folder.log, { step, ...result.metrics });
      await appendLine(folder.timings, { step, milliseconds });
    }
    yield { kind: 'step', step, steps, metrics: result.metrics, milliseconds };
    if (previewEvery > 0 && step % previewEvery === 0 && task.preview) {
      const path = join(folder.previews, `${stepName(step)}.png`);
      await task.preview(state, path);
      yield { kind: 'preview', step, path };
    }
    if (step % checkpointEvery === 0 && step !== steps) yield await save();
  }
  const last = point.step;
  if (checkpoint === undefined || !checkpoint.endsWith(stepName(last))) yield await save();
  yield { kind: 'done', step: last, reason: last >= steps ? 'finished' : 'aborted', checkpoint: checkpoint! };
}
