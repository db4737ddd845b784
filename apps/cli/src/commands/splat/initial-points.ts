import { pointsFromDepth, pointsFromViews, randomPoints, type PointCloud, type SplatScene } from '@langevin/gaussians';
import { counterGenerator, UserError } from '@langevin/tensor';

/** Where Gaussians begin: the points of the scene's files, places where photographs agree, the pixels of depth maps, or anywhere. */
export const INITS = ['points', 'views', 'depth', 'random'] as const;

export interface InitOptions {
  readonly init?: (typeof INITS)[number];
  readonly initCount: number;
  readonly seed: number;
}

const STREAM = 105;

/** The scene with the points to begin with. @throws UserError when it has not what is asked for */
export function withPoints(
  scene: SplatScene,
  { init, initCount: count, seed }: InitOptions,
): { readonly scene: SplatScene; readonly from: string } {
  const how = init ?? (scene.points ? 'points' : 'views');
  if (how === 'points') {
    if (scene.points === undefined)
      throw new UserError(`[cli/splat] scene has no points: scene=${scene.name}, --init=points. Choose views or random.`);
    return { scene, from: `${scene.points.count.toLocaleString('en-US')} points` };
  }
  const random = counterGenerator({ seed, stream: [STREAM] });
  const first = scene.train.filter(({ time = 0 }) => time === 0);
  const views = first.length >= 2 ? first : scene.train;
  const make: Record<Exclude<typeof how, 'points'>, () => PointCloud> = {
    views: () => pointsFromViews(views, { count, random }),
    depth: () => pointsFromDepth(views),
    random: () => randomPoints({ count, halfSide: scene.extent, random }),
  };
  const points = make[how]();
  return {
    scene: { ...scene, points },
    from:
      `${points.count.toLocaleString('en-US')} `
      + `${{ views: 'points where photographs agree', depth: 'points of depth maps', random: 'random points' }[how]}`,
  };
}
