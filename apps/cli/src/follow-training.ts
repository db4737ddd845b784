import { join } from 'node:path';
import { InternalError } from '@langevin/tensor';
import { showChange, type TrainEvent } from '@langevin/training';
import { REPORT } from '@langevin/training/node';
import { showProgress, type ProgressView } from './progress.ts';
import { remark, type Terminal } from './terminal.ts';

/** How a training run ended. */
export interface Ending<State> {
  readonly step: number;
  readonly reason: 'finished' | 'aborted';
  readonly checkpoint: string;
  readonly report: string;
  readonly loss: number | null;
  readonly state: State;
}

/** Shows a run's events until its end. */
export async function followTraining<State>(
  events: AsyncIterable<TrainEvent<State>>,
  { folder, terminal }: { readonly folder: string; readonly terminal: Terminal },
): Promise<Ending<State>> {
  let progress: ProgressView | undefined;
  let loss: number | null = null;
  let smooth: number | undefined;
  try {
    for await (const event of events) {
      switch (event.kind) {
        case 'start':
          remark(terminal, `${event.resumed ? `resumed at step ${event.step} in` : 'started in'} ${folder}`);
          for (const change of event.changed) remark(terminal, `changed since: ${showChange(change)}`);
          progress = showProgress(terminal, { name: 'training', unit: 'step', total: event.steps, from: event.step });
          break;
        case 'step':
          loss = event.losses['loss'] ?? null;
          if (loss === null) break;
          smooth = smooth === undefined ? loss : smooth + 0.02 * (loss - smooth);
          progress?.update(event.step, `loss ${smooth.toPrecision(4)}`);
          break;
        case 'checkpoint':
          progress?.say(`checkpoint ${join(folder, event.path)}`);
          break;
        case 'artifact':
          progress?.say(`${event.artifact.kind} ${join(folder, event.path)}`);
          break;
        case 'numbers':
          break;
        case 'done':
          return {
            step: event.step,
            reason: event.reason,
            checkpoint: join(folder, event.checkpoint),
            report: join(folder, REPORT),
            loss,
            state: event.state,
          };
      }
    }
  } finally {
    progress?.stop();
  }
  throw new InternalError('[cli/train] training ended without saying so');
}
