import type { NoiseLevel } from '@langevin/core';
import { isStraight, type NoiseProcess } from '../noise-process.ts';
import { ramp } from './ramp.ts';

/** Steps of a chain, 0..T-1, as levels. */
export function levelsOfSteps(process: NoiseProcess & { readonly steps: number }, steps: readonly number[]): NoiseLevel[] {
  return steps.map((step) => process.level((step + 1) / process.steps));
}

/** Whether time comes in whole steps. */
export function isChain(process: NoiseProcess): process is NoiseProcess & { readonly steps: number } {
  return process.steps !== undefined;
}

/** The levels of a model as a table of timesteps 0..size-1, noise growing: what ComfyUI's rules pick from. */
export interface TimestepTable {
  readonly size: number;
  /** The level at a timestep; between whole ones lambda or time is interpolated. */
  readonly level: (timestep: number) => NoiseLevel;
  /** `count` timesteps from the noisiest to the least noisy, evenly, as ComfyUI's `normal` and `sgm_uniform` see these two. */
  readonly even: (count: number) => number[];
}

/** How many timesteps stand for a process of continuous time. */
const CONTINUOUS = 1000;

/**
 * The table of a chain is the chain. Continuous processes have 1000 timesteps: even in log sigma where alpha = 1, as EDM's models
 * are conditioned, otherwise even in time.
 */
export function timestepTable(process: NoiseProcess, size: number = process.steps ?? CONTINUOUS): TimestepTable {
  const last = size - 1;
  const even = (count: number): number[] => ramp(last, 0, count);
  if (isChain(process))
    return {
      size: process.steps,
      level: (timestep) => process.level((timestep + 1) / process.steps),
      even: (count) => ramp(process.steps - 1, 0, count),
    };
  const { min, max } = process.span;
  if (process.levelOf(0).alpha === 1) {
    const [low, high] = [process.lambda(min), process.lambda(max)];
    return {
      size,
      even,
      level: (timestep) =>
        timestep === 0
          ? process.level(min)
          : timestep === last
            ? process.level(max)
            : process.levelOf(low + (timestep / last) * (high - low)),
    };
  }
  const first = min > 0 ? min : max / size;
  const time = (timestep: number): number => (timestep === last ? max : first + (timestep / last) * (max - first));
  // A shifted flow's models are told sigma, and ComfyUI takes what the least level is told for its time, so the shift acts twice there.
  const end = isStraight(process) ? (process.conditioning(first) / process.conditioning(max)) * max : first;
  return {
    size,
    level: (timestep) => process.level(time(timestep)),
    even: (count) => ramp(last, ((end - first) / (max - first)) * last, count),
  };
}
