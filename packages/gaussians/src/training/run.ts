import { checkNumber, UserError } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import type { PerceptualMetric } from '../losses/metrics.ts';
import type { Rendering } from '../rasterizer.ts';
import type { SceneView, SplatScene } from '../scenes/scene.ts';
import type { StoredState } from './state.ts';
import type { Trainer } from './trainer.ts';
import type { StepMetrics, ViewScore } from './view-loss.ts';

/** Where checkpoints are kept: a folder in Node, whatever a page has. */
export interface CheckpointStore {
  /** The newest one, and where it is. */
  readonly newest: () => Promise<{ readonly stored: StoredState; readonly from: string } | undefined>;
  /** Keeps one, whole or not at all; returns where. */
  readonly save: (step: number, stored: StoredState) => Promise<string>;
}

/** How far a run goes and what it does on the way; none of it changes the result. */
export interface RunOptions {
  readonly scene: SplatScene;
  /** Steps in all, those before a resume included, >= 1. */
  readonly steps: number;
  /** @default none are kept */
  readonly store?: CheckpointStore;
  /** `resume` goes on from the newest checkpoint, `new` refuses a store that has one. @default 'new' */
  readonly start?: 'new' | 'resume';
  /** Steps between checkpoints. @default 1000 */
  readonly checkpointEvery?: number;
  /** Steps between evaluations on the held-out views; 0: at the end only. @default 0 */
  readonly evaluateEvery?: number;
  readonly perceptual?: PerceptualMetric;
  /** On abort a checkpoint is written and the run ends. */
  readonly signal?: AbortSignal;
}

export type SplatEvent =
  | { readonly kind: 'start'; readonly step: number; readonly steps: number; readonly count: number; readonly resumed: boolean }
  /**
   * `gaussians` are those after the step; their arrays change with the next one, and may be views of memory that threads share: copy what
   * is to stay.
   */
  | {
      readonly kind: 'step';
      readonly step: number;
      readonly steps: number;
      readonly metrics: StepMetrics;
      readonly count: number;
      readonly milliseconds: number;
      readonly gaussians: Gaussians;
    }
  | { readonly kind: 'refined'; readonly step: number; readonly count: number; readonly counts: Readonly<Record<string, number>> }
  | { readonly kind: 'view'; readonly step: number; readonly score: ViewScore; readonly view: SceneView; readonly rendering: Rendering }
  /** Means over the held-out views. */
  | {
      readonly kind: 'evaluation';
      readonly step: number;
      readonly psnr: number;
      readonly ssim: number;
      readonly perceptual?: number;
      readonly views: readonly ViewScore[];
    }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly from: string }
  | {
      readonly kind: 'done';
      readonly step: number;
      readonly reason: 'finished' | 'aborted';
      readonly gaussians: Gaussians;
      readonly checkpoint?: string;
    };

/** What a run drives, still or moving. */
export interface Steps extends Pick<Trainer, 'advance' | 'evaluate'> {
  readonly state: () => { readonly step: number; readonly gaussians: Gaussians };
  /** All that the next step depends on. */
  readonly stored: () => StoredState | Promise<StoredState>;
  /** See {@link Trainer}. */
  readonly release?: () => void;
}

/** A checkpoint that a run goes on from. */
export type FoundCheckpoint = Awaited<ReturnType<CheckpointStore['newest']>>;

/**
 * The checkpoint to go on from, if there is one.
 * @throws UserError when an option is out of range, or there is a checkpoint where there should be none
 */
export async function beginRun({
  scene,
  steps,
  store,
  start = 'new',
  checkpointEvery = 1000,
  evaluateEvery = 0,
}: RunOptions): Promise<FoundCheckpoint> {
  checkNumber('gaussians/training', { steps, checkpointEvery }, { atLeast: 1, kind: 'integer' });
  checkNumber('gaussians/training', { evaluateEvery }, { atLeast: 0, kind: 'integer' });
  if (scene.train.length === 0) throw new UserError('[gaussians/training] scene has no view to train on: train.length=0. Hold out fewer.');
  const found = await store?.newest();
  if (found !== undefined && start === 'new')
    throw new UserError(`[gaussians/training] there is a checkpoint already: ${found.from}. Resume it, or choose another folder.`);
  return found;
}

/** Steps, evaluations and checkpoints until the end or an abort: the loop of every training. */
export async function* run(trainer: Steps, options: RunOptions, found: FoundCheckpoint): AsyncGenerator<SplatEvent, void> {
  const { steps, store, checkpointEvery = 1000, evaluateEvery = 0, signal } = options;
  const begin = trainer.state();
  let checkpoint = found?.from;
  let saved = found === undefined ? -1 : begin.step;
  yield { kind: 'start', step: begin.step, steps, count: begin.gaussians.count, resumed: found !== undefined };

  while (trainer.state().step < steps && !signal?.aborted) {
    const before = performance.now();
    const { metrics, counts } = await trainer.advance().catch((error: unknown) => {
      if (error instanceof UserError)
        throw new UserError(`${error.message} Last good checkpoint: ${checkpoint ?? 'none'}.`, { cause: error });
      throw error;
    });
    const { step, gaussians } = trainer.state();
    yield { kind: 'step', step, steps, metrics, count: gaussians.count, milliseconds: performance.now() - before, gaussians };
    if (counts !== undefined) yield { kind: 'refined', step, count: gaussians.count, counts };
    if (evaluateEvery > 0 && step % evaluateEvery === 0 && step < steps) yield* evaluation(trainer, options);
    if (store !== undefined && step % checkpointEvery === 0 && step < steps) {
      checkpoint = await store.save(step, await trainer.stored());
      saved = step;
      yield { kind: 'checkpoint', step, from: checkpoint };
    }
  }
  const { step } = trainer.state();
  yield* evaluation(trainer, options);
  if (store !== undefined && saved !== step) {
    checkpoint = await store.save(step, await trainer.stored());
    yield { kind: 'checkpoint', step, from: checkpoint };
  }
  trainer.release?.();
  yield {
    kind: 'done',
    step,
    reason: step >= steps ? 'finished' : 'aborted',
    gaussians: trainer.state().gaussians,
    ...(checkpoint !== undefined && { checkpoint }),
  };
}

async function* evaluation(trainer: Steps, { scene, perceptual }: RunOptions): AsyncGenerator<SplatEvent, void> {
  if (scene.test.length === 0) return;
  const { step } = trainer.state();
  const views: ViewScore[] = [];
  for (const view of scene.test) {
    const { score, rendering } = await trainer.evaluate(view, perceptual);
    views.push(score);
    yield { kind: 'view', step, score, view, rendering };
  }
  const mean = (value: (score: ViewScore) => number): number => views.reduce((sum, score) => sum + value(score), 0) / views.length;
  yield {
    kind: 'evaluation',
    step,
    views,
    psnr: mean((score) => score.psnr),
    ssim: mean((score) => score.ssim),
    ...(perceptual && { perceptual: mean((score) => score.perceptual ?? NaN) }),
  };
}
