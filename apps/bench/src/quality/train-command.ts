import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { checkNumber, setDefaultEngine, UserError } from '@langevin/tensor';
import { findPython } from '../torch-peer.ts';
import { trainers } from './runs.ts';
import { trainStudy } from './train.ts';

/** Five passes over MNIST in batches of 64: a quarter of an hour for each training on two cores. */
export const STUDY_STEPS = 4800;

const MINUTES = 15;

export interface TrainQualityOptions {
  readonly root: string;
  readonly threads: number;
  /** Names of trainings, or beginnings of them. */
  readonly only: readonly string[] | undefined;
  /** As the command line gives them. */
  readonly by: string | undefined;
  readonly steps: string | undefined;
  readonly minutes: string | undefined;
  readonly report: (line: string) => void;
}

/** Trains the models of the quality study; Ctrl+C or SIGTERM writes a checkpoint and ends, and the next call goes on from it. */
export async function trainQuality({ root, threads, only, report, ...given }: TrainQualityOptions): Promise<void> {
  const steps = Number(given.steps ?? STUDY_STEPS);
  const minutes = Number(given.minutes ?? MINUTES);
  checkNumber('bench/quality', { steps }, { atLeast: 1, atMost: 1e7, kind: 'integer' });
  checkNumber('bench/quality', { minutes }, { above: 0, atMost: 24 * 60 });
  const by = trainers.find((trainer) => trainer === given.by);
  if (by === undefined && given.by !== undefined)
    throw new UserError(`[bench/quality] no such trainer: by=${JSON.stringify(given.by)}. Known: ${trainers.join(', ')}.`);
  const engine = await onnxruntimeEngine({ threads });
  setDefaultEngine(engine);
  const ending = new AbortController();
  const end = (): void => ending.abort();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  try {
    const python = findPython();
    await trainStudy({
      root,
      engine,
      python,
      steps,
      minutes,
      threads,
      report,
      signal: ending.signal,
      ...(only && { only }),
      ...(by && { by }),
    });
  } finally {
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  }
}
