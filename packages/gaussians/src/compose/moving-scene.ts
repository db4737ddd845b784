import type { Gaussians } from '../gaussians.ts';
import { deformations } from '../deformations/index.ts';
import { playback } from '../dynamic/data.ts';
import type { DeformationData } from '../dynamic/deformation.ts';
import { composeScene, type Asset } from './scene.ts';
import type { Similarity } from './similarity.ts';

/** First and last moment, and what follows the last: the `times` of a 4D container. */
export interface AssetTimes {
  readonly start: number;
  readonly end: number;
  readonly loop: 'none' | 'repeat' | 'mirror';
}

/** An asset of a scene as plain data: what {@link parseSceneFile} and the 4D container of `@langevin/io/splats` give. */
export interface PlacedAsset {
  readonly cloud: Gaussians;
  readonly times: AssetTimes;
  /** Null for what stands still. */
  readonly deformation: DeformationData | null;
  /** Where it stands, and when its own time runs: by default as long as its `times`, from their start, and then as they say. */
  readonly placement: Similarity & Pick<Asset, 'offset' | 'duration' | 'beyond'>;
}

/** Several assets as one set of Gaussians. */
export interface MovingScene {
  /** From the first that begins to the last that ends; undefined where nothing moves. */
  readonly times?: AssetTimes;
  /** At a time of the scene. @default its start */
  readonly at: (time?: number) => Gaussians;
}

const BEYOND = { none: 'hold', repeat: 'loop', mirror: 'mirror' } as const;
const LOOP = { hold: 'none', loop: 'repeat', mirror: 'mirror' } as const;

/**
 * A scene of assets in their places, ready to be played without an engine.
 *
 * @param known the deformations to choose from; add your own with `deformations.with()`. @default the ones of this package
 * @throws UserError when there is none, a placement is out of range, or a deformation is damaged or not known
 * @example
 * const cloud = gaussiansFromPoints({
 *   count: 2,
 *   positions: Float32Array.of(-1, 0, 0, 1, 0, 0),
 *   colors: Uint8Array.of(255, 80, 0, 0, 80, 255),
 * });
 * const motion = mlpDeformation({ box: boxOf(cloud) });
 * const deformation = await deformationData(motion, motion.init(torchGenerator(0)));
 * // What a file of several assets gives: readSplatScene4d of @langevin/io/splats.
 * const assets = [
 *   { cloud, times: { start: 0, end: 2, loop: 'none' }, deformation: null, placement: {} },
 *   { cloud, times: { start: 0, end: 2, loop: 'none' }, deformation, placement: { translation: [3, 0, 0], offset: 1 } },
 * ] as const;
 * const { at, times } = movingScene(assets);
 * [times?.end, at(3).count]; // => [3, 4]
 */
export function movingScene(assets: readonly PlacedAsset[], known = deformations): MovingScene {
  const placed = assets.map(({ cloud, times: { start, end, loop }, deformation, placement }): Asset => {
    const { offset = start, duration = end - start, beyond = BEYOND[loop], ...transform } = placement;
    return deformation === null
      ? { gaussians: cloud, transform }
      : { gaussians: playback(cloud, deformation, known), transform, offset, duration, beyond };
  });
  const compose = composeScene(placed);
  const moving = placed.filter(({ gaussians }) => typeof gaussians === 'function') as readonly Required<Asset>[];
  const [first] = moving;
  if (first === undefined) return { at: () => compose() };
  const start = Math.min(...moving.map(({ offset }) => offset));
  const end = Math.max(...moving.map(({ offset, duration }) => offset + duration));
  // All together they go on for ever only where they keep step.
  const inStep = moving.every(
    ({ beyond, offset, duration }) => beyond === first.beyond && offset === first.offset && duration === first.duration,
  );
  return { times: { start, end, loop: inStep ? LOOP[first.beyond] : 'none' }, at: (time = start) => compose(time) };
}
