import { counterGenerator, UserError } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import type { PerceptualMetric } from '../losses/metrics.ts';
import type { Rasterizer, Rendering } from '../rasterizer.ts';
import { gaussiansFromPoints, randomPoints } from '../scenes/initialise.ts';
import type { SceneView, SplatScene } from '../scenes/scene.ts';
import { describeRun, resolveSettings, type ResolvedSettings, type TrainingSettings } from './config.ts';
import { initialState, restoreState, storeState, type StoredState } from './state.ts';
import { createTrainer, type StepMetrics, type Trainer, type ViewScore } from './trainer.ts';

/** Where checkpoints are kept: a folder in Node, whatever a page has. */
export interface CheckpointStore {
  /** The newest one, and where it is. */
  readonly newest: () => Promise<{ readonly stored: StoredState; readonly from: string } | undefined>;
  /** Keeps one, whole or not at all; returns where. */
  readonly save: (step: number, stored: StoredState) => Promise<string>;
}

export interface TrainSplatsOptions extends TrainingSettings {
  readonly scene: SplatScene;
  readonly rasterizer: Rasterizer;
  /** Steps in all, those before a resume included, >= 1. */
  readonly steps: number;
  /** @default from the points of the scene; without them, 10000 random ones in a box of twice its extent */
  readonly initial?: Gaussians;
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
  /** `gaussians` are those after the step; their arrays change with the next one. */
  | { readonly kind: 'step'; readonly step: number; readonly steps: number; readonly metrics: StepMetrics; readonly count: number; readonly milliseconds: number; readonly gaussians: Gaussians }
  | { readonly kind: 'refined'; readonly step: number; readonly count: number; readonly counts: Readonly<Record<string, number>> }
  | { readonly kind: 'view'; readonly step: number; readonly score: ViewScore; readonly view: SceneView; readonly rendering: Rendering }
  /** Means over the held-out views. */
  | { readonly kind: 'evaluation'; readonly step: number; readonly psnr: number; readonly ssim: number; readonly perceptual?: number; readonly views: readonly ViewScore[] }
  | { readonly kind: 'checkpoint'; readonly step: number; readonly from: string }
  | { readonly kind: 'done'; readonly step: number; readonly reason: 'finished' | 'aborted'; readonly gaussians: Gaussians; readonly checkpoint?: string };

const RANDOM_POINTS = 10_000;
const STREAM_START = 5;

/**
 * Train Gaussians on posed photographs, yielding an event for every step, change, evaluation and checkpoint. With a rasterizer that gives the
 * same bits each time, so does training: killed at any moment and resumed from its store, it ends with the same bytes.
 *
 * @throws UserError when a setting is out of range, the store belongs to another run, or a loss or gradient is not finite (the last
 *   checkpoint is named)
 * @example
 * for await (const event of trainSplats({ scene, rasterizer, steps: 1000 })) {
 *   if (event.kind === 'step') console.log(event.step, event.metrics.psnr);
 * }
 */
export async function* trainSplats(options: TrainSplatsOptions): AsyncGenerator<SplatEvent, void> {
  const { scene, steps, store, start = 'new', checkpointEvery = 1000, evaluateEvery = 0, signal } = options;
  for (const [name, value, least] of [['steps', steps, 1], ['checkpointEvery', checkpointEvery, 1], ['evaluateEvery', evaluateEvery, 0]] as const) {
    if (!Number.isSafeInteger(value) || value < least) throw new UserError(`[gaussians/training] option is out of range: ${name}=${value}. Give an integer >= ${least}.`);
  }
  if (scene.train.length === 0) throw new UserError('[gaussians/training] scene has no view to train on: train.length=0. Hold out fewer.');
  const settings = resolveSettings(settingsOf(options), steps);
  const run = describeRun(settings, scene);
  const found = await store?.newest();
  if (found !== undefined && start === 'new') throw new UserError(`[gaussians/training] there is a checkpoint already: ${found.from}. Resume it, or choose another folder.`);
  const state = found === undefined ? initialState(options.initial ?? beginning(scene, settings), settings.strategy) : restoreState(found.stored, { run, strategy: settings.strategy, from: found.from });
  const trainer = createTrainer({ scene, rasterizer: options.rasterizer, settings, state });
  let checkpoint = found?.from;
  let saved = found === undefined ? -1 : state.step;
  yield { kind: 'start', step: state.step, steps, count: state.gaussians.count, resumed: found !== undefined };

  while (trainer.state().step < steps && !signal?.aborted) {
    const before = performance.now();
    const { metrics, counts } = await trainer.advance().catch((error: unknown) => {
      if (error instanceof UserError) throw new UserError(`${error.message} Last good checkpoint: ${checkpoint ?? 'none'}.`, { cause: error });
      throw error;
    });
    const { step, gaussians } = trainer.state();
    yield { kind: 'step', step, steps, metrics, count: gaussians.count, milliseconds: performance.now() - before, gaussians };
    if (counts !== undefined) yield { kind: 'refined', step, count: gaussians.count, counts };
    if (evaluateEvery > 0 && step % evaluateEvery === 0 && step < steps) yield* evaluation(trainer, options);
    if (store !== undefined && step % checkpointEvery === 0 && step < steps) {
      checkpoint = await store.save(step, storeState(trainer.state(), run));
      saved = step;
      yield { kind: 'checkpoint', step, from: checkpoint };
    }
  }
  const last = trainer.state();
  yield* evaluation(trainer, options);
  if (store !== undefined && saved !== last.step) {
    checkpoint = await store.save(last.step, storeState(last, run));
    yield { kind: 'checkpoint', step: last.step, from: checkpoint };
  }
  yield { kind: 'done', step: last.step, reason: last.step >= steps ? 'finished' : 'aborted', gaussians: last.gaussians, ...(checkpoint !== undefined && { checkpoint }) };
}

async function* evaluation(trainer: Trainer, { scene, perceptual }: TrainSplatsOptions): AsyncGenerator<SplatEvent, void> {
  if (scene.test.length === 0) return;
  const { step } = trainer.state();
  const views: ViewScore[] = [];
  for (const view of scene.test) {
    const { score, rendering } = await trainer.evaluate(view, perceptual);
    views.push(score);
    yield { kind: 'view', step, score, view, rendering };
  }
  const mean = (value: (score: ViewScore) => number): number => views.reduce((sum, score) => sum + value(score), 0) / views.length;
  yield { kind: 'evaluation', step, views, psnr: mean((score) => score.psnr), ssim: mean((score) => score.ssim), ...(perceptual && { perceptual: mean((score) => score.perceptual ?? NaN) }) };
}

/** Gaussians at the points of a scene, as the strategy likes them. */
function beginning(scene: SplatScene, { strategy, degree, seed }: ResolvedSettings): Gaussians {
  const points = scene.points ?? randomPoints({ count: RANDOM_POINTS, halfSide: scene.extent, random: counterGenerator({ seed, stream: [STREAM_START] }) });
  return gaussiansFromPoints(points, { degree, opacity: strategy.defaults.opacity, scale: strategy.defaults.scale });
}

/** Only what decides the result. */
function settingsOf(options: TrainSplatsOptions): TrainingSettings {
  const { scene: _scene, rasterizer: _rasterizer, steps: _steps, initial: _initial, store: _store, start: _start, checkpointEvery: _every, evaluateEvery: _evaluate, perceptual: _perceptual, signal: _signal, ...settings } = options;
  return settings;
}
