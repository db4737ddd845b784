import { counterGenerator } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import type { Rasterizer } from '../rasterizer.ts';
import { gaussiansFromPoints, randomPoints } from '../scenes/initialise.ts';
import type { SplatScene } from '../scenes/scene.ts';
import { describeRun, plannedBefore, resolveSettings, type ResolvedSettings, type TrainingSettings } from './config.ts';
import { beginRun, run, type RunOptions, type SplatEvent } from './run.ts';
import { initialState, restoreState, storeState } from './state.ts';
import { createTrainer } from './trainer.ts';
import { STREAM } from './view-loss.ts';

export interface TrainSplatsOptions extends TrainingSettings, RunOptions {
  readonly rasterizer: Rasterizer;
  /** @default from the points of the scene; without them, 10000 random ones in a box of twice its extent */
  readonly initial?: Gaussians;
}

const RANDOM_POINTS = 10_000;

/**
 * Train Gaussians on posed photographs, yielding an event for every step, change, evaluation and checkpoint. With a rasterizer that gives
 * the same bits each time, so does training: killed at any moment and resumed from its store, it ends with the same bytes.
 *
 * @throws UserError when a setting is out of range, the store belongs to another run, or a loss or gradient is not finite (the last
 *   checkpoint is named)
 * @example
 * // not run: trains for minutes, on a scene in a folder
 * const scene = await loadScene('my-scene');
 * const rasterizer = cpuRasterizer();
 * for await (const event of trainSplats({ scene, rasterizer, steps: 1000 })) {
 *   if (event.kind === 'step') console.log(event.step, event.metrics.psnr);
 * }
 */
export async function* trainSplats(options: TrainSplatsOptions): AsyncGenerator<SplatEvent, void> {
  const { scene, rasterizer, steps } = options;
  const found = await beginRun(options);
  const settings = resolveSettings({ ...plannedBefore(found?.stored), ...settingsOf(options) }, steps);
  const description = describeRun(settings, scene);
  const state =
    found === undefined
      ? initialState(options.initial ?? beginning(scene, settings), settings.strategy)
      : restoreState(found.stored, { run: description, strategy: settings.strategy, from: found.from });
  const trainer = createTrainer({ scene, rasterizer, settings, steps, state });
  try {
    yield* run({ ...trainer, stored: () => storeState(trainer.state(), description) }, options, found);
  } finally {
    trainer.release();
  }
}

/** Gaussians at the points of a scene, as the strategy likes them. */
function beginning(scene: SplatScene, { strategy, degree, seed }: ResolvedSettings): Gaussians {
  const points =
    scene.points
    ?? randomPoints({ count: RANDOM_POINTS, halfSide: scene.extent, random: counterGenerator({ seed, stream: [STREAM.points] }) });
  return gaussiansFromPoints(points, { degree, opacity: strategy.defaults.opacity, scale: strategy.defaults.scale });
}

/** Only what decides the result. */
function settingsOf(options: TrainSplatsOptions): TrainingSettings {
  const {
    scene: _scene,
    rasterizer: _rasterizer,
    steps: _steps,
    initial: _initial,
    store: _store,
    start: _start,
    checkpointEvery: _every,
    evaluateEvery: _evaluate,
    perceptual: _perceptual,
    signal: _signal,
    ...settings
  } = options;
  return settings;
}
