import { join } from 'node:path';
import { SPLAT_REPORT, type SplatState } from '@langevin/gaussians';
import { InternalError } from '@langevin/tensor';
import { showChange, type TrainEvent } from '@langevin/training';
import { REPORT, reported } from '@langevin/training/node';
import { showProgress, type ProgressView } from '../../progress.ts';
import { showCount } from '../../table.ts';
import { remark, type Terminal } from '../../terminal.ts';

/** What a training came to. */
export interface Followed<State> {
  readonly step: number;
  readonly reason: 'finished' | 'aborted';
  readonly state: State;
  /** Paths. */
  readonly checkpoint: string;
  readonly report: string;
  /** Of the last evaluation: that of the end. */
  readonly score: { readonly psnr: number; readonly ssim: number } | undefined;
  /** Median, of the steps of this process. */
  readonly milliseconds: number | null;
}

/** Shows a run's events until its end, and keeps its report. @param run.name what is trained @param run.title of the report */
export async function follow<State extends SplatState>(
  events: AsyncIterable<TrainEvent<State>>,
  { name, title, folder }: { readonly name: string; readonly title: string; readonly folder: string },
  terminal: Terminal,
): Promise<Followed<State>> {
  let progress: ProgressView | undefined;
  let score: Followed<State>['score'];
  let smooth: number | undefined;
  const times: number[] = [];
  try {
    for await (const event of reported(events, { folder, name: title, ...SPLAT_REPORT })) {
      switch (event.kind) {
        case 'start':
          if (event.resumed) remark(terminal, `${name}: resumed at step ${event.step}`);
          for (const change of event.changed) remark(terminal, `changed since: ${showChange(change)}`);
          progress = showProgress(terminal, { name, unit: 'step', total: event.steps, from: event.step });
          break;
        case 'step': {
          times.push(event.milliseconds);
          const { psnr = NaN, count = 0 } = event.measures ?? {};
          // A view that is matched exactly has no end of decibels.
          if (Number.isFinite(psnr)) smooth = smooth === undefined ? psnr : smooth + 0.05 * (psnr - smooth);
          progress?.update(
            event.step,
            `PSNR ${smooth?.toFixed(2) ?? '-'} dB, ${showCount(count)} Gaussians, ${event.milliseconds.toFixed(0)} ms`,
          );
          break;
        }
        case 'numbers': {
          const { heldOutPsnr: psnr, heldOutSsim: ssim } = event.values;
          if (psnr === undefined || ssim === undefined) break;
          score = { psnr, ssim };
          progress?.say(`step ${event.step}: held-out PSNR ${psnr.toFixed(2)} dB, SSIM ${ssim.toFixed(4)}`);
          break;
        }
        case 'checkpoint':
          progress?.say(`checkpoint ${join(folder, event.path)}`);
          break;
        case 'artifact':
          break;
        case 'done':
          return {
            step: event.step,
            reason: event.reason,
            state: event.state,
            checkpoint: join(folder, event.checkpoint),
            report: join(folder, REPORT),
            score,
            milliseconds: times.sort((a, b) => a - b)[times.length >> 1] ?? null,
          };
      }
    }
  } finally {
    progress?.stop();
  }
  throw new InternalError('[cli/splat] training ended without saying so');
}
