import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { UnsupportedError } from '@langevin/tensor';
import { writeFileAtomic } from '../write-file-atomic.ts';

/** One line of a plot. */
export interface CurveLine {
  readonly label: string;
  /** A CSS colour. */
  readonly colour: string;
  /** One for each step of its curve; null leaves a gap. */
  readonly values: readonly (number | null)[];
}

export interface Curve {
  readonly title: string;
  readonly steps: readonly number[];
  readonly lines: readonly CurveLine[];
  /** A logarithmic axis needs values above 0 and falls back to a linear one without them. @default 'linear' */
  readonly scale?: 'linear' | 'logarithmic';
}

export interface PagePicture {
  /** Relative to the page. */
  readonly path: string;
  readonly caption: string;
  /** What it shows, for those who do not see it. */
  readonly alt: string;
}

export interface RunPage {
  /** Of the run. */
  readonly name: string;
  /** What kind of run it is, for the title of the window. */
  readonly kind: string;
  readonly figures: readonly (readonly [term: string, value: string])[];
  readonly curves: readonly Curve[];
  readonly pictures: {
    readonly title: string;
    readonly items: readonly PagePicture[];
    /** Instead of pictures, when there are none. */
    readonly none: string;
    /** How enlarged pixels look: as squares, or blended. */
    readonly pixels: 'squares' | 'smooth';
  };
  /** A running run's page reloads itself. */
  readonly state: 'running' | 'done';
}

/** More points of a curve cannot be told apart on a screen. */
const MAX_POINTS = 2000;

/** Of a log, as many lines as a curve shows; the last one is among them. */
export function thinned<Line>(log: readonly Line[]): readonly Line[] {
  const stride = Math.max(1, Math.ceil(log.length / MAX_POINTS));
  return log.filter((_, i) => i % stride === 0 || i === log.length - 1);
}

/** Write a run's page: its figures, pictures and curves. It needs no server, no network and no file but its pictures. */
export async function writeRunPage(path: string, page: RunPage): Promise<void> {
  const folder = findUplot();
  const script = await readFile(join(folder, 'uPlot.iife.min.js'), 'utf8');
  const style = await readFile(join(folder, 'uPlot.min.css'), 'utf8');
  await writeFileAtomic(path, html(page, { script, style }));
}

/** The plots' library as a dependency of this package or, where a program is bundled into one file, of the folder that it runs in. */
function findUplot(): string {
  for (const from of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return dirname(createRequire(from).resolve('uplot/dist/uPlot.iife.min.js'));
    } catch {
      continue;
    }
  }
  throw new UnsupportedError('[io/page] uplot, which draws the curves of a page, is not found. Install it: npm install uplot');
}

const STYLE = `
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1c2430;background:#fafbfc}
h1{font-size:1.4rem;margin:0 0 1rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}
dl{display:flex;flex-wrap:wrap;gap:.5rem 2.5rem;margin:0}dt{font-size:.8rem;color:#5b6676}
dd{margin:0;font-variant-numeric:tabular-nums;font-size:1.1rem}
.pictures{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}figure img{max-width:100%;border:1px solid #d8dee6}
figcaption{font-size:.8rem;color:#5b6676}.squares img{image-rendering:pixelated}
.plot{background:#fff;border:1px solid #d8dee6;padding:.5rem;overflow-x:auto}`;

/** Runs in the page. */
const PLOT = `
const show = (value) => value === null || value === undefined ? '' : String(Number(value.toPrecision(4)));
curves.forEach((curve, i) => {
  const place = document.getElementById('plot-' + i);
  const logarithmic = curve.scale === 'logarithmic' && curve.lines.every(({ values }) => values.every((v) => v === null || v > 0));
  const series = curve.lines.map(({ label, colour }) => ({ label, stroke: colour, width: 1.5, value: (_, v) => show(v) }));
  new uPlot({
    width: place.clientWidth - 24, height: 280, scales: { x: { time: false }, y: logarithmic ? { distr: 3 } : {} },
    series: [{ label: 'step' }, ...series], axes: [{}, { size: 70, values: (_, given) => given.map(show) }],
  }, [curve.steps, ...curve.lines.map(({ values }) => values)], place);
});`;

function html(page: RunPage, { script, style }: { readonly script: string; readonly style: string }): string {
  const { name, kind, figures, curves, pictures, state } = page;
  const shown = pictures.items.map(
    ({ path, caption, alt }) =>
      `<figure><img src="${path.split('/').map(encodeURIComponent).join('/')}" alt="${escapeHtml(alt)}">`
      + `<figcaption>${escapeHtml(caption)}</figcaption></figure>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(name)}: ${escapeHtml(kind)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
${state === 'running' ? '<meta http-equiv="refresh" content="30">' : ''}
<style>${style}${STYLE}</style></head><body>
<h1>${escapeHtml(name)}</h1>
<dl>${figures.map(([term, value]) => `<div><dt>${escapeHtml(term)}</dt><dd>${escapeHtml(value)}</dd></div>`).join('')}</dl>
<h2>${escapeHtml(pictures.title)}</h2>
<div class="pictures ${pictures.pixels}">${shown.join('') || escapeHtml(pictures.none)}</div>
${curves.map(({ title }, i) => `<h2>${escapeHtml(title)}</h2><div class="plot" id="plot-${i}"></div>`).join('\n')}
<script>${script}</script>
<script>
const curves = ${JSON.stringify(curves).replaceAll('<', '\\u003c')};${PLOT}
</script></body></html>
`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
