import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { appendLog } from '@langevin/io/node';
import { createRunFolder, writeReport } from '@langevin/training';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from './host-task.ts';

async function report(steps: number): Promise<string> {
  const folder = await createRunFolder(await temporaryFolder());
  for (let step = 10; step <= 40; step += 10) {
    await appendLog(folder.log, { step, loss: 1 / step, gradNorm: step });
    await appendLog(folder.timings, { step, milliseconds: step });
  }
  await writeFile(join(folder.previews, 'step-00000020.png'), '');
  await writeReport(folder, { name: 'a <b> & "c"', step: 40, steps });
  return readFile(folder.report, 'utf8');
}

describe('the report', () => {
  it('is one page that needs nothing else: its scripts and styles are inside', async () => {
    const page = await report(100);
    expect(page).toContain('uPlot');
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(page.match(/src="[^"]*"/g)).toEqual(['src="previews/step-00000020.png"']);
  });

  it('has a curve for each metric, the figures of the run, and escapes what it shows', async () => {
    const page = await report(100);
    expect(page.match(/id="plot-\d"/g)).toHaveLength(2);
    expect(page).toContain('40 of 100');
    expect(page).toContain('a &#60;b&#62; &#38; &#34;c&#34;');
    expect(page).not.toContain('<b>');
  });

  it('reloads itself while the run goes on, and no longer', async () => {
    expect(await report(100)).toContain('http-equiv="refresh"');
    expect(await report(40)).not.toContain('http-equiv="refresh"');
  });

  it('of a run without a step has no curve', async () => {
    const folder = await createRunFolder(await temporaryFolder());
    await writeReport(folder, { name: 'empty', step: 0, steps: 5 });
    expect(await readFile(folder.report, 'utf8')).not.toContain('id="plot-0"');
  });
});
