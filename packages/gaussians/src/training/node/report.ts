import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { writeFileAtomic } from '@langevin/io/node';
import { readLog, type LogLine } from './run-log.ts';

export interface ReportInput {
  readonly name: string;
  readonly step: number;
  readonly steps: number;
  /** Paths. */
  readonly log: string;
  readonly timings: string;
  readonly evaluations: string;
  readonly renders: string;
  readonly report: string;
}

/** More points of a curve cannot be told apart on a screen. */
const MAX_POINTS = 1500;
const SHOWN_RENDERS = 8;

/** Write the run's page: held-out photographs beside their renders, curves, figures. It needs no server and no network. */
export async function writeReport(input: ReportInput): Promise<void> {
  const require = createRequire(import.meta.url);
  const script = await readFile(require.resolve('uplot/dist/uPlot.iife.min.js'), 'utf8');
  const style = await readFile(require.resolve('uplot/dist/uPlot.min.css'), 'utf8');
  const log = await readLog(input.log);
  const timings = await readLog(input.timings);
  const evaluations = await readLog(input.evaluations);
  const newest = `-${String(input.step).padStart(8, '0')}.png`;
  const pictures = (await readdir(input.renders))
    .filter((name) => name.endsWith(newest))
    .sort()
    .slice(0, SHOWN_RENDERS);
  await writeFileAtomic(
    input.report,
    page({
      ...input,
      script,
      style,
      log: thin(log),
      last: evaluations.at(-1),
      evaluations,
      pictures,
      median: median(timings.map((line) => line['milliseconds'] ?? 0)),
    }),
  );
}

interface Page extends Pick<ReportInput, 'name' | 'step' | 'steps'> {
  readonly script: string;
  readonly style: string;
  readonly log: readonly LogLine[];
  readonly evaluations: readonly LogLine[];
  readonly last: LogLine | undefined;
  readonly pictures: readonly string[];
  readonly median: number;
}

function page({ name, step, steps, script, style, log, evaluations, last, pictures, median: middle }: Page): string {
  const curves = [
    ...['psnr', 'loss', 'ssim', ...(new Set(log.map((line) => line['count'])).size > 1 ? ['count'] : [])].map((key) => ({
      title: { psnr: 'PSNR of the training view, dB', loss: 'loss', ssim: 'SSIM of the training view', count: 'Gaussians' }[key]!,
      steps: log.map((line) => line['step']),
      values: log.map((line) => line[key] ?? null),
    })),
    ...(evaluations.length > 1
      ? [
          {
            title: 'PSNR of held-out views, dB',
            steps: evaluations.map((line) => line['step']),
            values: evaluations.map((line) => line['psnr'] ?? null),
          },
        ]
      : []),
  ];
  const figures: readonly (readonly [string, string])[] = [
    ['step', `${step} of ${steps}`],
    ['held-out PSNR', last === undefined ? 'no view held out' : `${last['psnr']!.toFixed(2)} dB`],
    ['held-out SSIM', last === undefined ? '-' : last['ssim']!.toFixed(4)],
    ['Gaussians', (log.at(-1)?.['count'] ?? 0).toLocaleString('en-US')],
    ['median step', `${middle.toFixed(1)} ms`],
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(name)}: Gaussians in training</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>${style}
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c2430;background:#fafbfc}
h1{font-size:1.4rem;margin:0 0 1rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}
dl{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:0}dt{font-size:.8rem;color:#5b6676}dd{margin:0;font-variant-numeric:tabular-nums;font-size:1.1rem}
.renders{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}figure img{max-width:100%;border:1px solid #d8dee6}figcaption{font-size:.8rem;color:#5b6676}
.plot{background:#fff;border:1px solid #d8dee6;padding:.5rem;overflow-x:auto}</style></head><body>
<h1>${escapeHtml(name)}</h1>
<dl>${figures.map(([term, value]) => `<div><dt>${term}</dt><dd>${value}</dd></div>`).join('')}</dl>
<h2>Held-out views: photograph, render</h2>
<div class="renders">${
    pictures
      .map(
        (picture) =>
          `<figure><img src="renders/${encodeURIComponent(picture)}" alt="photograph and `
          + `render"><figcaption>${escapeHtml(picture.replace(/-\d+\.png$/, ''))}</figcaption></figure>`,
      )
      .join('') || 'none'
  }</div>
${curves.map(({ title }, i) => `<h2>${title}</h2><div class="plot" id="plot-${i}"></div>`).join('\n')}
<script>${script}</script>
<script>
const curves = ${JSON.stringify(curves)};
const show = (value) => value === null || value === undefined ? '' : String(Number(value.toPrecision(4)));
curves.forEach((curve, i) => {
  const place = document.getElementById('plot-' + i);
  new uPlot({ width: place.clientWidth - 24, height: 260, scales: { x: { time: false } }, series: [{ label: 'step' }, { label: curve.title, stroke: '#2458c5', width: 1.5, value: (_, v) => show(v) }],
    axes: [{}, { size: 70, values: (_, given) => given.map(show) }] }, [curve.steps, curve.values], place);
});
</script></body></html>
`;
}

function thin(log: readonly LogLine[]): readonly LogLine[] {
  const stride = Math.max(1, Math.ceil(log.length / MAX_POINTS));
  return log.filter((_, i) => i % stride === 0 || i === log.length - 1);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
