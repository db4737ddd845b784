import type { Camera } from '@langevin/core';
import type { Gaussians, SceneBounds } from '@langevin/gaussians';
import type { SplatTimes } from '@langevin/io/splats';

/** Least and greatest coordinate along each axis. */
export interface Box {
  readonly low: readonly [number, number, number];
  readonly high: readonly [number, number, number];
}

/** What the page says about the Gaussians that it shows. */
export interface AssetFacts {
  readonly name: string;
  /** What the file is: `ply`, `spz`, ..., or `built in`. */
  readonly format: string;
  /** Of the file; undefined for what is no file. */
  readonly bytes?: number;
  readonly count: number;
  readonly degree: number;
  readonly box: Box;
  readonly bounds: SceneBounds;
  readonly antialiased: boolean;
  /** When it moves. */
  readonly times?: SplatTimes;
  /** Why it does not move although it should. */
  readonly stillBecause?: string;
  /** Gaussians of the file that were left out, because they hold no numbers. */
  readonly dropped: number;
}

/** The worker keeps what was opened, and apart from it what is being trained. */
export type Slot = 'view' | 'train';

/** Something to look at. */
export interface Asset {
  /** Where the worker has the arrays; the page keeps none, so that a large scene is in memory once. */
  readonly slot: Slot;
  readonly facts: AssetFacts;
  /** Where its photographs were taken, if it has any. */
  readonly cameras?: readonly NamedCamera[];
}

export interface NamedCamera {
  readonly name: string;
  readonly camera: Camera;
}

/** Where Gaussians are at a time; what does not move is left out. */
export interface Pose {
  readonly means: Float32Array;
  readonly quaternions?: Float32Array;
  readonly logScales?: Float32Array;
}

/** The box around the centres; from 0 to 0 when there are none. */
export function boxAround({ count, means }: Gaussians): Box {
  const low: [number, number, number] = count === 0 ? [0, 0, 0] : [Infinity, Infinity, Infinity];
  const high: [number, number, number] = count === 0 ? [0, 0, 0] : [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < 3 * count; i++) {
    const axis = (i % 3) as 0 | 1 | 2;
    const value = means[i]!;
    if (value < low[axis]) low[axis] = value;
    if (value > high[axis]) high[axis] = value;
  }
  return { low, high };
}
