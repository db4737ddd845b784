import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { markdownTable } from '../table.ts';
import { distributionContestants, imageContestants, odeContestants } from './contestants.ts';
import { imageCurves } from './image-curves.ts';
import { distributionError, odeError } from './mixture-curves.ts';
import { linePlot, type Point } from './plot.ts';

const BUDGETS = [5, 7, 10, 14, 20, 28, 40, 56, 80, 112, 160];
const IMAGE_STEPS = [5, 8, 12, 18, 30];
const BEGIN = '<!-- figures: made by "npm run evidence -- work-precision --write" -->';
const END = '<!-- end of figures -->';

export interface WorkPrecisionOptions {
  readonly root: string;
  readonly report: (line: string) => void;
  /** Pictures for each point of the figure over images. @default 128 */
  readonly count?: number;
}

interface Figure {
  readonly name: string;
  readonly title: string;
  readonly axis: string;
  readonly says: string;
  readonly points: readonly Point[];
  readonly scale: 'log' | 'linear';
}

/** Draws the three figures of docs/choosing-a-sampler.md and writes them with their numbers between the marks in that page. */
export async function workPrecision({
  root,
  report,
  count = 128,
}: WorkPrecisionOptions): Promise<{ readonly page: string; readonly json: unknown }> {
  report('error along the ODE ...');
  const ode = await odeError(odeContestants(), BUDGETS);
  report('distance of distributions ...');
  const distribution = await distributionError(distributionContestants(), BUDGETS);
  report('pictures of the main job ...');
  const images = await imageCurves({ root, contestants: imageContestants(), steps: IMAGE_STEPS, count, report });
  const figures: readonly Figure[] = [
    {
      name: 'ode',
      title: 'Error along the ODE, mixture of three modes',
      axis: 'root mean square error',
      points: ode,
      scale: 'log',
      says:
        'Deterministic samplers on a mixture with three modes, from sigma 80 to 0 on Karras levels: root mean square distance from '
        + 'the end of the exact path, over 64 starts.',
    },
    {
      name: 'distribution',
      title: 'Distance of distributions, mixture of three modes',
      axis: 'Wasserstein-1 distance',
      points: distribution.points,
      scale: 'log',
      says:
        'The same mixture and levels: Wasserstein-1 distance between 20,000 samples and the data. As many exact samples are '
        + `${distribution.floor.toFixed(4)} away, so nothing below that can be told apart.`,
    },
    {
      name: 'images',
      title: 'Emoji of the main job',
      axis: 'Frechet distance',
      points: images.points,
      scale: 'linear',
      says:
        `The checkpoint of the main job: Frechet distance between ${images.count} pictures and the training data, over colours and `
        + `texture (not Inception's features: not to be compared with published distances). As many real pictures score `
        + `${images.floor.toFixed(4)}.`,
    },
  ];
  await mkdir(join(root, 'docs/images'), { recursive: true });
  const parts: string[] = [];
  for (const figure of figures) {
    const file = `images/work-precision-${figure.name}.svg`;
    await writeFile(
      join(root, 'docs', file),
      await linePlot({
        title: figure.title,
        points: figure.points,
        x: { title: 'evaluations of the denoiser (NFE)', ticks: BUDGETS },
        y: { title: figure.axis, scale: figure.scale },
      }),
    );
    parts.push(`![${figure.title}](${file})`, '', figure.says, '', table(figure), '');
  }
  const page = join(root, 'docs/choosing-a-sampler.md');
  const text = await readFile(page, 'utf8');
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin)
    throw new Error(
      `[bench/work-precision] the marks of the figures are missing: file=${page}. Put back the lines "${BEGIN}" and "${END}".`,
    );
  const written = `${text.slice(0, begin + BEGIN.length)}\n\n${parts.join('\n')}\n${text.slice(end)}`;
  await writeFile(page, written);
  return { page: written, json: { ode, distribution, images } };
}

/** A row for each sampler, a column for each number of evaluations at which any was measured, as far as they are budgets or few. */
function table({ points, scale }: Figure): string {
  const columns = [...new Set(points.map(({ x }) => x))]
    .sort((a, b) => a - b)
    .filter((x) => points.filter((point) => point.x === x).length > 1);
  const show = (value: number): string => (scale === 'log' ? value.toExponential(1) : value.toFixed(3));
  const rows = [...new Set(points.map(({ series }) => series))].map((series) => [
    series,
    ...columns.map((x) => {
      const found = points.find((point) => point.series === series && point.x === x);
      return found === undefined ? '' : show(found.y);
    }),
  ]);
  return markdownTable(['sampler \\ NFE', ...columns.map(String)], rows);
}
