import { onnxruntimeEngine } from '@langevin/engine-onnxruntime';
import { checkNumber, setDefaultEngine } from '@langevin/tensor';
import { trainLatents } from './train.ts';

/** CPU minutes of each second stage. */
export const STAGE_TWO_MINUTES = 20;

export interface TrainLatentsCommand {
  readonly root: string;
  readonly threads: number;
  /** Names of trainings, or beginnings of them. */
  readonly only: readonly string[] | undefined;
  /** As the command line gives them. */
  readonly minutes: string | undefined;
  readonly report: (line: string) => void;
}

/** Trains what the study of latents compares; Ctrl+C or SIGTERM writes a checkpoint and ends, and the next call goes on from it. */
export async function trainLatentsCommand({ root, threads, only, report, ...given }: TrainLatentsCommand): Promise<void> {
  const minutes = Number(given.minutes ?? STAGE_TWO_MINUTES);
  checkNumber('bench/latents', { minutes }, { above: 0, atMost: 24 * 60 });
  const engine = await onnxruntimeEngine({ threads });
  setDefaultEngine(engine);
  const ending = new AbortController();
  const end = (): void => ending.abort();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  try {
    await trainLatents({ root, engine, minutes, report, signal: ending.signal, ...(only && { only }) });
  } finally {
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  }
}
