import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '@langevin/io/node';
import { parseTrainingConfig, type TrainingConfig } from '@langevin/pipelines';

/** Who trains: this project, or diffusers and PyTorch by the same configuration. */
export const trainers = ['langevin', 'twin'] as const;
export type Trainer = (typeof trainers)[number];

/** One training of the study. */
export interface StudyRun {
  /** Folder below {@link studyFolder}: `mnist-edm-2-twin`. */
  readonly name: string;
  /** Name of the file in configs/. */
  readonly config: StudyConfig;
  readonly seed: number;
  readonly by: Trainer;
}

/** The configurations of the study, with the seeds that each is trained with: the pair that is compared with error bars has three. */
const CONFIGS = {
  'mnist-edm': { seeds: [1, 2, 3] },
  'mnist-ddpm': { seeds: [1] },
  'mnist-flow': { seeds: [1] },
  'cifar-edm': { seeds: [1] },
} as const;

export type StudyConfig = keyof typeof CONFIGS;

export const studyConfigs = Object.keys(CONFIGS) as readonly StudyConfig[];

/**
 * All trainings. Ours and the twin's stand together, and first seeds come first, so that any beginning of the list is worth a table.
 */
export const studyRuns: readonly StudyRun[] = [0, 1, 2].flatMap((place) =>
  studyConfigs.flatMap((config) => {
    const seed = (CONFIGS[config].seeds as readonly number[])[place];
    if (seed === undefined) return [];
    return trainers.map((by): StudyRun => ({
      name: `${config}-${seed}${by === 'twin' ? '-twin' : ''}`,
      config,
      seed,
      by,
    }));
  }),
);

/** Where the trainings of the study are kept. */
export function studyFolder(root: string): string {
  return process.env['LANGEVIN_QUALITY'] ?? join(root, 'runs', 'quality');
}

/** Folders of data that lie on this machine already: `LANGEVIN_DATA`, or `shared/data` beside the checkout. */
export function dataFolder(root: string, name: string): string | undefined {
  const folder = join(process.env['LANGEVIN_DATA'] ?? join(root, '..', 'shared', 'data'), name);
  return existsSync(folder) ? folder : undefined;
}

/** The configuration of a training: that of configs/, with its seed, and with the folder of the data where they lie on this machine. */
export async function runConfig(root: string, { config, seed }: Pick<StudyRun, 'config' | 'seed'>): Promise<TrainingConfig> {
  const path = join(root, 'configs', `${config}.json`);
  const parsed = parseTrainingConfig(await readJson(path), path);
  const folder = dataFolder(root, parsed.data.name);
  return { ...parsed, seed, data: { ...parsed.data, ...(folder !== undefined && { folder }) } };
}
