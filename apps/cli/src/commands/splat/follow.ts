import type { SplatEvent } from '@langevin/gaussians';
import { showProgress, type ProgressView } from '../../progress.ts';
import { showCount } from '../../table.ts';
import { remark, type Terminal } from '../../terminal.ts';

/** What a training came to. */
export interface Followed<Event extends SplatEvent> {
  readonly done: Extract<Event, { readonly kind: 'done' }>;
  readonly score: (SplatEvent & { readonly kind: 'evaluation' }) | undefined;
  /** Median, of the steps of this process. */
  readonly milliseconds: number | null;
}

/** Shows a run's events until its end. @param name what is trained */
export async function follow<Event extends SplatEvent>(
  events: AsyncIterable<Event>,
  name: string,
  terminal: Terminal,
): Promise<Followed<Event>> {
  let progress: ProgressView | undefined;
  let score: Followed<Event>['score'];
  let psnr: number | undefined;
  const times: number[] = [];
  try {
    for await (const given of events) {
      const event: SplatEvent = given;
      switch (event.kind) {
        case 'start':
          if (event.resumed) remark(terminal, `${name}: resumed at step ${event.step}`);
          progress = showProgress(terminal, { name, unit: 'step', total: event.steps, from: event.step });
          break;
        case 'step':
          times.push(event.milliseconds);
          psnr = psnr === undefined ? event.metrics.psnr : psnr + 0.05 * (event.metrics.psnr - psnr);
          progress?.update(
            event.step,
            `PSNR ${psnr.toFixed(2)} dB, ${showCount(event.count)} Gaussians, ${event.milliseconds.toFixed(0)} ms`,
          );
          break;
        case 'evaluation':
          score = event;
          progress?.say(`step ${event.step}: held-out PSNR ${event.psnr.toFixed(2)} dB, SSIM ${event.ssim.toFixed(4)}`);
          break;
        case 'checkpoint':
          progress?.say(`checkpoint ${event.from}`);
          break;
        case 'view':
        case 'refined':
          break;
        case 'done':
          return { done: given as Followed<Event>['done'], score, milliseconds: times.sort((a, b) => a - b)[times.length >> 1] ?? null };
      }
    }
  } finally {
    progress?.stop();
  }
  throw new Error('training ended without saying so');
}
