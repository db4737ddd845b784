import { readdir } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { thinned, writeRunPage, type Curve, type PagePicture } from '@langevin/io/node';
import { median } from '@langevin/tensor';
import { FILES } from '../begin-run.ts';
import { readLog, type LogLine } from '../log.ts';
import { showDuration } from '../progress.ts';
import type { TrainEvent } from '../train.ts';
import { folderStore } from './folder-store.ts';

export interface ReportOptions {
  /** Folder of the run: that of its store. */
  readonly folder: string;
  /** Of the run, as its title. */
  readonly name: string;
  /** How enlarged pixels of pictures look. @default 'squares', which hides nothing */
  readonly pixels?: 'squares' | 'smooth';
  /** What a curve is called, by the name of its number. @default the names themselves */
  readonly titles?: Readonly<Record<string, string>>;
  /** Numbers whose curves have a linear axis: decibels, shares, counts. @default none, as losses fall by powers of ten */
  readonly linear?: readonly string[];
  /** What is written above the pictures. @default 'Newest pictures' */
  readonly pictures?: string;
}

/** The page of a run, in its folder. */
export const REPORT = 'report.html';
const SHOWN_PICTURES = 12;
const EVALUATIONS = 'evaluations';
const STEP = /^evaluations\/step-(\d+)\//u;
/** What a browser shows in a page. */
const PICTURES = new Set(['png', 'webp', 'jpg', 'gif', 'svg']);

/**
 * Passes the events of a run on and keeps its page, `report.html`, up to date after every checkpoint and evaluation: figures, curves of all
 * that is logged, the newest pictures. The page needs no server and no network, and reloads itself while the run goes on.
 *
 * @throws UserError when the page cannot be written
 * @example
 * // not run: writes to a folder
 * import { defineTask, train } from '@langevin/training';
 * const task = defineTask({
 *   name: 'halve', config: {}, seed: 0, init: () => ({ x: 8 }),
 *   step: async ({ x }: { readonly x: number }) => ({ state: { x: x / 2 }, losses: { distance: x / 2 } }),
 * });
 * for await (const event of reported(train(task, { store: folderStore('runs/mine'), steps: 100 }), { folder: 'runs/mine', name: 'mine' }))
 *   console.log(event.kind);
 */
export async function* reported<State>(
  events: AsyncIterable<TrainEvent<State>>,
  options: ReportOptions,
): AsyncGenerator<TrainEvent<State>, void> {
  let steps = 0;
  let pictures: readonly PagePicture[] = [];
  for await (const event of events) {
    if (event.kind === 'start') {
      ({ steps } = event);
      pictures = await earlierPictures(options.folder, event.step);
    }
    if (event.kind === 'artifact' && PICTURES.has(event.artifact.extension))
      pictures = [pictureAt(event.path), ...pictures].slice(0, SHOWN_PICTURES);
    if (event.kind === 'checkpoint' || event.kind === 'artifact' || event.kind === 'done')
      await writeReport(options, { step: event.step, steps, pictures, state: event.kind === 'done' ? 'done' : 'running' });
    yield event;
  }
}

/** Pictures of a run that is resumed, up to the step that it goes on from, the newest first. */
async function earlierPictures(folder: string, step: number): Promise<readonly PagePicture[]> {
  const files = await readdir(join(folder, EVALUATIONS), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const paths = files.map((file) => `${EVALUATIONS}/${file.split(sep).join('/')}`);
  const isShown = (path: string): boolean => PICTURES.has(extname(path).slice(1)) && Number(STEP.exec(path)?.[1]) <= step;
  return paths.filter(isShown).sort().reverse().slice(0, SHOWN_PICTURES).map(pictureAt);
}

/** `evaluations/step-00000100/samples.png` as a picture of the page. */
function pictureAt(path: string): PagePicture {
  const name = path.replace(STEP, '').replace(/\.\w+$/u, '');
  return { path, caption: `step ${Number(STEP.exec(path)?.[1])}: ${name}`, alt: name };
}

interface ReportState {
  readonly step: number;
  readonly steps: number;
  readonly pictures: readonly PagePicture[];
  readonly state: 'running' | 'done';
}

async function writeReport(options: ReportOptions, at: ReportState): Promise<void> {
  const { folder, name, pixels = 'squares', titles = {}, linear = [], pictures: above = 'Newest pictures' } = options;
  const store = folderStore(folder);
  const [log, timings, evaluations] = await Promise.all([FILES.log, FILES.timings, FILES.evaluations].map((path) => readLog(store, path)));
  const { step, steps, pictures, state } = at;
  const middle = timings!.length === 0 ? undefined : median(timings!.map((line) => line['milliseconds'] ?? 0));
  const titleOf = (key: string): string => titles[key] ?? key;
  const scaleOf = (key: string): 'linear' | 'logarithmic' => (linear.includes(key) ? 'linear' : 'logarithmic');
  await writeRunPage(join(folder, REPORT), {
    name,
    kind: 'training',
    state,
    figures: [
      ['step', `${step} of ${steps}`],
      ...namesOf(log!).map((key) => [`${titleOf(key)}, mean of the last 100 logged`, shown(meanOf(log!.slice(-100), key))] as const),
      ...namesOf(evaluations!).map((key) => [`${titleOf(key)}, newest`, shown(evaluations!.at(-1)?.[key])] as const),
      ['median step', middle === undefined ? '-' : `${middle.toFixed(middle < 10 ? 1 : 0)} ms`],
      ['remaining', state === 'done' || middle === undefined ? '-' : showDuration(((steps - step) * middle) / 1000)],
    ],
    pictures: { title: above, none: 'none yet', pixels, items: pictures },
    curves: [
      ...namesOf(log!).map((key) => curve(titleOf(key), log!, { key, scale: scaleOf(key) })),
      ...(evaluations!.length > 1
        ? namesOf(evaluations!).map((key) => curve(`${titleOf(key)} (evaluation)`, evaluations!, { key, scale: scaleOf(key) }))
        : []),
    ],
  });
}

function namesOf(log: readonly LogLine[]): readonly string[] {
  return Object.keys(log.at(-1) ?? {}).filter((key) => key !== 'step');
}

function curve(
  title: string,
  log: readonly LogLine[],
  { key, scale }: { readonly key: string; readonly scale: 'linear' | 'logarithmic' },
): Curve {
  const lines = thinned(log);
  const values = lines.map((line) => line[key] ?? null);
  return {
    title,
    steps: lines.map((line) => line.step),
    scale,
    lines: [
      { label: 'logged', colour: '#b8c4d6', values },
      { label: 'smoothed', colour: '#2458c5', values: smooth(values) },
    ],
  };
}

/** Exponential moving average over about 1% of the run in both directions, so that it does not lag behind the curve. */
function smooth(values: readonly (number | null)[]): readonly (number | null)[] {
  const weight = 1 / Math.max(1, values.length * 0.01);
  return average([...average(values, weight)].reverse(), weight).reverse();
}

/** A gap stays one, and is stepped over. */
function average(values: readonly (number | null)[], weight: number): (number | null)[] {
  let running: number | undefined;
  return values.map((value) => {
    if (value === null) return null;
    running = running === undefined ? value : running + weight * (value - running);
    return running;
  });
}

function meanOf(log: readonly LogLine[], key: string): number | undefined {
  const values = log.flatMap((line) => (typeof line[key] === 'number' ? [line[key]] : []));
  return values.length === 0 ? undefined : values.reduce((a, b) => a + b, 0) / values.length;
}

function shown(value: number | null | undefined): string {
  return value === undefined || value === null ? '-' : value.toPrecision(4);
}
