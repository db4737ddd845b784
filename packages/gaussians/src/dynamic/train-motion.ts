import { train, type TrainEvent } from '@langevin/training';
import { splitRunOptions, type RunOptions } from '../training/train-splats.ts';
import { motionTask, type MotionState, type MotionTaskOptions } from './motion-task.ts';

export interface TrainMotionOptions<Params> extends MotionTaskOptions<Params>, RunOptions {}

/**
 * Trains a motion, and the asset with it: {@link motionTask} in the loop of `@langevin/training`, whose events come. At the end,
 * `deformationData` makes of the deformation and `state.params` what a file holds.
 *
 * @throws UserError when a view has no time, a setting is out of range, the store belongs to another run, or training diverges
 * @example
 * // not run: trains for minutes, on a scene in a folder
 * const scene = await loadScene('my-scene');
 * const gaussians = gaussiansFromPoints(scene.points!);
 * const deformation = mlpDeformation({ box: boxOf(gaussians) });
 * for await (const event of trainMotion({ scene, gaussians, deformation, rasterizer: cpuRasterizer(), steps: 2000 })) {
 *   if (event.kind === 'step') console.log(event.step, event.measures?.['psnr']);
 * }
 */
export function trainMotion<Params>(options: TrainMotionOptions<Params>): AsyncGenerator<TrainEvent<MotionState<Params>>, void> {
  const [run, task] = splitRunOptions(options);
  return train(motionTask(task), run);
}
