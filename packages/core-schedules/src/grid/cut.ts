import type { NoiseLevel } from '@langevin/core';
import { checkNumber, UserError } from '@langevin/tensor';

const WHERE = 'core-schedules/cut';

/**
 * How a run starts from an image instead of from noise (img2img). The two customs differ in what `steps` counts:
 * - `strength`, in (0, 1], as in diffusers: `steps` steps are laid out over the whole span and the last int(steps strength) are taken
 * - `denoise`, in (0, 1], as in ComfyUI: int(steps / denoise) steps are laid out and the last `steps` are taken
 */
export type Cut = { readonly kind: 'strength'; readonly strength: number } | { readonly kind: 'denoise'; readonly denoise: number };

/** ComfyUI takes more than this for the whole. */
const WHOLE = 0.9999;

/** How many steps are laid out for a run of `steps` with such a cut. @throws UserError for a cut that is none */
export function stepsBeforeCut(steps: number, cut: Cut): number {
  switch (cut.kind) {
    case 'strength':
      checkNumber(WHERE, { strength: cut.strength }, { above: 0, atMost: 1 });
      return steps;
    case 'denoise':
      checkNumber(WHERE, { denoise: cut.denoise }, { above: 0, atMost: 1 });
      return cut.denoise > WHOLE ? steps : Math.floor(steps / cut.denoise);
    default:
      throw new UserError(
        `[${WHERE}] unknown kind of cut: kind="${String((cut as { readonly kind?: unknown }).kind)}". Known: strength, denoise.`,
      );
  }
}

/**
 * The levels at which a run with such a cut works, of all that were laid out.
 *
 * @throws UserError when no step is left
 * @example
 * cutLevels([5, 4, 3, 2, 1, 0].map(sigmaLevel), { steps: 5, cut: { kind: 'strength', strength: 0.4 } }).length; // => 3
 */
export function cutLevels(
  levels: readonly NoiseLevel[],
  { steps, cut }: { readonly steps: number; readonly cut: Cut },
): readonly NoiseLevel[] {
  if (cut.kind === 'denoise') return cut.denoise > WHOLE ? levels : levels.slice(-(steps + 1));
  const kept = Math.min(Math.floor(steps * cut.strength), steps);
  if (kept < 1)
    throw new UserError(
      `[${WHERE}] no step is left: steps=${steps}, strength=${cut.strength}. Take more steps or a greater strength; steps * `
        + 'strength must reach 1.',
    );
  return levels.slice(steps - kept);
}

/**
 * All levels but the last noisy one. ComfyUI lays out one step more for `dpm_2`, `dpm_2_ancestral`, `uni_pc` and `uni_pc_bh2` and drops
 * that level.
 *
 * @throws UserError for fewer than three levels
 * @example
 * withoutPenultimate([8, 4, 2, 0].map(sigmaLevel)).map(({ sigma }) => sigma); // => [8, 4, 0]
 */
export function withoutPenultimate(levels: readonly NoiseLevel[]): readonly NoiseLevel[] {
  if (levels.length < 3)
    throw new UserError(`[${WHERE}] no step would be left: levels.length=${levels.length}. Lay out one step more than the run shall have.`);
  return levels.filter((_, i) => i !== levels.length - 2);
}
