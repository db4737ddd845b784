import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { writeFileAtomic } from '@langevin/io/node';
import { readLog, type LogLine } from './run-log.ts';
import type { RunFolder } from './run-folder.ts';
import { showDuration } from './progress.ts';

export interface ReportState {
  readonly name: string;
  readonly step: number;
  readonly steps: number;
}

/** Pages show at most this many points of a curve; more cannot be told apart on a screen. */
const MAX_POINTS = 2000;
const SHOWN_PREVIEWS = 12;

/**
 * Write the run's page: curves of the logged metrics, the newest previews, and figures of the run. It needs no server and no network, and
 * reloads itself while the run goes on.
 */
export async function writeReport(folder: RunFolder, state: ReportState): Promise<void> {
  const require = createRequire(import.meta.url);
  const script = await readFile(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8');
  const style = await readFile(require.resolve('uplot/dist/uPlot.min.css'), 'utf8');
  const log = await readLog(folder.log);
  const timings = await readLog(folder.timings);
  const previews = (await readdir(folder.previews))
    .filter((name) => name.endsWith('.png'))
    .sort()
    .slice(-SHOWN_PREVIEWS);
  await writeFileAtomic(folder.report, page({ state, log, timings, previews: previews.reverse(), folder, script, style }));
}

interface PageInput {
  readonly state: ReportState;
  readonly log: readonly LogLine[];
  readonly timings: readonly LogLine[];
  readonly previews: readonly string[];
  readonly folder: RunFolder;
  readonly script: string;
  readonly style: string;
}

function page({ state, log, timings, previews, folder, script, style }: PageInput): string {
  const running = state.step < state.steps;
  const metrics = Object.keys(log.at(-1) ?? {}).filter((name) => name !== 'step');
  const thinned = thin(log);
  const curves = metrics.map((name) => ({
    name,
    steps: thinned.map((line) => line.step),
    raw: thinned.map((line) => line[name] ?? null),
    smooth: smooth(thinned.map((line) => line[name] ?? 0)),
  }));
  const middle = median(timings.map((line) => line['milliseconds'] ?? 0));
  const figures: readonly (readonly [string, string])[] = [
    ['step', `${state.step} of ${state.steps}`],
    ['loss, mean of the last 100 logged', log.length === 0 ? '-' : mean(log.slice(-100).map((line) => line['loss'] ?? 0)).toPrecision(4)],
    ['median step', `${middle.toFixed(0)} ms`],
    ['remaining', running ? showDuration(((state.steps - state.step) * middle) / 1000) : 'done'],
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(state.name)}: training</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
${running ? '<meta http-equiv="refresh" content="30">' : ''}
<style>${style}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:64rem;padding:0 1rem;color:#1c2430;background:#fafbfc}
h1{font-size:1.4rem;margin:0 0 1rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}
dl{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:0}dt{font-size:.8rem;color:#5b6676}dd{margin:0;font-variant-numeric:tabular-nums;font-size:1.1rem}
.previews{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}figure img{max-width:100%;image-rendering:pixelated;border:1px solid #d8dee6}figcaption{font-size:.8rem;color:#5b6676}
.plot{background:#fff;border:1px solid #d8dee6;padding:.5rem;overflow-x:auto}</style></head><body>
<h1>${escapeHtml(state.name)}</h1>
<dl>${figures.map(([term, value]) => `<div><dt>${term}</dt><dd>${value}</dd></div>`).join('')}</dl>
${curves.map(({ name }, i) => `<h2>${escapeHtml(name)}</h2><div class="plot" id="plot-${i}"></div>`).join('\n')}
<h2>Previews</h2><div class="previews">${
    previews
      .map(
        (name) =>
          `<figure><img src="previews/${name}" alt="samples after `
          + `${basename(name, '.png')}"><figcaption>${basename(name, '.png')}</figcaption></figure>`,
      )
      .join('') || 'none yet'
  }</div>
<p>Folder: <code>${escapeHtml(basename(folder.root))}</code>. The curves are in <code>log.jsonl</code>.</p>
<script>${script}</script>
<script>
const curves = ${JSON.stringify(curves)};
const show = (value) => value === null || value === undefined ? '' : String(Number(value.toPrecision(3)));
const values = (_, given) => given.map(show);
curves.forEach((curve, i) => {
  const place = document.getElementById('plot-' + i);
  const width = place.clientWidth - 24;
  const positive = curve.raw.every((value) => value === null || value > 0);
  new uPlot({ width, height: 280, scales: { x: { time: false }, y: positive ? { distr: 3 } : {} },
    series: [{ label: 'step' }, { label: 'logged', stroke: '#b8c4d6', width: 1, value: (_, v) => show(v) }, { label: 'smoothed', stroke: '#2458c5', width: 2, value: (_, v) => show(v) }],
    axes: [{}, { size: 70, values }] }, [curve.steps, curve.raw, curve.smooth], place);
});
</script></body></html>
`;
}

function thin(log: readonly LogLine[]): readonly LogLine[] {
  const stride = Math.max(1, Math.ceil(log.length / MAX_POINTS));
  return log.filter((_, i) => i % stride === 0 || i === log.length - 1);
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

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
