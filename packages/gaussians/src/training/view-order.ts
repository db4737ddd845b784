import { counterGenerator, UserError } from '@langevin/tensor';
import type { Position, StepPoint } from '@langevin/training';
import type { SceneView } from '../scenes/scene.ts';
import type { Rgb } from './pictures.ts';
import type { TrainingBackground } from './settings.ts';

/** Streams of random numbers that belong to no step. */
export const STREAM = { views: 1, points: 5, motion: 6 } as const;

/** The stream of positions of the tasks of this package. */
export const VIEWS = 'views';

/** The view at a position, and the position after it: in each pass every view comes once, in an order of (seed, pass). */
export function viewOrder(
  views: readonly SceneView[],
  seed: number,
): (position: Position) => { readonly view: SceneView; readonly next: Position } {
  if (views.length === 0) throw new UserError('[gaussians/training] scene has no view to train on: train.length=0. Hold out fewer.');
  let order: { readonly epoch: number; readonly places: Int32Array } | undefined;
  return ({ epoch, index }) => {
    if (index >= views.length)
      throw new UserError(
        `[gaussians/training] position is beyond the views of the scene: index=${index}, views=${views.length}. Use the scene of the run.`,
      );
    if (order?.epoch !== epoch)
      order = { epoch, places: counterGenerator({ seed, stream: [STREAM.views, epoch] }).permutation(views.length) };
    const next = index + 1 === views.length ? { epoch: epoch + 1, index: 0 } : { epoch, index: index + 1 };
    return { view: views[order.places[index]!]!, next };
  };
}

/** What is behind a scene where nothing may change: black also for trainings whose steps have random ones. */
export function plainBackground(background: TrainingBackground): Rgb {
  return background === 'white' ? [1, 1, 1] : [0, 0, 0];
}

/** What is behind the scene in a step. */
export function backgroundOf(background: TrainingBackground, at: StepPoint): Rgb {
  if (background !== 'random') return plainBackground(background);
  const [r, g, b] = at.random('background').uniform(3);
  return [r!, g!, b!];
}
