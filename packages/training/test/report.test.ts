import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineTask, train, type Evaluation } from '@langevin/training';
import { folderStore, REPORT, reported } from '@langevin/training/node';
import { describe, expect, it, onTestFinished } from 'vitest';

async function* evaluated(value: number): AsyncGenerator<Evaluation> {
  yield { kind: 'numbers', values: { score: value } };
  yield { kind: 'picture', name: 'views/front', extension: 'png', content: new Uint8Array(1) };
  yield { kind: 'table', name: 'all', extension: 'md', content: 'none' };
  await Promise.resolve();
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'langevin-report-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The page after each event that wrote one. */
async function pages(steps: number, given?: string): Promise<readonly string[]> {
  const folder = given ?? (await newFolder());
  const task = defineTask<{ readonly x: number }>({
    name: 'halve',
    config: {},
    seed: 0,
    init: () => ({ x: 1 }),
    step: ({ x }) => Promise.resolve({ state: { x: x / 2 }, losses: { distance: x }, measures: { rate: 1 } }),
    evaluate: ({ x }) => evaluated(x),
  });
  const options = { store: folderStore(folder), steps, checkpointEvery: 2, evaluateEvery: 2, logEvery: 1, start: 'resume' as const };
  const all: string[] = [];
  for await (const event of reported(train(task, options), {
    folder,
    name: 'a <b> & "c"',
    titles: { distance: 'distance, m' },
    linear: ['rate'],
    pictures: 'Fronts',
  }))
    if (event.kind === 'checkpoint' || event.kind === 'done') all.push(await readFile(join(folder, REPORT), 'utf8'));
  return all;
}

describe('the report of a run', () => {
  it('is one page that needs nothing else: scripts and styles are inside, pictures beside it', async () => {
    const page = (await pages(4)).at(-1)!;
    expect(page).toContain('uPlot');
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//u);
    expect(page.match(/src="[^"]*"/gu)).toEqual([
      'src="evaluations/step-00000004/views/front.png"',
      'src="evaluations/step-00000002/views/front.png"',
    ]);
  });

  it('has a curve for all that is logged and evaluated, the figures of the run, and escapes what it shows', async () => {
    const page = (await pages(4)).at(-1)!;
    expect(page.match(/id="plot-\d"/gu)).toHaveLength(3);
    expect(page).toContain('4 of 4');
    expect(page).toContain('Fronts');
    expect(page).toContain('distance, m, mean of the last 100 logged');
    expect(page).toContain('score, newest</dt><dd>0.06250');
    expect(page).toContain('a &#60;b&#62; &#38; &#34;c&#34;');
    expect(page).not.toContain('<b>');
  });

  it('reloads itself while the run goes on, and no longer', async () => {
    const [first, ...rest] = await pages(4);
    expect(first).toContain('http-equiv="refresh"');
    expect(rest.at(-1)).not.toContain('http-equiv="refresh"');
  });

  it('of a run that is resumed shows the pictures from before, and none of steps that are done anew', async () => {
    const folder = await newFolder();
    await pages(4, folder);
    await mkdir(join(folder, 'evaluations', 'step-00000009'));
    await writeFile(join(folder, 'evaluations', 'step-00000009', 'late.png'), '');
    const page = (await pages(6, folder)).at(-1)!;
    expect(page.match(/src="[^"]*"/gu)).toEqual([6, 4, 2].map((step) => `src="evaluations/step-0000000${step}/views/front.png"`));
  });
});
