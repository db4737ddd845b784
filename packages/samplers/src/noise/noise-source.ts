import type { Algebra, NoiseLevel } from '@langevin/core-schedules';

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
  readonly interval?: { readonly from: NoiseLevel; readonly to: NoiseLevel };
}

/** Where unit noise comes from: passed in, never global. */
export interface NoiseSource {
  readonly name: string;
  readonly draw: <T>(request: NoiseRequest<T>) => Promise<T>;
}
