import { readdir } from 'node:fs/promises';
import { readLog, thinned, writeRunPage, type Curve, type LogLine } from '@langevin/io/node';
import { median } from '@langevin/tensor';

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

const SHOWN_RENDERS = 8;
const TITLES = { psnr: 'PSNR of the training view, dB', loss: 'loss', ssim: 'SSIM of the training view', count: 'Gaussians' } as const;

/** Write the run's page: held-out photographs beside their renders, curves, figures. It needs no server and no network. */
export async function writeReport({ name, step, steps, ...input }: ReportInput): Promise<void> {
  const log = await readLog(input.log);
  const timings = await readLog(input.timings);
  const evaluations = await readLog(input.evaluations);
  const newest = `-${String(step).padStart(8, '0')}.png`;
  const pictures = (await readdir(input.renders)).filter((file) => file.endsWith(newest)).sort();
  const last = evaluations.at(-1);
  const shown = thinned(log);
  const grows = new Set(log.map((line) => line['count'])).size > 1;
  await writeRunPage(input.report, {
    name,
    kind: 'Gaussians in training',
    state: 'done',
    figures: [
      ['step', `${step} of ${steps}`],
      ['held-out PSNR', last === undefined ? 'no view held out' : `${last['psnr']!.toFixed(2)} dB`],
      ['held-out SSIM', last === undefined ? '-' : last['ssim']!.toFixed(4)],
      ['Gaussians', (log.at(-1)?.['count'] ?? 0).toLocaleString('en-US')],
      ['median step', timings.length === 0 ? '-' : `${median(timings.map((line) => line['milliseconds'] ?? 0)).toFixed(1)} ms`],
    ],
    pictures: {
      title: 'Held-out views: photograph, render',
      none: 'none',
      pixels: 'smooth',
      items: pictures.slice(0, SHOWN_RENDERS).map((file) => ({
        path: `renders/${file}`,
        caption: file.replace(/-\d+\.png$/, ''),
        alt: 'photograph and render',
      })),
    },
    curves: [
      ...(['psnr', 'loss', 'ssim', ...(grows ? (['count'] as const) : [])] as const).map((key) => curve(TITLES[key], shown, key)),
      ...(evaluations.length > 1 ? [curve('PSNR of held-out views, dB', evaluations, 'psnr')] : []),
    ],
  });
}

function curve(title: string, lines: readonly LogLine[], key: string): Curve {
  return {
    title,
    steps: lines.map((line) => line.step),
    lines: [{ label: title, colour: '#2458c5', values: lines.map((line) => line[key] ?? null) }],
  };
}
