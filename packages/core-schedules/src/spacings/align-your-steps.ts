import { readOptions, UserError } from '@langevin/tensor';
import { levelsOfTable } from '../grid/sigma-table.ts';
import { defineSpacing, type Spacing } from '../grid/spacing.ts';

/** sigma / alpha before each of ten steps and at the floor, as the authors published them. */
const TABLES = {
  sd1: [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029],
  sdxl: [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.38, 0.234, 0.113, 0.029],
  svd: [700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002],
} as const;

export interface AlignYourStepsOptions {
  /** The model for which the levels were optimised: Stable Diffusion 1.5, SDXL, Stable Video Diffusion. @default 'sd1' */
  readonly model?: keyof typeof TABLES;
}

/**
 * Levels optimised for one model, ten steps as published, other numbers by log-linear interpolation as the authors advise (Sabour
 * et al. 2024, arXiv:2404.14507). They are sigma / alpha, whatever the process.
 *
 * @throws UserError for an unknown model
 * @example
 * alignYourSteps({ model: 'sdxl' })
 *   .levels(discreteVp({ betas: 'scaled-linear', betaStart: 0.00085, betaEnd: 0.012 }), { steps: 10 })
 *   .slice(0, 3)
 *   .map(relativeSigma); // => [14.615, 6.315, 3.771]
 */
export function alignYourSteps(options: AlignYourStepsOptions = {}): Spacing {
  const { model = 'sd1' } = readOptions('core-schedules/align-your-steps', options);
  if (!Object.hasOwn(TABLES, model))
    throw new UserError(
      `[core-schedules/align-your-steps] unknown model: model="${String(model)}". Known: ${Object.keys(TABLES).join(', ')}. For `
        + 'others compute a grid with gits().',
    );
  const table = TABLES[model];
  return defineSpacing({
    name: 'align-your-steps',
    place: (process, count, { reachesFloor }) => levelsOfTable(table, process, { count, reachesFloor }),
  });
}
