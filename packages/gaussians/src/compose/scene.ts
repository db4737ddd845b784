import { UserError } from '@langevin/tensor';
import type { Gaussians } from '../gaussians.ts';
import type { Similarity } from './similarity.ts';
import { concatGaussians, placer } from './transform.ts';

/** One thing in a scene. */
export interface Asset {
  /** As it is, or how it looks at a time of its own in [0, 1]: the `at` of a playback. */
  readonly gaussians: Gaussians | ((time: number) => Gaussians);
  /** Where it stands. @default where it is */
  readonly transform?: Similarity;
  /** When its own time begins, in time of the scene. @default 0 */
  readonly offset?: number;
  /** How long its own time takes, > 0, in time of the scene. @default 1 */
  readonly duration?: number;
  /** Before its beginning and after its end it stands still, begins anew, or runs back and forth. @default 'hold' */
  readonly beyond?: 'hold' | 'loop' | 'mirror';
}

/** Time of an asset, in [0, 1], at a time of the scene. */
export function assetTime(
  { offset = 0, duration = 1, beyond = 'hold' }: Pick<Asset, 'offset' | 'duration' | 'beyond'>,
  time: number,
): number {
  if (!Number.isFinite(time) || !Number.isFinite(offset) || !(duration > 0 && Number.isFinite(duration))) {
    throw new UserError(
      `[gaussians/compose] no time: time=${time}, offset=${offset}, duration=${duration}. Pass finite numbers, duration > 0.`,
    );
  }
  const own = (time - offset) / duration;
  if (beyond === 'hold') return Math.min(1, Math.max(0, own));
  if (beyond === 'loop') return own - Math.floor(own);
  const round = own - 2 * Math.floor(own / 2);
  return round > 1 ? 2 - round : round;
}

/**
 * Several assets as one set of Gaussians at a time of the scene, in order of the list. Assets that do not move are placed once.
 *
 * @example
 * const room = gaussiansFromPoints({
 *   count: 2,
 *   positions: Float32Array.of(-1, 0, 0, 1, 0, 0),
 *   colors: Uint8Array.of(255, 80, 0, 0, 80, 255),
 * });
 * const rising = (time: number) => transformGaussians(room, { translation: [0, -time, 0] }); // of a file: playback(gaussians, data)
 * const at = composeScene([{ gaussians: room }, { gaussians: rising, transform: { translation: [1, 0, 0] }, offset: 0.5 }]);
 * at(0.75).count; // => 4
 */
export function composeScene(assets: readonly Asset[]): (time?: number) => Gaussians {
  const [first, ...rest] = assets.map((asset) => {
    const { gaussians, transform = {} } = asset;
    const place = placer<Float32Array>(transform);
    if (typeof gaussians === 'function') return (time: number) => place(gaussians(assetTime(asset, time)));
    const placed = place(gaussians);
    return () => placed;
  });
  if (!first) throw new UserError('[gaussians/compose] scene is empty: assets=[]. Pass one at least.');
  return (time = 0) => concatGaussians([first(time), ...rest.map((asset) => asset(time))]);
}
