import type { Algebra } from './algebra.ts';
import type { NoiseLevels } from './level.ts';

/** Where noise acts. */
export interface NoiseInterval {
  /** The levels that it leads from and to; lists where each item of the batch has steps of its own. */
  readonly from: NoiseLevels;
  readonly to: NoiseLevels;
  /**
   * Which traversal this is where a run goes over its levels again, or back up: safe integers >= 0 that name it within the run. Noise of
   * another pass has nothing to do with that of the first. @default [], the way down
   */
  readonly pass?: readonly number[];
}

/** For which draw of a run noise is asked. */
export interface NoiseRequest<T> {
  readonly algebra: Algebra<T>;
  /** The noise has the form of this state. */
  readonly like: T;
  /** Number of the step, or `start` for the noise that a run begins with. */
  readonly step: number | 'start';
  /** Number of the draw within the step, from 0. */
  readonly draw: number;
  /** The levels between which the noise acts; absent at the start. */
  readonly interval?: NoiseInterval;
}

/** Where unit noise comes from: passed in, never global. */
export interface NoiseSource {
  readonly name: string;
  /**
   * Whether a draw is the increment of one path over its interval, scaled to variance 1: the same for the same interval however often it is
   * asked for, while those of intervals beside one another add up. @default false, each draw is its own
   */
  readonly path?: boolean;
  readonly draw: <T>(request: NoiseRequest<T>) => Promise<T>;
}
