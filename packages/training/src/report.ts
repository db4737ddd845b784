import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { readLog, thinned, writeRunPage } from '@langevin/io/node';
import { median } from '@langevin/tensor';
import { showDuration } from './progress.ts';
import type { RunFolder } from './run-folder.ts';

export interface ReportState {
  readonly name: string;
  readonly step: number;
  readonly steps: number;
}

const SHOWN_PREVIEWS = 12;

/**
 * Write the run's page: curves of the logged metrics, the newest previews, and figures of the run. It needs no server and no network, and
 * reloads itself while the run goes on.
 */
export async function writeReport(folder: RunFolder, { name, step, steps }: ReportState): Promise<void> {
  const log = await readLog(folder.log);
  const timings = await readLog(folder.timings);
  const previews = (await readdir(folder.previews)).filter((file) => file.endsWith('.png')).sort();
  const running = step < steps;
  const middle = timings.length === 0 ? 0 : median(timings.map((line) => line['milliseconds'] ?? 0));
  const shown = thinned(log);
  await writeRunPage(folder.report, {
    name,
    kind: 'training',
    state: running ? 'running' : 'done',
    figures: [
      ['step', `${step} of ${steps}`],
      ['loss, mean of the last 100 logged', log.length === 0 ? '-' : mean(log.slice(-100).map((line) => line['loss'] ?? 0)).toPrecision(4)],
      ['median step', `${middle.toFixed(0)} ms`],
      ['remaining', running ? showDuration(((steps - step) * middle) / 1000) : 'done'],
    ],
    pictures: {
      title: 'Previews',
      none: 'none yet',
      pixels: 'squares',
      items: previews
        .slice(-SHOWN_PREVIEWS)
        .reverse()
        .map((file) => ({ path: `previews/${file}`, caption: basename(file, '.png'), alt: `samples after ${basename(file, '.png')}` })),
    },
    curves: Object.keys(log.at(-1) ?? {})
      .filter((metric) => metric !== 'step')
      .map((metric) => ({
        title: metric,
        steps: shown.map((line) => line.step),
        scale: 'logarithmic',
        lines: [
          { label: 'logged', colour: '#b8c4d6', values: shown.map((line) => line[metric] ?? null) },
          { label: 'smoothed', colour: '#2458c5', values: smooth(shown.map((line) => line[metric] ?? 0)) },
        ],
      })),
  });
}

/** Exponential moving average over about 1% of the run in both directions, so that it does not lag behind the curve. */
function smooth(values: readonly number[]): number[] {
  const weight = 1 / Math.max(1, values.length * 0.01);
  return average(average(values, weight).reverse(), weight).reverse();
}

function average(values: readonly number[], weight: number): number[] {
  let running = values[0] ?? 0;
  return values.map((value) => (running += weight * (value - running)));
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
