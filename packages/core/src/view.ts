import { checkNumber, shownValue, UserError, type Tensor } from '@langevin/tensor';
import { checkCamera, type Camera } from './camera.ts';

/** Red, green, blue, in [-1, 1] as in pictures. */
export type Color = readonly [red: number, green: number, blue: number];

/** What is looked at, from where and when. */
export interface View {
  readonly camera: Camera;
  /** When, in [0, 1] over a scene that moves. @default 0 */
  readonly time?: number;
  /** What is behind the scene. @default the renderer's own */
  readonly background?: Color;
}

/** What was drawn of V views of one size. */
export interface RenderedViews<Params> extends RenderedMaps {
  /**
   * The gradient by the parameters of a loss whose gradients by the maps are given; it may be asked for once. This is how a
   * renderer that is no graph of tensors takes part in one.
   */
  readonly vjp: (cotangents: Partial<RenderedMaps>) => Promise<Params>;
}

export interface RenderedMaps {
  /** [V, 3, H, W] in [-1, 1], background included. */
  readonly color: Tensor;
  /** How much of the background is covered, [V, 1, H, W] in [0, 1]. */
  readonly alpha?: Tensor;
  /** Distance along the camera's axis, [V, 1, H, W], in units of the scene. */
  readonly depth?: Tensor;
}

/**
 * Draws a scene of any representation, with its gradient: score distillation and reconstruction receive one as an argument, and know
 * nothing of what is behind it.
 */
export interface Renderer<Params> {
  readonly name: string;
  /** @throws UserError for views that are none, or of several sizes */
  readonly render: (params: Params, views: readonly View[]) => Promise<RenderedViews<Params>>;
}

/**
 * Throws a UserError unless the values are views of one size, at least one. `where` is "package/part".
 *
 * @example
 * const camera = lookAt({ eye: [0, 0, -3], target: [0, 0, 0], width: 8, height: 6, fx: 8, fy: 8, cx: 4, cy: 3 });
 * checkViews('mine/renderer', [{ camera }, { camera, time: 0.5, background: [1, 1, 1] }]);
 */
export function checkViews(where: string, views: unknown): asserts views is readonly View[] {
  if (!Array.isArray(views) || views.length === 0)
    throw new UserError(`[${where}] there is nothing to look at: views=${shownValue(views)}. Pass a list of at least one view.`);
  views.forEach((view: unknown, i) => {
    if (typeof view !== 'object' || view === null || !('camera' in view))
      throw new UserError(
        `[${where}] this is no view: views[${i}]=${shownValue(view)}. Pass { camera }, with time and background or without.`,
      );
    const { camera, time = 0, background } = view as View;
    if (typeof camera !== 'object' || camera === null || !Array.isArray(camera.worldToCamera))
      throw new UserError(`[${where}] this is no camera: views[${i}].camera=${shownValue(camera)}. Pass what lookAt() gives.`);
    checkCamera(where, camera);
    checkNumber(where, { [`views[${i}].time`]: time }, { atLeast: 0, atMost: 1 });
    if (background === undefined) return;
    if (!Array.isArray(background) || background.length !== 3)
      throw new UserError(
        `[${where}] this is no colour: views[${i}].background=${shownValue(background)}. Pass red, green and blue in [-1, 1].`,
      );
    background.forEach((value, c) => checkNumber(where, { [`views[${i}].background[${c}]`]: value }, { atLeast: -1, atMost: 1 }));
  });
  const [{ width, height }, ...others] = (views as readonly View[]).map(({ camera }) => camera) as [Camera, ...Camera[]];
  const other = others.find((camera) => camera.width !== width || camera.height !== height);
  if (other !== undefined)
    throw new UserError(
      `[${where}] views drawn together are of one size: ${width}x${height} and ${other.width}x${other.height}. Draw them apart.`,
    );
}
