import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { data, tensor, type Tensor } from '@langevin/tensor';
import { train, type TrainEvent, type TrainingTask, type TrainOptions } from '@langevin/training';
import { onTestFinished } from 'vitest';

/** A folder that is gone when the test is. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'langevin-training-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export interface HostState {
  readonly w: Tensor;
}

export interface HostTaskOptions {
  /** @default 4 */
  readonly size?: number;
  /** Steps, from 1, whose loss is this instead of a finite number. */
  readonly losses?: Readonly<Record<number, number>>;
  readonly config?: unknown;
  readonly preview?: (step: number) => Promise<void>;
}

/**
 * A task that runs on the host and needs no engine: w becomes w / 2 + step, the loss is its sum. Each value depends on all earlier steps,
 * so a lost or repeated one shows.
 */
export function hostTask({ size = 4, losses = {}, config = { seed: 1 }, preview }: HostTaskOptions = {}): TrainingTask<HostState> {
  return {
    name: 'host <task>',
    config,
    init: () => ({ w: tensor(new Float32Array(size)) }),
    async step({ w }, { step, position }) {
      const next = ((await data(w)) as Float32Array).map((value, i) => value / 2 + step + i);
      const loss = losses[step + 1] ?? next.reduce((sum, value) => sum + value, 1);
      return {
        state: { w: tensor(next) },
        metrics: { loss, twice: 2 * loss },
        position: { epoch: position.epoch, index: position.index + 3 },
        batch: [step * 3, step * 3 + 1, step * 3 + 2],
      };
    },
    ...(preview && { preview: () => preview(0) }),
  };
}

/** All events of a run. */
export async function events<State>(task: TrainingTask<State>, options: TrainOptions): Promise<readonly TrainEvent[]> {
  const all: TrainEvent[] = [];
  for await (const event of train(task, options)) all.push(event);
  return all;
}
