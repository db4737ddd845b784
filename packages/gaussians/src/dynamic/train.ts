import { UserError } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import type { Rasterizer } from '../rasterizer.ts';
import { plannedBefore } from '../training/config.ts';
import { beginRun, run, type RunOptions, type SplatEvent } from '../training/run.ts';
import { deformationData } from './data.ts';
import { checkTime, type Deformation, type DeformationData, type NamedArrays } from './deformation.ts';
import { describeDynamicRun, resolveDynamicSettings, type DynamicSettings } from './settings.ts';
import { initialDynamicState, restoreDynamicState, storeDynamicState } from './state.ts';
import { createDynamicTrainer } from './trainer.ts';

export interface DynamicTrainingOptions<Params> extends DynamicSettings, RunOptions {
  readonly rasterizer: Rasterizer;
  readonly deformation: Deformation<Params>;
  /** The asset at rest, to begin with: what {@link stillScene} trains to, say. */
  readonly gaussians: Gaussians;
}

/** Events of a still scene's training; at the end comes the motion, to be stored beside `gaussians`. */
export type DynamicEvent =
  | Exclude<SplatEvent, { readonly kind: 'done' }>
  | (Extract<SplatEvent, { readonly kind: 'done' }> & { readonly deformation: DeformationData & { readonly tensors: NamedArrays } });

/**
 * Train a motion on posed photographs with times, and the asset with it: each step draws one view at its time. Events, checkpoints, resume
 * and abort are those of {@link trainSplats}: killed at any moment and resumed from its store, a run ends with the same bytes. Weights are
 * computed by the default engine.
 *
 * @throws UserError when a view has no time, a setting is out of range, the store belongs to another run, or a loss or gradient is not
 *   finite
 * @example
 * // not run: trains for minutes, on a scene in a folder
 * const scene = await loadScene('my-scene');
 * const rasterizer = cpuRasterizer();
 * const gaussians = gaussiansFromPoints(scene.points!);
 * for await (const event of trainDynamic({
 *   scene,
 *   gaussians,
 *   deformation: mlpDeformation({ box: boxOf(gaussians) }),
 *   rasterizer,
 *   steps: 2000,
 * })) {
 *   if (event.kind === 'step') console.log(event.step, event.metrics.psnr);
 * }
 */
export async function* trainDynamic<Params>(options: DynamicTrainingOptions<Params>): AsyncGenerator<DynamicEvent, void> {
  const { scene, rasterizer, deformation, gaussians, steps } = options;
  const found = await beginRun(options);
  for (const { name, time } of [...scene.train, ...scene.test]) {
    if (time === undefined)
      throw new UserError(
        `[gaussians/dynamic] view has no time: view=${name}. Give every view its time in [0, 1], or train a still scene.`,
      );
    checkTime(time);
  }
  const planned = plannedBefore(found?.stored);
  const settings = resolveDynamicSettings({ ...planned, ...settingsOf(options) }, { steps, degree: gaussians.degree });
  const description = describeDynamicRun(settings, scene, deformation);
  const state =
    found === undefined
      ? initialDynamicState(gaussians, deformation, settings)
      : restoreDynamicState(found.stored, { run: description, settings, deformation, from: found.from });
  const trainer = createDynamicTrainer({ scene, rasterizer, deformation, settings, steps: settings.decaySteps, state });
  for await (const event of run({ ...trainer, stored: () => storeDynamicState(trainer.state(), description) }, options, found)) {
    yield event.kind === 'done' ? { ...event, deformation: await deformationData(deformation, trainer.state().params) } : event;
  }
}

/** Only what decides the result. */
function settingsOf<Params>(options: DynamicTrainingOptions<Params>): DynamicSettings {
  const {
    scene: _scene,
    rasterizer: _rasterizer,
    deformation: _deformation,
    gaussians: _gaussians,
    steps: _steps,
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
