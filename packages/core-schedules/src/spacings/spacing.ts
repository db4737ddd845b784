import { UserError } from '@langevin/tensor';
import { checkNumber } from '../check.ts';
import { CLEAN, lambdaOf, type NoiseLevel } from '../level.ts';
import type { NoiseProcess } from '../noise-process.ts';

export interface SpacingOptions {
  /** Number of sampler steps N, 1..100000; the result has N + 1 levels. */
  readonly steps: number;
  /**
   * Where the last step leads: to `clean` (sigma = 0; N levels are spaced over the process's span) or only to its `floor`
   * (N + 1 levels are, the last at span.min). @default 'clean'
   */
  readonly end?: 'clean' | 'floor';
}

/** Which noise levels of a process a sampler visits. Spacing and sampler are independent choices. */
export interface Spacing {
  readonly name: string;
  /** N + 1 levels from most to least noise. */
  readonly levels: (process: NoiseProcess, options: SpacingOptions) => readonly NoiseLevel[];
}

/** What an author of a spacing states. */
export interface SpacingDefinition {
  readonly name: string;
  /**
   * `count` >= 1 levels, noisiest first. `reachesFloor` is true when the last of them must lie at span.min; a rule that cannot
   * do that gives one fewer, and the floor is appended.
   */
  readonly place: (process: NoiseProcess, count: number, reachesFloor: boolean) => readonly NoiseLevel[];
}

/** A spacing from its rule, with steps checked and the levels proved to fall strictly. */
export function defineSpacing({ name, place }: SpacingDefinition): Spacing {
  const where = `core-schedules/${name}`;
  return Object.freeze({
    name,
    levels: (process: NoiseProcess, { steps, end = 'clean' }: SpacingOptions) => {
      checkNumber(where, 'steps', steps, { min: 1, max: 100_000, integer: true });
      if (end !== 'clean' && end !== 'floor') throw new UserError(`[${where}] unknown end: end="${String(end)}". Known: clean, floor.`);
      // Where the span itself ends clean, as a flow's does, both ends are one.
      const reachesFloor = end === 'floor' || process.sigma(process.span.min) === 0;
      const levels = reachesFloor ? [...place(process, steps + 1, true)] : [...place(process, steps, false), CLEAN];
      if (levels.length === steps) levels.push(process.level(process.span.min));
      for (let i = 1; i < levels.length; i++) {
        if (lambdaOf(levels[i]!) > lambdaOf(levels[i - 1]!)) continue;
        throw new UserError(`[${where}] two levels coincide: levels[${i - 1}] and levels[${i}] of process=${process.name} with steps=${steps}. Take fewer steps, or a spacing that is not tied to whole steps.`);
      }
      return Object.freeze(levels);
    },
  });
}

/** `count` numbers from `first` to `last`, both included; one alone is `first`. */
export function ramp(first: number, last: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => (i === count - 1 && i > 0 ? last : first + (count > 1 ? (i * (last - first)) / (count - 1) : 0)));
}

/** Numpy's rounding, which the integer timesteps of DDPM's descendants follow: halves go to the even neighbour. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Steps of a chain as levels. @throws UserError when the chain is shorter than what is asked of it */
export function levelsOfSteps(process: NoiseProcess & { readonly steps: number }, steps: readonly number[]): NoiseLevel[] {
  return steps.map((step) => process.level((step + 1) / process.steps));
}

/** Whether time comes in whole steps. */
export function isChain(process: NoiseProcess): process is NoiseProcess & { readonly steps: number } {
  return process.steps !== undefined;
}
