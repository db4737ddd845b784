import { CLEAN, lambdaOf, type NoiseLevel } from '@langevin/core';
import { checkNumber, UserError } from '@langevin/tensor';
import type { NoiseProcess } from '../noise-process.ts';
import { cutLevels, stepsBeforeCut, type Cut } from './cut.ts';

export interface SpacingOptions {
  /** Number of sampler steps N, 1..100000; the result has N + 1 levels, with the exceptions that {@link Spacing} names. */
  readonly steps: number;
  /**
   * Where the last step leads: to `clean` (sigma = 0; N levels are spaced over the process's span) or only to its `floor`
   * (N + 1 levels are, the last at span.min). @default 'clean'
   */
  readonly end?: 'clean' | 'floor';
  /** Only the last part of the run, for starts from an image. @default the whole */
  readonly cut?: Cut;
}

/**
 * Which noise levels of a process a sampler visits. Spacing and sampler are independent choices.
 *
 * Rules that pick whole timesteps (`beta`, `ddim-uniform`, `quadratic`) may give fewer or more levels than N + 1, as they do where
 * they come from: what the run has is `levels.length - 1` steps. With a `strength` there are int(N strength) steps.
 */
export interface Spacing {
  readonly name: string;
  /** Levels from most to least noise. */
  readonly levels: (process: NoiseProcess, options: SpacingOptions) => readonly NoiseLevel[];
}

/** What an author of a spacing states. */
export interface SpacingDefinition {
  readonly name: string;
  /**
   * `count` >= 1 levels, noisiest first. `reachesFloor` is true when the last of them must lie at span.min; a rule that cannot
   * do that gives one fewer, and the floor is appended.
   */
  readonly place: (process: NoiseProcess, count: number, end: { readonly reachesFloor: boolean }) => readonly NoiseLevel[];
  /** The rule may give any number of levels; clean or floor are appended where they are missing. @default false */
  readonly anyCount?: boolean;
}

/**
 * A spacing from its rule, with steps checked and the levels proved to fall strictly.
 *
 * @example
 * const halves = defineSpacing({ name: 'halves', place: (process, count) => Array.from({ length: count }, (_, i) =>
 * process.levelOf(Math.log(2 ** i / 16))) }); halves.levels(edm(), { steps: 3 }).map(({ sigma }) => sigma); // => [16.00, 8.00, 4.00, 0.00]
 */
export function defineSpacing(definition: SpacingDefinition): Spacing {
  const { name } = definition;
  const where = `core-schedules/${name}`;
  return Object.freeze({
    name,
    levels: (process: NoiseProcess, { steps, end = 'clean', cut }: SpacingOptions) => {
      checkNumber(where, { steps }, { atLeast: 1, atMost: 100_000, kind: 'integer' });
      if (end !== 'clean' && end !== 'floor') throw new UserError(`[${where}] unknown end: end="${String(end)}". Known: clean, floor.`);
      const whole = cut === undefined ? steps : stepsBeforeCut(steps, cut);
      if (whole > 100_000)
        throw new UserError(`[${where}] too many steps before the cut: ${whole}. Take fewer steps or a greater denoise.`);
      const levels = place(definition, process, { steps: whole, end });
      for (let i = 1; i < levels.length; i++) {
        if (lambdaOf(levels[i]!) > lambdaOf(levels[i - 1]!)) continue;
        throw new UserError(
          `[${where}] two levels coincide: levels[${i - 1}] and levels[${i}] of process=${process.name} with steps=${whole}. Take `
            + 'fewer steps, or a spacing that is not tied to whole steps.',
        );
      }
      return Object.freeze(cut === undefined ? levels : cutLevels(levels, { steps, cut }));
    },
  });
}

function place(
  definition: SpacingDefinition,
  process: NoiseProcess,
  { steps, end }: { readonly steps: number; readonly end: 'clean' | 'floor' },
): readonly NoiseLevel[] {
  // Where the span itself ends clean, as a flow's does, both ends are one.
  const reachesFloor = end === 'floor' || process.sigma(process.span.min) === 0;
  if (definition.anyCount === true) {
    const noisy = definition.place(process, reachesFloor ? steps + 1 : steps, { reachesFloor });
    const last = reachesFloor ? process.level(process.span.min) : CLEAN;
    return noisy.length > 1 && lambdaOf(noisy.at(-1)!) >= lambdaOf(last) ? noisy : [...noisy, last];
  }
  const placed = definition.place(process, reachesFloor ? steps + 1 : steps, { reachesFloor });
  const levels = reachesFloor ? [...placed] : [...placed, CLEAN];
  if (levels.length === steps) levels.push(process.level(process.span.min));
  return levels;
}
