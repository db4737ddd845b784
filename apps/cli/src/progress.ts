import { progressMeter, showDuration } from '@langevin/training';
import cliProgress from 'cli-progress';
import { remark, type Terminal } from './terminal.ts';

/** Shows how far a long job is: a bar on a terminal, a line every ten seconds elsewhere. */
export interface ProgressView {
  /** @param note what the step brought, such as a loss */
  readonly update: (step: number, note: string) => void;
  /** A line that stays, above the bar. */
  readonly say: (text: string) => void;
  readonly stop: () => void;
}

const LINE_EVERY_MS = 10_000;

/**
 * @param job.unit what is counted: "step"
 * @param job.from steps that were done before
 */
export function showProgress(
  terminal: Terminal,
  job: { readonly name: string; readonly unit: string; readonly total: number; readonly from?: number },
): ProgressView {
  const { name, unit, total, from = 0 } = job;
  const meter = progressMeter(total);
  meter.advance(from, performance.now());
  const figures = (step: number): string => {
    const { stepsPerSecond, remainingSeconds } = meter.advance(step, performance.now());
    const rate =
      stepsPerSecond >= 1 || stepsPerSecond === 0
        ? `${stepsPerSecond.toFixed(1)} ${unit}s/s`
        : `${(1 / stepsPerSecond).toFixed(1)} s/${unit}`;
    return `${rate}, ${step >= total ? 'done' : `${showDuration(remainingSeconds)} left`}`;
  };
  return terminal.screen ? bar(terminal.screen, terminal) : lines(terminal);

  function bar(stream: NodeJS.WriteStream, { err }: Terminal): ProgressView {
    const view = new cliProgress.SingleBar(
      { stream, format: `${name} {bar} {value}/{total} {figures}{note}`, hideCursor: true, etaBuffer: 1, barsize: 30 },
      cliProgress.Presets.shades_classic,
    );
    view.start(total, from, { figures: '', note: '' });
    return {
      update: (step, note) => view.update(step, { figures: figures(step), note: note === '' ? '' : `, ${note}` }),
      say: (text) => {
        err(`\r\u001b[K${text}\n`);
        view.render();
      },
      stop: () => view.stop(),
    };
  }

  function lines(to: Terminal): ProgressView {
    let last = performance.now();
    return {
      update: (step, note) => {
        const text = `${name} ${step}/${total} ${figures(step)}${note === '' ? '' : `, ${note}`}`;
        if (performance.now() - last < LINE_EVERY_MS) return;
        last = performance.now();
        remark(to, text);
      },
      say: (text) => remark(to, text),
      stop: () => {},
    };
  }
}
